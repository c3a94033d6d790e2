/*
 * Bech32 (BIP 173), in which age writes its keys: "age1..." and
 * "AGE-SECRET-KEY-1...".  Pure: it allocates and keeps nothing.
 */
#ifndef COMMON_BECH32_H
#define COMMON_BECH32_H

#include <stddef.h>
#include <stdint.h>

#define BECH32_KEY_BYTES	32	/* of an age key, either kind */

/*
 * Decodes text, whose prefix (what is before the last "1") must be hrp; hrp
 * is in lower case, text may be in lower or in upper case but not in both.
 * The data must have exactly n bytes.  0, or -1 when text is none: then dst
 * is wiped.  The caller wipes a secret's dst.
 */
int	bech32_decode(const char *text, const char *hrp, uint8_t *dst,
	    size_t n);

#endif
