# The remote's protocol, served for tests.
TOOLS +=	$(B)/regress/remote
remote_obj :=	$(call obj,$(wildcard regress/remote/*.c) common/compat.c \
		    common/log.c common/util.c)

$(B)/regress/remote: $(remote_obj)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,json-c libcrypto libbsd)
