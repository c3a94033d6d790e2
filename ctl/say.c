/*
 * What people read: errors with what to do about them, questions, sizes,
 * ages.  Text that came from elsewhere never reaches a terminal as it is.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

static const struct {
	long		status;
	enum ctl_exit	code;
} exits[] = {
	{ 401, CTL_REFUSED }, { 403, CTL_REFUSED }, { 429, CTL_REFUSED },
	{ 404, CTL_UNKNOWN },
	{ 409, CTL_AGAIN }, { 423, CTL_AGAIN }, { 503, CTL_AGAIN },
};

int
say_exit(long status)
{
	size_t	i;

	for (i = 0; i < nitems(exits); i++) {
		if (exits[i].status == status)
			return ((int)exits[i].code);
	}
	return (CTL_FAILED);
}

void
say_error(const char *fmt, ...)
{
	va_list	ap;

	fprintf(stderr, "cloudbackupctl: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
}

void
say_clean(char *dst, size_t size, const char *src)
{
	size_t	i, n = 0;

	for (i = 0; src[i] != '\0' && n + 1 < size; i++) {
		/* Control characters, and the C1 ones in UTF-8. */
		if ((unsigned char)src[i] < 0x20 || src[i] == 0x7f)
			dst[n++] = '?';
		else if ((unsigned char)src[i] == 0xc2 &&
		    (unsigned char)src[i + 1] >= 0x80 &&
		    (unsigned char)src[i + 1] < 0xa0) {
			dst[n++] = '?';
			i++;
		} else
			dst[n++] = src[i];
	}
	/* Not half a character. */
	while (n > 0 && src[i] != '\0' && ((unsigned char)dst[n - 1] & 0x80))
		n--;
	dst[n] = '\0';
}

int
say_failure(const char *what, const struct answer *a)
{
	char		text[1024], remedy[1024], code[64];

	if (a->status == 0) {
		say_error("%s: %s", what, a->error);
		if (strstr(a->error, CTL_SOCKET) != NULL)
			fprintf(stderr, "Does the daemon run, and may you "
			    "open its socket? -u http://localhost:39000 asks "
			    "it by TCP.\n");
		return (CTL_UNREACHABLE);
	}
	say_clean(text, sizeof(text), j_text(a->root, "message"));
	say_clean(remedy, sizeof(remedy), j_text(a->root, "remediation"));
	say_clean(code, sizeof(code), j_text(a->root, "errorCode"));
	if (text[0] == '\0')
		snprintf(text, sizeof(text), "the daemon answered with "
		    "status %ld", a->status);
	say_error("%s: %s%s%s%s", what, text, code[0] == '\0' ? "" : " (",
	    code, code[0] == '\0' ? "" : ")");
	if (remedy[0] != '\0')
		fprintf(stderr, "%s\n", remedy);
	return (say_exit(a->status));
}

int
say_json(const struct ctl *ctl, const struct answer *a)
{
	if (!ctl->json)
		return (0);
	printf("%s\n", json_object_to_json_string_ext(a->root,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	return (1);
}

int
say_ask(const struct ctl *ctl, const char *fmt, ...)
{
	char	raw[1024], text[1024], line[16];
	va_list	ap;

	if (ctl->yes)
		return (1);
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	say_clean(text, sizeof(text), raw);
	if (!isatty(STDIN_FILENO)) {
		say_error("%s: not without -y, as nobody can be asked", text);
		return (0);
	}
	fprintf(stderr, "%s? [y/N] ", text);
	if (fgets(line, sizeof(line), stdin) == NULL ||
	    (line[0] != 'y' && line[0] != 'Y')) {
		fprintf(stderr, "Nothing was done.\n");
		return (0);
	}
	return (1);
}

void
say_size(char dst[16], int64_t bytes)
{
	static const char	units[] = "BKMGTPE";
	double			v = (double)bytes;
	size_t			u = 0;

	if (bytes < 0) {
		strlcpy(dst, "-", 16);
		return;
	}
	while (v >= 1024 && u + 2 < sizeof(units)) {
		v /= 1024;
		u++;
	}
	if (u == 0)
		snprintf(dst, 16, "%dB", (int)v);
	else
		snprintf(dst, 16, v < 9.95 ? "%.1f%c" : "%.0f%c", v,
		    units[u]);
}

void
say_age(char dst[16], int64_t seconds)
{
	static const struct {
		int64_t	below, unit;
		char	letter;
	} steps[] = {
		{ 120, 1, 's' }, { 120 * 60, 60, 'm' }, { 48 * 3600, 3600,
		    'h' }, { INT64_MAX, 86400, 'd' }
	};
	size_t	i;

	if (seconds < 0)
		seconds = 0;
	for (i = 0; seconds >= steps[i].below; i++)
		;
	(void)snprintf(dst, 16, "%u%c", (unsigned int)(seconds /
	    steps[i].unit), steps[i].letter);
}

void
say_since(char dst[16], const char *time)
{
	int64_t	ms;

	if (util_time_parse(time, &ms) == -1)
		strlcpy(dst, "-", 16);
	else
		say_age(dst, (util_now_ms() - ms) / 1000);
}
