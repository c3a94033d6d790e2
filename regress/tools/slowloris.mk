# Many slow clients.
TOOLS +=	$(B)/regress/slowloris

$(B)/regress/slowloris: $(call obj,regress/tools/slowloris.c common/compat.c \
    common/log.c common/util.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)
