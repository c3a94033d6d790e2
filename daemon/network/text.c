/*
 * The network process runs this.  It owns nothing.
 */
#include <string.h>

#include "common/util.h"
#include "daemon/network/text.h"

/* The bytes of the character at s: how many, and whether to show it. */
static size_t
character(const char *src, size_t n, int *good)
{
	const unsigned char	*s = (const unsigned char *)src;
	size_t			 len;

	*good = 0;
	if (s[0] < 0x80) {
		*good = s[0] >= 0x20 && s[0] != 0x7f;
		return (1);
	}
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (len > n || !util_utf8_valid(src, len))
		return (1);
	/* U+0080 to U+009F are controls, too. */
	*good = !(s[0] == 0xc2 && s[1] < 0xa0);
	return (len);
}

void
text_clean(char *dst, size_t size, const char *src, size_t n)
{
	size_t	i, len, used = 0;
	int	good;

	for (i = 0; i < n; i += len) {
		len = character(src + i, n - i, &good);
		if (used + (good ? len : 1) >= size)
			break;
		if (good) {
			memcpy(dst + used, src + i, len);
			used += len;
		} else
			dst[used++] = len == 1 && (src[i] & 0x80) ? '?' : ' ';
	}
	dst[used] = '\0';
}

int
text_plain(const char *src, size_t n)
{
	size_t	i, len;
	int	good;

	for (i = 0; i < n; i += len) {
		len = character(src + i, n - i, &good);
		if (!good)
			return (0);
	}
	return (1);
}

int
text_ends(const char *text, const char *tail)
{
	size_t	n = strlen(text), m = strlen(tail);

	return (m > 0 && n >= m && memcmp(text + n - m, tail, m) == 0);
}
