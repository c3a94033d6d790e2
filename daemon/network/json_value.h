/*
 * Single values of a JSON text that json_check has seen.
 */
#ifndef NETWORK_JSON_VALUE_H
#define NETWORK_JSON_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/network/json.h"

struct json_object;

/* The string that v is, or NULL; the caller puts the object. */
struct json_object	*json_string(const struct slice *v);

/* The text of a decoded string, up to its first NUL; "" for none. */
const char	*json_string_text(struct json_object *);

/* A whole number from 0 to max, also when it comes as a string; or -1. */
int64_t	 json_number(const struct slice *v, int64_t max);

/* The whole of a string, without a NUL and valid UTF-8: 0, or -1 when it
 * is none or does not fit (dst is ""). */
int	 json_text(const struct slice *v, char *dst, size_t size);

#endif
