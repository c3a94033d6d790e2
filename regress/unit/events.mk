# What events are made of.
UNITS +=	$(B)/regress/events_test

$(B)/regress/events_test: $(call obj,regress/unit/events_test.c \
    regress/unit/catalog_lib.c daemon/engine/hook_body.c \
    daemon/engine/rate.c $(catalog_unit))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 json-c libbsd)
