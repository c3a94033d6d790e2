# The network's parser of answers, from its sources.
FUZZERS +=	$(B)/fuzz/fuzz_answer
fuzz_answer_src :=	regress/fuzz/fuzz_answer.c daemon/network/answer.c \
			daemon/network/json.c daemon/network/json_value.c \
			daemon/network/text.c \
			common/compat.c common/log.c common/util.c

$(B)/fuzz/fuzz_answer: $(fuzz_answer_src) $(wildcard daemon/network/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,json-c libbsd)
