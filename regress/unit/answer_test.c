/*
 * The answers of the rest protocol: every shape of the contract, and what
 * must not pass for one.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/network/answer.h"
#include "daemon/network/json.h"
#include "daemon/network/text.h"
#include "regress/unit/unit.h"

static void
test_json(void)
{
	static const char *const good[] = { "0", "-1.5e+3", "\"\"", "[]",
	    " {\"a\" : [ 1 , {} ] }\r\n", "\"\\u00e4\\n\"", "true",
	    "\xef\xbb\xbf{}", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]" };
	static const char *const bad[] = { "", " ", "01", "-", "1.", "1e",
	    "[", "[1,]", "[1 2]", "{,}", "{\"a\"}", "{\"a\":}", "{a:1}",
	    "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "\"", "nul", "[]]", "{}x",
	    "'a'", "+1", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
	    "<html></html>" };
	struct slice	v;
	size_t		i;

	for (i = 0; i < nitems(good); i++)
		ok(json_check(good[i], strlen(good[i]), &v) == 0,
		    "json: good %zu", i);
	for (i = 0; i < nitems(bad); i++)
		ok(json_check(bad[i], strlen(bad[i]), &v) == -1,
		    "json: bad %zu", i);
	ok(json_check("\"\0\"", 3, &v) == -1, "json: a NUL");
}

static void
test_ids(void)
{
	static const struct {
		const char	*text, *id;	/* id NULL: none */
	} t[] = {
		{ "{\"backupId\":\"a\"}", "a" },
		{ "{\"_id\":\"a\"}", "a" },
		{ "{\"id\":42}", "42" },
		{ "{\"id\":\"z\",\"_id\":\"y\",\"backupId\":\"x\"}", "x" },
		{ "{\"data\":{\"backupId\":\"a\"}}", "a" },
		{ "{\"data\":{\"_id\":\"a\"},\"success\":true}", "a" },
		{ "{\"backup\":{\"id\":7}}", "7" },
		{ "{\"data\":[],\"backup\":{\"_id\":\"b\"}}", "b" },
		{ "{\"id\":\"\",\"data\":{\"id\":\"a\"}}", "a" },
		{ "{\"id\":null,\"_id\":\"a\"}", "a" },
		{ "{\"id\":\"a b/../c\"}", "a b/../c" },
		{ "{\"id\":\"\\u00e4\"}", "\xc3\xa4" },
		{ "{\"id\":18446744073709551615}", "18446744073709551615" },
		{ "{\"success\":false,\"id\":\"a\"}", NULL },
		{ "{\"id\":\"..\"}", NULL },
		{ "{\"id\":\"a\\u0000b\"}", NULL },
		{ "{\"id\":\"a\\nb\"}", NULL },
		{ "{\"id\":\"\\u0085\"}", NULL },
		{ "{\"id\":\"\xff\"}", NULL },
		{ "{\"id\":-1}", NULL },
		{ "{\"id\":1.5}", NULL },
		{ "{\"id\":{}}", NULL },
		{ "{\"x\":{\"id\":\"a\"}}", NULL },
		{ "[\"a\"]", NULL }, { "\"a\"", NULL }, { "{}", NULL },
		{ "", NULL }, { "<html>", NULL }
	};
	char		 id[REMOTE_ID_BYTES], text[400], longest[256];
	const char	*why;
	size_t		 i;

	for (i = 0; i < nitems(t); i++) {
		why = answer_id(t[i].text, strlen(t[i].text), id);
		ok(t[i].id == NULL ? why != NULL : why == NULL &&
		    strcmp(id, t[i].id) == 0, "id in %s", t[i].text);
	}
	memset(longest, 'x', 255);
	longest[255] = '\0';
	snprintf(text, sizeof(text), "{\"id\":\"%s\"}", longest);
	ok(answer_id(text, strlen(text), id) == NULL &&
	    strcmp(id, longest) == 0, "an id of 255 bytes");
	snprintf(text, sizeof(text), "{\"id\":\"%sx\"}", longest);
	ok(answer_id(text, strlen(text), id) != NULL, "not of 256");
}

static void
test_messages(void)
{
	static const struct {
		const char	*text, *message;
	} t[] = {
		{ "{\"message\":\"no\"}", "no" },
		{ "{\"error\":\"no\"}", "no" },
		{ "{\"error\":{\"message\":\"no\"}}", "no" },
		{ "{\"message\":\"\",\"error\":\"no\"}", "no" },
		{ "{\"message\":\"a\\nb\\u001b[0m\"}", "a b [0m" },
		{ "{\"message\":\"0123456789abcdef\"}", "0123456789abcde" },
		{ "{\"message\":\"0123456789abc\\u20ac\"}", "0123456789abc" },
		{ "{\"message\":\"a\xff\"}", "a?" },
		{ "{\"message\":1}", "" }, { "no", "" }
	};
	char	buf[16];
	size_t	i;

	for (i = 0; i < nitems(t); i++) {
		answer_message(t[i].text, strlen(t[i].text), buf, sizeof(buf));
		ok(strcmp(buf, t[i].message) == 0, "message %zu: %s", i, buf);
	}
}

