# The configuration: its test, and a program that prints what it read.
CONF_OBJ =	$(call obj,$(wildcard daemon/engine/conf*.c) common/log.c \
		    common/bech32.c common/util.c common/compat.c) \
		$(B)/obj/daemon/engine/parse.o

UNITS +=	$(B)/regress/conf_test
TOOLS +=	$(B)/regress/conf_dump

$(B)/regress/conf_test: $(B)/obj/regress/unit/conf_test.o $(CONF_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)

$(B)/regress/conf_dump: $(B)/obj/regress/unit/conf_dump.o $(CONF_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)
