# What stands in place of front, network or a worker (hostile.t), or of the
# looker (hostile_looker.t).
TOOLS +=	$(B)/regress/hostile-front $(B)/regress/hostile-network \
		$(B)/regress/hostile-worker $(B)/regress/hostile-looker
hostile_common :=	$(call obj,regress/hostile/hostile.c common/compat.c \
			common/log.c common/util.c) $(call obj,$(proto_src))

$(B)/regress/hostile-%: $(B)/obj/regress/hostile/hostile_%.o $(hostile_common)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)

# Databases for a remote that means harm (hostile_remote.t).
TOOLS +=	$(B)/regress/mutate
$(B)/regress/mutate: $(call obj,regress/hostile/mutate.c common/compat.c \
    common/log.c common/util.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,libbsd)
