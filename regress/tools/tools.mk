# Databases, loads and locks for the tests.
tools_common :=	$(call obj,regress/tools/tool.c common/compat.c \
		    common/log.c common/util.c)
mkdb_obj :=	$(call obj,$(wildcard regress/tools/mkdb*.c))

TOOLS +=	$(B)/regress/bank $(B)/regress/mkdb $(B)/regress/openers \
		$(B)/regress/reader

$(B)/regress/bank: $(call obj,regress/tools/bank.c regress/tools/bank_run.c)
$(B)/regress/mkdb: $(mkdb_obj)
$(B)/regress/openers: $(call obj,regress/tools/openers.c)
$(B)/regress/reader: $(call obj,regress/tools/reader.c)

$(B)/regress/bank $(B)/regress/mkdb $(B)/regress/openers \
    $(B)/regress/reader: $(tools_common)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libbsd)
