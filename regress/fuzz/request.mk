# The front's reader of JSON bodies, from its sources.
FUZZERS +=	$(B)/fuzz/fuzz_request
fuzz_request_src :=	regress/fuzz/fuzz_request.c daemon/front/request.c \
			daemon/front/body_check.c common/compat.c \
			common/log.c common/util.c

$(B)/fuzz/fuzz_request: $(fuzz_request_src) daemon/front/request.h \
    $(wildcard common/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,json-c libbsd)
