FUZZERS +=	$(B)/fuzz/fuzz_conf

$(B)/fuzz/fuzz_conf: regress/fuzz/fuzz_conf.c \
    $(wildcard daemon/engine/conf*.c) \
    $(B)/obj/daemon/engine/parse.c common/log.c common/util.c common/compat.c \
    common/bech32.c
	@mkdir -p $(@D)
	clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined $(CPPFLAGS) -Idaemon/engine \
	    -o $@ $^ $(call pkg,libbsd)
