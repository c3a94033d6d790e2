# The network's readers of what is in buckets, from their sources.
FUZZERS +=	$(B)/fuzz/fuzz_s3
fuzz_s3_src :=	regress/fuzz/fuzz_s3.c daemon/network/s3_manifest.c \
		daemon/network/s3_xml.c daemon/network/xml.c \
		daemon/network/json.c daemon/network/json_value.c \
		common/compat.c common/log.c common/util.c

$(B)/fuzz/fuzz_s3: $(fuzz_s3_src) $(wildcard daemon/network/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,json-c libbsd)
