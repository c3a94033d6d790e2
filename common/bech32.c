/*
 * Any process may use this: the engine checks recipients of its
 * configuration, a worker reads the identity it decrypts with.  Text goes
 * in, bytes come out; a secret stays on the stack and is wiped.
 */
#include <ctype.h>
#include <string.h>

#include "common/bech32.h"
#include "common/compat.h"

#define TEXT_MAX	90		/* bytes, the whole */
#define CHECK_WORDS	6		/* of the checksum, at the end */

static const char	words[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* One step of the checksum: a word of 5 bits more. */
static uint32_t
check_step(uint32_t sum, uint32_t word)
{
	static const uint32_t	generator[] = { 0x3b6a57b2, 0x26508e6d,
				    0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	uint32_t		top = sum >> 25, i;

	sum = (sum & 0x1ffffff) << 5 ^ word;
	for (i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return (sum);
}

static uint32_t
check_prefix(const char *hrp)
{
	const char	*p;
	uint32_t	 sum = 1;

	for (p = hrp; *p != '\0'; p++)
		sum = check_step(sum, (unsigned char)*p >> 5);
	sum = check_step(sum, 0);
	for (p = hrp; *p != '\0'; p++)
		sum = check_step(sum, (unsigned char)*p & 31);
	return (sum);
}

/* Copies text in lower case; its length, or 0 when it is not in one case
 * or too long. */
static size_t
lower_copy(char dst[TEXT_MAX + 1], const char *text)
{
	size_t	i, n = strnlen(text, TEXT_MAX + 1);
	int	lower = 0, upper = 0;

	if (n > TEXT_MAX)
		return (0);
	for (i = 0; i < n; i++) {
		lower |= text[i] >= 'a' && text[i] <= 'z';
		upper |= text[i] >= 'A' && text[i] <= 'Z';
		dst[i] = (char)tolower((unsigned char)text[i]);
	}
	dst[n] = '\0';
	return (lower && upper ? 0 : n);
}

/* The data's words at p, count of them, as n bytes; 0 or -1. */
static int
regroup(const char *p, size_t count, uint32_t sum, uint8_t *dst, size_t n)
{
	const char	*at;
	uint32_t	 word, bits = 0;
	size_t		 i, done = 0;
	int		 have = 0;

	for (i = 0; i < count; i++) {
		if ((at = strchr(words, p[i])) == NULL)
			return (-1);
		word = (uint32_t)(at - words);
		sum = check_step(sum, word);
		if (i >= count - CHECK_WORDS)
			continue;
		bits = (bits << 5 | word) & 0xfff;
		if ((have += 5) < 8)
			continue;
		have -= 8;
		if (done == n)
			return (-1);
		dst[done++] = (uint8_t)(bits >> have);
	}
	/* What is left over is padding: less than a word, all zeros. */
	if (sum != 1 || done != n || have >= 5 ||
	    (bits & ((1U << have) - 1)) != 0)
		return (-1);
	return (0);
}

int
bech32_decode(const char *text, const char *hrp, uint8_t *dst, size_t n)
{
	char	lower[TEXT_MAX + 1];
	size_t	length, prefix = strlen(hrp);
	int	result = -1;

	length = lower_copy(lower, text);
	/* No word is a "1": a later one is refused as no word. */
	if (length >= prefix + 1 + CHECK_WORDS &&
	    strncmp(lower, hrp, prefix) == 0 && lower[prefix] == '1')
		result = regroup(lower + prefix + 1, length - prefix - 1,
		    check_prefix(hrp), dst, n);
	explicit_bzero(lower, sizeof(lower));
	if (result == -1)
		explicit_bzero(dst, n);
	return (result);
}
