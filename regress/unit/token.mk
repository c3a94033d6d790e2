# Tokens, rights and the limit on failures, with the catalog they are in.
UNITS +=	$(B)/regress/token_test

$(B)/regress/token_test: $(call obj,regress/unit/token_test.c \
    $(wildcard daemon/engine/catalog*.c) $(wildcard daemon/engine/conf*.c) \
    daemon/engine/token.c daemon/engine/limits.c common/log.c common/util.c \
    common/bech32.c common/compat.c) $(B)/obj/daemon/engine/parse.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,sqlite3 libmd libbsd)
