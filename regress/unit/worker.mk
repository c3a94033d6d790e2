# Parts of the worker, and the channel that all programs have.
UNITS +=	$(B)/regress/wal_test $(B)/regress/vfs_fd_test \
		$(B)/regress/chan_test $(B)/regress/hasher_test \
		$(B)/regress/indexes_test $(B)/regress/hash_pipe_test \
		$(B)/regress/gather_test $(B)/regress/shares_test \
		$(B)/regress/thread_test $(B)/regress/behind_test
unit_common :=	common/compat.c common/log.c common/util.c

$(B)/regress/wal_test: $(call obj,regress/unit/wal_test.c \
    daemon/worker/wal.c $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd)
$(B)/regress/vfs_fd_test: $(call obj,regress/unit/vfs_fd_test.c \
    daemon/worker/vfs_fd.c $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd)
$(B)/regress/gather_test: $(call obj,regress/unit/gather_test.c \
    daemon/worker/gather.c $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd)
$(B)/regress/hasher_test: $(call obj,regress/unit/hasher_test.c \
    daemon/worker/hasher.c common/thread_$(SYSTEM).c \
    $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libcrypto libbsd)
$(B)/regress/hash_pipe_test: $(call obj,regress/unit/hash_pipe_test.c \
    daemon/worker/hash_pipe.c $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libcrypto libbsd) -pthread
$(B)/regress/indexes_test: $(call obj,regress/unit/indexes_test.c \
    daemon/worker/indexes.c daemon/worker/indexes_plan.c \
    daemon/worker/index_key.c daemon/worker/untrusted.c \
    daemon/worker/vfs_fd.c $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd libxxhash) \
	    -pthread
$(B)/regress/shares_test: $(call obj,regress/unit/shares_test.c \
    daemon/worker/shares.c daemon/worker/untrusted.c \
    daemon/worker/vfs_fd.c $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd) -pthread
$(B)/regress/chan_test: $(call obj,regress/unit/chan_test.c common/chan.c \
    $(unit_common) $(proto_src))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)
$(B)/regress/thread_test: $(call obj,regress/unit/thread_test.c \
    common/thread_$(SYSTEM).c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -pthread
$(B)/regress/behind_test: $(call obj,regress/unit/behind_test.c \
    daemon/worker/behind.c $(unit_common))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd) -pthread
