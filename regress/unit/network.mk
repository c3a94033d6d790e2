# The network process: its parser of answers alone, and the program itself.
UNITS +=	$(B)/regress/answer_test $(B)/regress/network_test
answer_src :=	daemon/network/answer.c daemon/network/json.c \
		daemon/network/json_value.c daemon/network/text.c
answer_common := common/compat.c common/log.c common/util.c

$(B)/regress/answer_test: regress/unit/answer_test.c regress/unit/unit.h \
    $(call obj,$(answer_src) $(answer_common))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) \
	    $(ALL_LDFLAGS) $(call pkg,json-c libbsd)

# Drives the program, against the little remote server.
$(B)/regress/network_test: regress/unit/network_test.c \
    regress/unit/network_driver.c regress/unit/network_driver.h \
    regress/unit/unit.h $(call obj,common/chan.c $(answer_common) $(proto_src)) \
    | $(B)/cloudbackupd-network $(B)/regress/remote
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) \
	    $(ALL_LDFLAGS) $(call pkg,libbsd)

# S3: signatures and XML alone.
UNITS +=	$(B)/regress/s3_sign_test $(B)/regress/s3_xml_test
$(B)/regress/s3_sign_test: regress/unit/s3_sign_test.c regress/unit/unit.h \
    $(call obj,daemon/network/s3_sign.c $(answer_common))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) \
	    $(ALL_LDFLAGS) $(call pkg,libcrypto libbsd)
$(B)/regress/s3_xml_test: regress/unit/s3_xml_test.c regress/unit/unit.h \
    $(call obj,daemon/network/s3_xml.c daemon/network/xml.c $(answer_common))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) \
	    $(ALL_LDFLAGS) $(call pkg,libbsd)
