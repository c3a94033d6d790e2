# The worker's reader of logs and everybody's channel, from their sources.
FUZZERS +=	$(B)/fuzz/fuzz_wal $(B)/fuzz/fuzz_msg
fuzz_wal_src :=	regress/fuzz/fuzz_wal.c daemon/worker/wal.c common/compat.c
fuzz_msg_src :=	regress/fuzz/fuzz_msg.c common/chan.c common/compat.c \
		common/log.c common/util.c $(proto_src)

$(B)/fuzz/fuzz_wal: $(fuzz_wal_src) daemon/worker/wal.h
$(B)/fuzz/fuzz_msg: $(fuzz_msg_src) common/chan.h proto/msg.h proto/msg.def
$(B)/fuzz/fuzz_wal $(B)/fuzz/fuzz_msg:
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=c11 $(WARN) -O1 -g \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^) \
	    $(call pkg,libbsd)
