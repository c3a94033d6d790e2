/*
 * The engine runs this, before anything is dropped.  Messages about a
 * configuration, and guesses at what a misspelled word was meant to be.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/conf_int.h"

#define MESSAGE_BYTES	2048
#define WORD_MAX	32		/* longer ones have no neighbours */

static void	(*message_cb)(const char *, void *);
static void	*message_arg;

void
conf_messages_to(void (*cb)(const char *, void *), void *arg)
{
	message_cb = cb;
	message_arg = arg;
}

static void
message(const char *file, int line, const char *kind, const char *fmt,
    va_list ap)
{
	char	raw[MESSAGE_BYTES], safe[MESSAGE_BYTES * 4 + 1];
	char	name[PATH_BYTES * 4 + 1], *text;

	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		return;
	cb_strvis(safe, sizeof(safe), raw);
	cb_strvis(name, sizeof(name), file);
	if (line > 0)
		text = xasprintf("%s:%d: %s%s", name, line, kind, safe);
	else
		text = xasprintf("%s: %s%s", name, kind, safe);
	if (message_cb != NULL)
		message_cb(text, message_arg);
	else
		fprintf(stderr, "%s\n", text);
	free(text);
}

void
conf_error(const char *file, int line, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	message(file, line, "", fmt, ap);
	va_end(ap);
}

void
conf_warning(const char *file, int line, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	message(file, line, "warning: ", fmt, ap);
	va_end(ap);
}

static int
least(int a, int b)
{
	return (a < b ? a : b);
}

/* How many letters to add, drop, change or swap to make b of a. */
static int
distance(const char *a, size_t an, const char *b, size_t bn)
{
	int	d[WORD_MAX + 1][WORD_MAX + 1];
	size_t	i, j;

	for (i = 0; i <= an; i++)
		d[i][0] = (int)i;
	for (j = 0; j <= bn; j++)
		d[0][j] = (int)j;
	for (i = 1; i <= an; i++) {
		for (j = 1; j <= bn; j++) {
			d[i][j] = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			d[i][j] = least(d[i][j], d[i - 1][j] + 1);
			d[i][j] = least(d[i][j], d[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return (d[an][bn]);
}

static int
word_byte(unsigned char c)
{
	return (isalnum(c) || c == '-' || c == '_');
}

int
conf_nearest(const char *word, const char *list, char *dst, size_t size)
{
	const char	*p, *best = NULL;
	size_t		 i, n, len = strlen(word), best_n = 0;
	int		 capital, d, near;

	/* A word of four letters may have one wrong, longer ones two. */
	near = len <= 2 ? 0 : len <= 4 ? 1 : 2;
	if (len > WORD_MAX || isdigit((unsigned char)word[0]))
		return (-1);
	for (p = list; *p != '\0'; p += n) {
		for (n = 0, capital = 0; word_byte((unsigned char)p[n]); n++)
			capital |= p[n] >= 'A' && p[n] <= 'Z' &&
			    (word[0] < 'A' || word[0] > 'Z');
		if (n == 0) {
			n = 1;
			continue;
		}
		if (capital || n > WORD_MAX || n >= size)
			continue;
		if ((d = distance(word, len, p, n)) > near)
			continue;
		for (i = 0; i < n; i++)
			dst[i] = p[i];
		near = d - 1;
		best = p;
		best_n = n;
	}
	if (best == NULL)
		return (-1);
	dst[best_n] = '\0';
	return (0);
}
