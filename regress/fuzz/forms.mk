# What opens encrypted and compressed backups, from its sources.
FUZZERS +=	$(B)/fuzz/fuzz_age $(B)/fuzz/fuzz_unpack
fuzz_forms_src :=	regress/fuzz/fuzz_worker.c daemon/worker/age.c \
			daemon/worker/age_header.c daemon/worker/age_crypto.c \
			daemon/worker/stream.c daemon/worker/unpack_stream.c \
			daemon/worker/zstd_stream.c common/bech32.c \
			common/compat.c common/log.c common/util.c

$(B)/fuzz/fuzz_age $(B)/fuzz/fuzz_unpack: $(B)/fuzz/%: regress/fuzz/%.c \
    $(fuzz_forms_src) $(wildcard daemon/worker/*.h common/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,libcrypto libzstd libbsd)
