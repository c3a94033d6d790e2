# The front's HTTP parser, alone.
UNITS +=	$(B)/regress/http_test $(B)/regress/http_value_test
http_test_obj :=	$(call obj,$(sort $(wildcard daemon/front/http_*.c)) \
			    common/compat.c common/log.c common/util.c)

$(B)/regress/http_test $(B)/regress/http_value_test: \
    $(B)/regress/%: regress/unit/%.c regress/unit/unit.h daemon/front/http.h \
    $(http_test_obj)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Iregress/unit $(ALL_CFLAGS) -o $@ \
	    $(filter %.c %.o,$^) $(ALL_LDFLAGS) $(call pkg,libbsd)
