# The catalog and the backup directory.
catalog_unit =	$(wildcard daemon/engine/catalog*.c) \
		common/log.c common/util.c common/compat.c
store_unit =	$(catalog_unit) $(wildcard daemon/engine/store*.c) proto/form.c \
		common/lease_$(SYSTEM).c

UNITS +=	$(B)/regress/catalog_test $(B)/regress/catalog_file_test \
		$(B)/regress/store_test $(B)/regress/catalog_expire_test

$(B)/regress/catalog_test $(B)/regress/catalog_file_test \
$(B)/regress/catalog_expire_test: \
    $(B)/regress/%: $(B)/obj/regress/unit/%.o \
    $(call obj,regress/unit/catalog_lib.c $(catalog_unit))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd)
$(B)/regress/store_test: $(call obj,regress/unit/store_test.c $(store_unit))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd)
