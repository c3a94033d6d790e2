# Compressed and encrypted forms: the worker's streams, alone.
UNITS +=	$(B)/regress/age_test

$(B)/regress/age_test: $(call obj,regress/unit/age_test.c \
    regress/fuzz/fuzz_worker.c daemon/worker/age.c \
    daemon/worker/age_header.c daemon/worker/age_crypto.c \
    daemon/worker/stream.c daemon/worker/unpack_stream.c \
    daemon/worker/zstd_stream.c common/bech32.c \
    common/compat.c common/log.c common/util.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libcrypto libzstd libbsd)
