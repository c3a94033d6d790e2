# The front's reader of licences, alone.
UNITS +=	$(B)/regress/license_test

license_test_obj :=	$(call obj,daemon/front/license.c \
			    daemon/front/license_json.c \
			    daemon/front/license_verify.c \
			    daemon/front/request.c daemon/front/body_check.c \
			    common/util.c common/log.c common/compat.c)

$(B)/regress/license_test: regress/unit/license_test.c \
    regress/unit/license_make.h regress/unit/unit.h \
    daemon/front/license.h $(license_test_obj)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Iregress/unit $(ALL_CFLAGS) -o $@ \
	    $(filter %.c %.o,$^) $(ALL_LDFLAGS) \
	    $(call pkg,json-c libcrypto libbsd)
