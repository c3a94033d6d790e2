# The front's reader of licences, from its sources.
FUZZERS +=	$(B)/fuzz/fuzz_license
fuzz_license_src :=	regress/fuzz/fuzz_license.c daemon/front/license.c \
			daemon/front/license_json.c \
			daemon/front/license_verify.c daemon/front/request.c \
			daemon/front/body_check.c common/compat.c \
			common/log.c common/util.c

$(B)/fuzz/fuzz_license: $(fuzz_license_src) daemon/front/license.h \
    daemon/front/request.h regress/unit/license_make.h $(wildcard common/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -Iregress/unit -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,json-c libcrypto libbsd)
