# The arithmetic of schedules.
UNITS +=	$(B)/regress/schedule_test

$(B)/regress/schedule_test: $(call obj,regress/unit/schedule_test.c \
    daemon/engine/schedule_time.c common/compat.c common/log.c common/util.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)
