UNITS +=	$(B)/regress/bech32_test

$(B)/regress/bech32_test: $(call obj,regress/unit/bech32_test.c \
    common/bech32.c common/compat.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)
