/*
 * The errors of the API, as every program knows them (proto/errors.def).
 */
#ifndef PROTO_ERRORS_H
#define PROTO_ERRORS_H

#include <stdint.h>

enum err {
	E_NONE,
#define ERR(token, status, remediation)	E_##token,
#include "proto/errors.def"
#undef ERR
	E_COUNT
};

struct err_desc {
	const char	*token;		/* "DATABASE_LOCKED" */
	int		 status;	/* HTTP status */
	const char	*remediation;
};

/* The description of code; INTERNAL_ERROR's for a code that is none.
 * Static. */
const struct err_desc	*err_desc(uint32_t code);

#endif
