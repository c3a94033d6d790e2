/*
 * The test server's list of faults.  Owns the rules and their counters,
 * which all connection threads share under one lock.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/remote/fault.h"

#define FILE_BYTES	(16 * 1024)
#define RULES_MAX	64
#define WORDS_MAX	16

struct rule {
	uint64_t	left;		/* requests that it still hits */
	uint64_t	every;		/* each Nth that fits; 1: all */
	uint64_t	fitted;
	char		prefix[FAULT_WORD_BYTES];
	struct fault	fault;
};

struct rules {
	struct rule	rule[RULES_MAX];
	int		n;
};

static const char	*fault_file;
static struct rules	 given;		/* by -F and -s */
static struct rules	 written;	/* in the file */
static char		 last_text[FILE_BYTES];
static struct stat	 last_st;
static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
	const char	*word;
	enum fault_kind	 kind;
} kinds[] = {
	{ "deep-json",		FAULT_DEEP_JSON },
	{ "empty",		FAULT_EMPTY },
	{ "garbage",		FAULT_GARBAGE },
	{ "hang",		FAULT_HANG },
	{ "hang-after-body",	FAULT_HANG_AFTER_BODY },
	{ "html",		FAULT_HTML },
	{ "huge-json",		FAULT_HUGE_JSON },
	{ "id-slash",		FAULT_ID_SLASH },
	{ "lost-answer",	FAULT_LOST_ANSWER },
	{ "redirect",		FAULT_REDIRECT },
	{ "reset",		FAULT_RESET },
	{ "shape",		FAULT_SHAPE },
	{ "short-length",	FAULT_SHORT_LENGTH },
	{ "slow",		FAULT_SLOW },
	{ "status",		FAULT_STATUS },
	{ "truncate",		FAULT_TRUNCATE }
};

static const struct shape default_shape = {
	.list = LIST_BACKUPS, .at = AT_TOP, .id = "backupId",
	.name = "backupName", .size = "size", .time = "createdAt"
};

void
fault_init(const char *file)
{
	fault_file = file;
}

static int
number(const char *text, uint64_t most, uint64_t *n)
{
	const char	*error;

	if (text == NULL)
		return (-1);
	*n = strtonum(text, 0, most, &error);
	return (error == NULL ? 0 : -1);
}

static int
shape_word(struct shape *s, const char *word)
{
	static const struct {
		const char	*word;
		size_t		 offset;
		const char	*value;
	} names[] = {
#define N(key, value)	{ #key "=" value, offsetof(struct shape, key), value }
		N(id, "backupId"), N(id, "_id"), N(id, "id"),
		N(name, "backupName"), N(name, "name"),
		N(size, "size"), N(size, "fileSize"),
		N(time, "createdAt"), N(time, "uploadedAt")
#undef N
	};
	static const char *const lists[] = {
		"list=backups", "list=data", "list=data.backups", "list=top"
	};
	static const char *const ats[] = { "at=top", "at=data", "at=backup" };
	size_t	i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(word, names[i].word) == 0) {
			*(const char **)((char *)s + names[i].offset) =
			    names[i].value;
			return (0);
		}
	for (i = 0; i < nitems(lists); i++)
		if (strcmp(word, lists[i]) == 0) {
			s->list = i;
			return (0);
		}
	for (i = 0; i < nitems(ats); i++)
		if (strcmp(word, ats[i]) == 0) {
			s->at = i;
			return (0);
		}
	if (strcmp(word, "ms") == 0) {
		s->ms = 1;
		return (0);
	}
	return (-1);
}

static const char *
shape_parse(struct shape *s, const char *text)
{
	char	copy[FAULT_WORD_BYTES], *p = copy, *word;

	*s = default_shape;
	if (text == NULL || util_copy(copy, text) == -1)
		return ("shape: words joined by commas are missing");
	while ((word = strsep(&p, ",")) != NULL)
		if (shape_word(s, word) == -1)
			return ("shape: no such word");
	return (NULL);
}

static const char *
status_parse(struct fault *f, char *const *word, int n)
{
	int	i;

	if (n < 1 || number(word[0], 599, &f->number) == -1 ||
	    f->number < 200)
		return ("status: a number from 200 to 599 is missing");
	for (i = 1; i < n; i++) {
		if (strcmp(word[i], "early") == 0)
			f->early = 1;
		else if (strcmp(word[i], "retry-after") == 0 && i + 1 < n &&
		    util_copy(f->retry_after, word[i + 1]) == 0)
			i++;
		else
			return ("status: only \"retry-after S\" and "
			    "\"early\" may follow the number");
	}
	return (NULL);
}

static const char *
kind_parse(struct fault *f, char *const *word, int n)
{
	size_t	i;

	if (n == 0)
		return ("a fault is missing");
	for (i = 0; i < nitems(kinds); i++)
		if (strcmp(kinds[i].word, word[0]) == 0)
			break;
	if (i == nitems(kinds))
		return ("no such fault");
	f->kind = kinds[i].kind;
	word++;
	n--;
	switch (f->kind) {
	case FAULT_STATUS:
		return (status_parse(f, word, n));
	case FAULT_SHAPE:
		return (shape_parse(&f->shape, n == 1 ? word[0] : NULL));
	case FAULT_REDIRECT:
		if (n != 1 || util_copy(f->text, word[0]) == -1)
			return ("redirect: a URL is missing");
		return (NULL);
	case FAULT_SLOW:
		if (n != 1 || number(word[0], INT64_MAX, &f->slow) == -1 ||
		    f->slow == 0)
			return ("slow: bytes per second are missing");
		return (NULL);
	case FAULT_ID_SLASH:
		if (n == 1 && number(word[0], 1000, &f->number) == 0)
			return (NULL);
		break;
	default:
		break;
	}
	return (n == 0 ? NULL : "words follow the fault");
}

