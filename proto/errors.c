/*
 * Every program may run this.  It owns a constant table.
 */
#include "proto/errors.h"

static const struct err_desc	errs[E_COUNT] = {
	[E_NONE] = { "NONE", 200, "" },
#define ERR(token, status, remediation)	\
	[E_##token] = { #token, status, remediation },
#include "proto/errors.def"
#undef ERR
};

const struct err_desc *
err_desc(uint32_t code)
{
	return (code > E_NONE && code < E_COUNT ? &errs[code] :
	    &errs[E_INTERNAL_ERROR]);
}
