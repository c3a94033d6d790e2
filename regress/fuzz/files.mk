# What reads files that strangers wrote: the worker's look at a header and
# at a journal's tail, its check of an image, the engine's catalog.
FUZZERS +=	$(B)/fuzz/fuzz_look $(B)/fuzz/fuzz_verify \
		$(B)/fuzz/fuzz_catalog
fuzz_common :=	$(filter-out %/chan_event.c,$(common_src)) $(proto_src)
fuzz_worker :=	daemon/worker/look.c daemon/worker/wal.c \
		daemon/worker/vfs_fd.c daemon/worker/hasher.c \
		daemon/worker/count.c daemon/worker/untrusted.c \
		daemon/worker/indexes.c daemon/worker/indexes_plan.c \
		daemon/worker/index_key.c daemon/worker/shares.c

$(B)/fuzz/fuzz_look: regress/fuzz/fuzz_look.c daemon/worker/journal.c \
    daemon/worker/inspect.c
$(B)/fuzz/fuzz_verify: regress/fuzz/fuzz_verify.c daemon/worker/verify.c
$(B)/fuzz/fuzz_look $(B)/fuzz/fuzz_verify: $(fuzz_worker) $(fuzz_common) \
    regress/fuzz/fuzz_worker.c $(wildcard daemon/worker/*.h common/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ regress/fuzz/$(@F).c \
	    regress/fuzz/fuzz_worker.c $(fuzz_worker) $(fuzz_common) \
	    $(call pkg,sqlite3 libcrypto libbsd libxxhash) -pthread

fuzz_catalog_src :=	regress/fuzz/fuzz_catalog.c \
			$(sort $(wildcard daemon/engine/catalog*.c)) \
			common/compat.c common/log.c common/util.c
$(B)/fuzz/fuzz_catalog: $(fuzz_catalog_src) $(wildcard daemon/engine/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,sqlite3 libbsd)
