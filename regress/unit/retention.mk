# Which backups stay.
UNITS +=	$(B)/regress/retention_test

$(B)/regress/retention_test: $(call obj,regress/unit/retention_test.c \
    regress/unit/retention_plain.c daemon/engine/retention.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)
