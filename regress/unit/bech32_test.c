/*
 * Bech32: texts that others wrote, and what must not pass for one.
 */
#include <string.h>

#include "common/bech32.h"
#include "common/compat.h"
#include "regress/unit/unit.h"

/* A key pair as age-keygen writes it. */
#define RECIPIENT	"age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp86" \
			"6cnql7dp2z"
#define IDENTITY	"AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCW" \
			"CM02D8GEWQ72PVQ2Y5J33"

static void
test_good(void)
{
	static const uint8_t	vector[20] = { 0x00, 0x44, 0x32, 0x14, 0xc7,
				    0x42, 0x54, 0xb6, 0x35, 0xcf, 0x84, 0x65,
				    0x3a, 0x56, 0xd7, 0xc6, 0x75, 0xbe, 0x77,
				    0xdf };
	uint8_t			key[BECH32_KEY_BYTES], zeros[10];
	uint8_t			data[20];

	ok(bech32_decode("A12UEL5L", "a", data, 0) == 0, "no data at all");
	ok(bech32_decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
	    "abcdef", data, 20) == 0 && memcmp(data, vector, 20) == 0,
	    "every word there is");
	memset(data, 1, sizeof(data));
	memset(zeros, 0, sizeof(zeros));
	ok(bech32_decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxq",
	    "abcdef", data, 20) == -1 && memcmp(data, zeros, 10) == 0,
	    "one word changed: refused, and nothing is left of it");
	ok(bech32_decode(RECIPIENT, "age", key, sizeof(key)) == 0 &&
	    key[0] == 0xfb, "an age recipient");
	ok(bech32_decode(IDENTITY, "age-secret-key-", key, sizeof(key)) == 0,
	    "an age identity");
}

static void
test_bad(void)
{
	static const char *const bad[] = {
		"", "1", "age1", "age1qqqqqq", "age", "age1...",
		/* another prefix, a longer one, mixed case */
		"agf1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp"
		    "2z",
		"ag1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2"
		    "z",
		"Age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp"
		    "2z",
		/* a word less, a word more, no word, a blank behind it */
		"age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp"
		    "2",
		RECIPIENT "q", RECIPIENT " ", " " RECIPIENT,
		"age1bvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp"
		    "2z",
		IDENTITY,
	};
	uint8_t	key[BECH32_KEY_BYTES];
	char	text[sizeof(RECIPIENT)], long_text[200];
	size_t	i, refused = 0, n = strlen(RECIPIENT);

	for (i = 0; i < nitems(bad); i++)
		ok(bech32_decode(bad[i], "age", key, sizeof(key)) == -1,
		    "no recipient: \"%s\"", bad[i]);
	for (i = 0; i < n; i++) {
		memcpy(text, RECIPIENT, sizeof(text));
		text[i] = text[i] == 'q' ? 'p' : 'q';
		refused += bech32_decode(text, "age", key, sizeof(key)) == -1;
	}
	ok(refused == n, "each of its letters counts");
	for (i = 0, refused = 0; i + 1 < n; i++) {
		memcpy(text, RECIPIENT, sizeof(text));
		text[i] = RECIPIENT[i + 1];
		text[i + 1] = RECIPIENT[i];
		refused += text[i] == text[i + 1] ||
		    bech32_decode(text, "age", key, sizeof(key)) == -1;
	}
	ok(refused == n - 1, "and their order");
	ok(bech32_decode(RECIPIENT, "age", key, sizeof(key) - 1) == -1 &&
	    bech32_decode("A12UEL5L", "a", key, 1) == -1,
	    "exactly as many bytes as were wanted");
	memset(long_text, 'q', sizeof(long_text));
	memcpy(long_text, "age1", 4);
	long_text[sizeof(long_text) - 1] = '\0';
	ok(bech32_decode(long_text, "age", key, sizeof(key)) == -1,
	    "a text that is too long");
}

int
main(void)
{
	test_good();
	test_bad();
	return (tap_end());
}