static void
test_places(void)
{
	static const struct {
		const char	*text;
		int		 rows;		/* -1: no list */
		uint32_t	 skipped;
	} t[] = {
		{ "[{\"id\":1},{\"_id\":\"b\"}]", 2, 0 },
		{ "{\"backups\":[{\"id\":1}]}", 1, 0 },
		{ "{\"data\":[{\"id\":1}]}", 1, 0 },
		{ "{\"success\":true,\"data\":{\"backups\":[{\"id\":1}]}}", 1, 0 },
		{ "{\"backups\":[]}", 0, 0 }, { "[]", 0, 0 },
		{ "[1,null,{},[],{\"id\":\"\"},{\"id\":\"a\"},\"b\"]", 1, 6 },
		{ "{\"data\":{\"id\":1}}", -1, 0 }, { "{}", -1, 0 },
		{ "null", -1, 0 }, { "[{\"id\":1}", -1, 0 },
		{ "{\"success\":false,\"data\":[]}", -1, 0 }
	};
	struct answer_list	*l;
	struct answer_row	 row;
	const char		*why;
	size_t			 i;
	int			 n;

	for (i = 0; i < nitems(t); i++) {
		l = answer_list_open(t[i].text, strlen(t[i].text), &why);
		if (l == NULL) {
			ok(t[i].rows == -1 && why != NULL, "no list: %s",
			    t[i].text);
			continue;
		}
		for (n = 0; answer_list_next(l, &row); n++)
			;
		ok(n == t[i].rows && answer_list_skipped(l) == t[i].skipped,
		    "list: %s", t[i].text);
		answer_list_free(l);
	}
}

static void
test_rows(void)
{
	static const char	text[] = "["
	    "{\"_id\":\"a\",\"backupName\":\"n\\u00e4\",\"name\":\"x\","
	    "\"description\":\"d\",\"fileSize\":4096,"
	    "\"createdAt\":\"2026-11-22T21:30:00.5Z\","
	    "\"uploadedAt\":1795383000123},"
	    "{\"id\":\"b\",\"name\":\"m\",\"size\":\"17\",\"createdAt\":-5},"
	    "{\"id\":\"c\",\"size\":-1,\"createdAt\":\"soon\","
	    "\"uploadedAt\":1e300,\"name\":{}},"
	    "{\"id\":\"d\",\"size\":1e6}]";
	struct answer_list	*l;
	struct answer_row	 r;
	const char		*why;

	l = answer_list_open(text, sizeof(text) - 1, &why);
	ok(l != NULL && answer_list_next(l, &r) && strcmp(r.id, "a") == 0,
	    "a row");
	ok(strcmp(r.name, "n\xc3\xa4") == 0, "backupName before name");
	ok(strcmp(r.description, "d") == 0, "description");
	ok(r.size == 4096, "fileSize");
	ok(r.created_ms == 1795383000500, "a time as text");
	ok(r.uploaded_ms == 1795383000123, "a time as ms");
	ok(answer_list_next(l, &r) && strcmp(r.name, "m") == 0 &&
	    r.size == 17 && r.created_ms == 0 && r.description[0] == '\0',
	    "a size as text, a negative time, no description");
	ok(answer_list_next(l, &r) && r.size == -1 && r.created_ms == 0 &&
	    r.uploaded_ms == 0 && r.name[0] == '\0', "nothing but an id");
	ok(answer_list_next(l, &r) && r.size == 1000000, "1e6");
	ok(!answer_list_next(l, &r), "the end");
	answer_list_free(l);
}

static void
test_limits(void)
{
	struct answer_list	*l;
	const char		*why;
	char			*text;
	size_t			 n = 100001, i;

	text = malloc(n * 9 + 2);
	text[0] = '[';
	for (i = 0; i < n; i++)
		memcpy(text + 1 + i * 9, "{\"id\":1},", 9);
	text[n * 9] = ']';
	l = answer_list_open(text, n * 9 + 1, &why);
	ok(l == NULL, "100001 rows: %s", why == NULL ? "" : why);
	text[(n - 1) * 9] = ']';
	l = answer_list_open(text, (n - 1) * 9 + 1, &why);
	ok(l != NULL, "100000 rows");
	answer_list_free(l);
	free(text);
}

static void
test_text(void)
{
	ok(text_ends("a [m]", "[m]") && text_ends("[m]", "[m]"), "ends");
	ok(!text_ends("[m] ", "[m]") && !text_ends("m]", "[m]"), "does not");
	ok(!text_ends("a", ""), "nothing is no end");
}

int
main(void)
{
	test_json();
	test_ids();
	test_messages();
	test_places();
	test_rows();
	test_limits();
	test_text();
	return (tap_end());
}
