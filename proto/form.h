/*
 * The forms in which a backup is kept, as text ("sqlite.zst", the extension
 * of its file) and as bits (FORM_* of proto/msg.h).
 */
#ifndef PROTO_FORM_H
#define PROTO_FORM_H

#include <stdint.h>

#include "proto/msg.h"

#define FORM_PLAIN	"sqlite"

/* The bits of a text; FORM_UNKNOWN when it is none. */
uint32_t	 form_parse(const char *text);

/* The text of bits (static); that of FORM_UNKNOWN is "". */
const char	*form_name(uint32_t form);

/* The media type of such bytes (static). */
const char	*form_media_type(uint32_t form);

#endif
