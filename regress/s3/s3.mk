# One request to an S3 remote through the network process.
TOOLS +=	$(B)/regress/s3client
$(B)/regress/s3client: regress/s3/s3client.c $(call obj,common/chan.c \
    common/compat.c common/log.c common/util.c $(proto_src)) \
    | $(B)/cloudbackupd-network
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) \
	    $(ALL_LDFLAGS) $(call pkg,libcrypto libbsd)
