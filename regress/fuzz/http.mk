# The front's HTTP parser, from its sources: clang's fuzzer must see them.
FUZZERS +=	$(B)/fuzz/fuzz_http
fuzz_http_src :=	regress/fuzz/fuzz_http.c \
			$(sort $(wildcard daemon/front/http_*.c)) \
			common/compat.c common/log.c common/util.c

$(B)/fuzz/fuzz_http: $(fuzz_http_src) $(wildcard daemon/front/http*.h common/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,libbsd)
