/*
 * Every program runs this.  It owns nothing.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"

void *
xcalloc(size_t n, size_t size)
{
	void	*p;

	if ((p = calloc(n, size)) == NULL)
		fatal("calloc of %zu times %zu bytes", n, size);
	return (p);
}

void *
xmalloc(size_t size)
{
	void	*p;

	if ((p = malloc(size)) == NULL)
		fatal("malloc of %zu bytes", size);
	return (p);
}

void *
xreallocarray(void *old, size_t n, size_t size)
{
	void	*p;

	if ((p = reallocarray(old, n, size)) == NULL)
		fatal("realloc to %zu times %zu bytes", n, size);
	return (p);
}

char *
xstrdup(const char *s)
{
	char	*p;

	if ((p = strdup(s)) == NULL)
		fatal("strdup");
	return (p);
}

char *
xasprintf(const char *fmt, ...)
{
	char	*p;
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n == -1)
		fatal("asprintf");
	return (p);
}

uint64_t
util_monotonic_us(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return ((uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
}

int64_t
util_now_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		fatal("clock_gettime");
#ifdef TEST_CLOCK
	return (clock_test_ms((int64_t)ts.tv_sec * 1000 +
	    ts.tv_nsec / 1000000));
#else
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
#endif
}

static int
time_split(int64_t ms, struct tm *tm, int *rest)
{
	time_t	t;

	*rest = (int)(ms % 1000);
	t = (time_t)(ms / 1000);
	if (*rest < 0) {
		*rest += 1000;
		t--;
	}
	return (gmtime_r(&t, tm) == NULL ? -1 : 0);
}

void
util_time_text(char *dst, int64_t ms)
{
	struct tm	tm;
	char		buf[96];	/* a year may have many digits */
	int		rest;

	dst[0] = '\0';
	if (ms == 0 || time_split(ms, &tm, &rest) == -1)
		return;
	snprintf(buf, sizeof(buf), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, rest);
	strlcpy(dst, buf, TIME_TEXT_BYTES);
}

void
util_time_compact(char *dst, int64_t ms)
{
	struct tm	tm;
	char		buf[96];
	int		rest;

	dst[0] = '\0';
	if (time_split(ms, &tm, &rest) == -1)
		return;
	snprintf(buf, sizeof(buf), "%04d%02d%02dT%02d%02d%02dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
	strlcpy(dst, buf, TIME_TEXT_BYTES);
}

/* Reads exactly n digits; -1 when there are others. */
static int
digits(const char **p, int n)
{
	int	v = 0;

	while (n-- > 0) {
		if (**p < '0' || **p > '9')
			return (-1);
		v = v * 10 + (*(*p)++ - '0');
	}
	return (v);
}

/* The part of an RFC 3339 time behind the seconds; -1 on garbage. */
static int
time_tail(const char *p, int *ms, int *offset_s)
{
	int	h, m, sign, scale = 100;

	*ms = *offset_s = 0;
	if (*p == '.') {
		if (*++p < '0' || *p > '9')
			return (-1);
		for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
			*ms += (*p - '0') * scale;
	}
	if ((*p == 'Z' || *p == 'z') && p[1] == '\0')
		return (0);
	if (*p != '+' && *p != '-')
		return (-1);
	sign = *p++ == '-' ? -1 : 1;
	if ((h = digits(&p, 2)) == -1 || *p++ != ':' ||
	    (m = digits(&p, 2)) == -1 || *p != '\0' || h > 23 || m > 59)
		return (-1);
	*offset_s = sign * (h * 3600 + m * 60);
	return (0);
}

int
util_time_parse(const char *p, int64_t *ms)
{
	struct tm	tm;
	int		fraction, offset;

	memset(&tm, 0, sizeof(tm));
	if ((tm.tm_year = digits(&p, 4)) == -1 || *p++ != '-' ||
	    (tm.tm_mon = digits(&p, 2)) == -1 || *p++ != '-' ||
	    (tm.tm_mday = digits(&p, 2)) == -1 ||
	    (*p != 'T' && *p != 't' && *p != ' '))
		return (-1);
	p++;
	if ((tm.tm_hour = digits(&p, 2)) == -1 || *p++ != ':' ||
	    (tm.tm_min = digits(&p, 2)) == -1 || *p++ != ':' ||
	    (tm.tm_sec = digits(&p, 2)) == -1 ||
	    time_tail(p, &fraction, &offset) == -1)
		return (-1);
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return (-1);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*ms = ((int64_t)timegm(&tm) - offset) * 1000 + fraction;
	return (0);
}

void
util_hex(char *dst, const uint8_t *src, size_t n)
{
	static const char	hex[] = "0123456789abcdef";
	size_t			i;

	for (i = 0; i < n; i++) {
		dst[2 * i] = hex[src[i] >> 4];
		dst[2 * i + 1] = hex[src[i] & 15];
	}
	dst[2 * n] = '\0';
}

/* The length of the UTF-8 sequence at s, or 0 when it is not one. */
static size_t
utf8_sequence(const unsigned char *s, size_t n)
{
	static const uint32_t	least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t		c;
	size_t			len, i;

	if (s[0] < 0x80)
		return (1);
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
	if (len == 0 || len > n || s[0] > 0xf4)
		return (0);
	c = s[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return (0);
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return (0);
	return (len);
}

int
util_utf8_valid(const char *text, size_t n)
{
	const unsigned char	*s = (const unsigned char *)text;
	size_t			 i, len;

	for (i = 0; i < n; i += len) {
		if ((len = utf8_sequence(s + i, n - i)) == 0)
			return (0);
	}
	return (1);
}

void
util_size_text(char dst[16], uint64_t bytes)
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB" };
	double			 v = (double)bytes;
	size_t			 i = 0;

	while (v >= 1000 && i < nitems(unit) - 1) {
		v /= 1000;
		i++;
	}
	snprintf(dst, 16, i == 0 ? "%.0f %s" : "%.1f %s", v, unit[i]);
}
