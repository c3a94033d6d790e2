/*
 * What a webhook is told, as JSON.  Knows nothing of the engine.
 */
#ifndef ENGINE_HOOK_BODY_H
#define ENGINE_HOOK_BODY_H

#include <stddef.h>

#include "proto/msg.h"

/*
 * Writes {"id":...,"event":...,"at":...,"host":...,"installation":...,
 * "database":...,"backup_id":...,"remote":...,"text":...} to dst and ends
 * it with a NUL; the length.  It fits into HOOK_BODY_BYTES, whatever the
 * texts are: a text for which there is no room is cut between characters.
 * What is not UTF-8 becomes U+FFFD; what does not apply is null.
 */
size_t	hook_body(char dst[HOOK_BODY_BYTES], const struct m_event *,
	    const char *host, const char *installation);

/* "https://hooks.example.org:8443", without the rest, which may be a
 * secret; dst has size bytes. */
void	hook_label(char *dst, size_t size, const char *url);

#endif
