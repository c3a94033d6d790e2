UNITS +=	$(B)/regress/manifest_test

$(B)/regress/manifest_test: $(call obj,regress/unit/manifest_test.c \
    daemon/engine/manifest.c daemon/network/s3_manifest.c \
    daemon/network/json_value.c daemon/network/json.c common/log.c \
    common/util.c common/clock.c common/compat.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,json-c libmd libbsd)