/* [count N] [every N] [path PREFIX] FAULT, in any order. */
static const char *
rule_parse(struct rule *r, const char *line)
{
	char	copy[2 * FAULT_WORD_BYTES], *p = copy, *word[WORDS_MAX];
	int	n = 0, at = 0;

	memset(r, 0, sizeof(*r));
	r->left = UINT64_MAX;
	r->every = 1;
	if (util_copy(copy, line) == -1)
		return ("the line is too long");
	while (n < WORDS_MAX && (word[n] = strsep(&p, " \t\r")) != NULL)
		if (*word[n] != '\0')
			n++;
	for (; at + 1 < n; at += 2) {
		if (strcmp(word[at], "count") == 0) {
			if (number(word[at + 1], INT64_MAX, &r->left) == -1)
				return ("count: a number is missing");
		} else if (strcmp(word[at], "every") == 0) {
			if (number(word[at + 1], INT64_MAX, &r->every) == -1 ||
			    r->every == 0)
				return ("every: a number is missing");
		} else if (strcmp(word[at], "path") == 0) {
			if (util_copy(r->prefix, word[at + 1]) == -1)
				return ("path: the prefix is too long");
		} else
			break;
	}
	return (kind_parse(&r->fault, word + at, n - at));
}

static const char *
rules_add(struct rules *rs, const char *line)
{
	const char	*error;

	if (rs->n == RULES_MAX)
		return ("too many faults");
	error = rule_parse(&rs->rule[rs->n], line);
	if (error == NULL)
		rs->n++;
	return (error);
}

const char *
fault_add(const char *line)
{
	return (rules_add(&given, line));
}

/* A line that cannot be read hits everything: a test must not pass
 * because its fault was misspelt. */
static void
rules_replace(const char *text)
{
	char		 copy[FILE_BYTES], *p = copy, *line;
	const char	*error;
	struct rule	*r;

	written.n = 0;
	(void)util_copy(copy, text);
	while ((line = strsep(&p, "\n")) != NULL) {
		if (line[strspn(line, " \t\r")] == '\0' || *line == '#')
			continue;
		error = rules_add(&written, line);
		if (error == NULL)
			continue;
		log_warnx("fault: %s: %s", line, error);
		r = &written.rule[0];
		memset(r, 0, sizeof(*r));
		r->left = UINT64_MAX;
		r->every = 1;
		r->fault.kind = FAULT_STATUS;
		r->fault.number = 500;
		snprintf(r->fault.text, sizeof(r->fault.text),
		    "the fault file is wrong: %s", error);
		written.n = 1;
		return;
	}
}

/* Reads the file; a file that was written anew counts from the start. */
static void
rules_refresh(void)
{
	char		text[FILE_BYTES];
	struct stat	st;
	ssize_t		n = 0;
	int		fd;

	memset(&st, 0, sizeof(st));
	fd = open(fault_file, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, text, sizeof(text) - 1);
		if (n == -1 || fstat(fd, &st) == -1)
			fatal("%s", fault_file);
		close(fd);
	} else if (errno != ENOENT)
		fatal("%s", fault_file);
	text[n] = '\0';
	if (strcmp(text, last_text) == 0 && st.st_ino == last_st.st_ino &&
	    st.st_mtim.tv_sec == last_st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == last_st.st_mtim.tv_nsec)
		return;
	last_st = st;
	(void)util_copy(last_text, text);
	rules_replace(text);
}

static void
rules_find(struct rules *rs, const char *path, struct fault *out)
{
	struct rule	*r;
	struct fault	 had;
	int		 i;

	for (i = 0; i < rs->n; i++) {
		r = &rs->rule[i];
		if (r->left == 0 ||
		    strncmp(path, r->prefix, strlen(r->prefix)) != 0)
			continue;
		if (r->fault.kind < FAULT_SHAPE && out->kind != FAULT_NONE)
			continue;
		if (++r->fitted % r->every != 0)
			continue;
		if (r->left != UINT64_MAX)
			r->left--;
		if (r->fault.kind == FAULT_SHAPE)
			out->shape = r->fault.shape;
		else if (r->fault.kind == FAULT_SLOW)
			out->slow = r->fault.slow;
		else {
			had = *out;
			*out = r->fault;
			out->slow = had.slow;
			out->shape = had.shape;
		}
	}
}

void
fault_find(const char *path, struct fault *out)
{
	memset(out, 0, sizeof(*out));
	out->shape = default_shape;
	pthread_mutex_lock(&lock);
	rules_refresh();
	/* A shape in the file wins over -s, hence the order. */
	rules_find(&given, path, out);
	rules_find(&written, path, out);
	pthread_mutex_unlock(&lock);
}
