/*
 * What lies beside each object in a bucket: a backup's row as JSON, with a
 * MAC that only this installation's key makes (H21).  Pure: nothing is read
 * or written but the arguments.
 */
#ifndef ENGINE_MANIFEST_H
#define ENGINE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

#define MANIFEST_VERSION	1
#define KEY_BYTES		32	/* of the key, SHA-256's size */

/*
 * The manifest of m as text (size bytes are there), with the MAC in it;
 * m->mac and what comes from a listing are not looked at.  How many bytes,
 * or 0 when they do not fit.
 */
size_t	manifest_write(const struct m_manifest *m,
	    const uint8_t key[KEY_BYTES], char *text, size_t size);

/* The MAC of all that m says, in hexadecimal. */
void	manifest_mac(const struct m_manifest *m,
	    const uint8_t key[KEY_BYTES], char mac[HEX_BYTES]);

/*
 * May what m says be believed: is its MAC right, are its texts and numbers
 * such as we write them, does its key follow from them, and is the object
 * there in its full size?
 */
int	manifest_true(const struct m_manifest *m,
	    const uint8_t key[KEY_BYTES]);

/* "shop/20261122T213000Z-7.sqlite": the key of what m tells of, from its
 * database, time, id and form. */
void	manifest_object(const struct m_manifest *m,
	    char key[REMOTE_ID_BYTES]);

#endif
