# The front: the program under a peer that plays engine and network, and
# its reader of JSON bodies alone.
UNITS +=	$(B)/regress/front_test $(B)/regress/front_server_test \
		$(B)/regress/front_restore_test $(B)/regress/request_test

$(B)/regress/front_test $(B)/regress/front_server_test \
    $(B)/regress/front_restore_test: \
    $(B)/regress/%: regress/unit/%.c regress/unit/front_peer.c \
    regress/unit/front_peer.h regress/unit/front_ask.h \
    regress/unit/front_malformed.h regress/unit/license_make.h \
    regress/unit/unit.h $(common_obj) | \
    $(B)/cloudbackupd-front
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Iregress/unit $(ALL_CFLAGS) -o $@ \
	    $(filter %.c %.o,$^) $(ALL_LDFLAGS) \
	    $(call pkg,libevent_core json-c libcrypto libbsd)

request_test_obj :=	$(call obj,daemon/front/request.c \
			    daemon/front/body_check.c common/util.c \
			    common/log.c common/compat.c)

$(B)/regress/request_test: regress/unit/request_test.c regress/unit/unit.h \
    daemon/front/request.h $(request_test_obj)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Iregress/unit $(ALL_CFLAGS) -o $@ \
	    $(filter %.c %.o,$^) $(ALL_LDFLAGS) $(call pkg,json-c libbsd)
