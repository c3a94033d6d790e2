/*
 * Tests of the front's reader of JSON bodies and of user ids.  (Refusals
 * as a client sees them are in front_malformed.h.)
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/front/request.h"
#include "unit.h"

static struct m_req_create	req;
static struct refusal		refusal;

static int
take(const char *body)
{
	memset(&req, 0, sizeof(req));
	memset(&refusal, 0, sizeof(refusal));
	return (request_create(body, strlen(body), &req, &refusal));
}

static void
test_check(void)
{
	static const struct {
		const char	*text;
		long		 members;	/* -1: refused */
	} cases[] = {
		{ "{}", 0 }, { " \t\r\n{ } ", 0 }, { "[]", 0 }, { "1", 0 },
		{ "-0", 0 }, { "-1.5e+10", 0 }, { "0.0E-0", 0 },
		{ "\"\"", 0 }, { "null", 0 }, { "{\"a\":1}", 1 },
		{ "{\"a\":{\"b\":[{\"c\":\"d\"}]},\"e\":\":\"}", 4 },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"", 0 },
		{ "[[[[[[[[]]]]]]]]", 0 }, { "[[[[[[[[[]]]]]]]]]", -1 },
		{ "", -1 }, { " ", -1 }, { "00", -1 }, { "1.", -1 },
		{ "- 1", -1 }, { "\"\\", -1 }, { "\"\\u", -1 }, { "{", -1 },
		{ "[1,]", -1 }, { "{\"a\":1,}", -1 }, { "[}", -1 },
		{ "{]", -1 }, { "tru", -1 }, { "truex", -1 }, { "1 1", -1 },
	};
	const char	*why, *p;
	char		*exact;
	size_t		 i, n;
	long		 got;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = cases[i].text;
		n = strlen(p);
		/* Memory that ends where the text does. */
		if ((exact = malloc(n > 0 ? n : 1)) == NULL)
			abort();
		memcpy(exact, p, n);
		got = body_check(exact, n, 8, &why);
		ok(got == cases[i].members && (got == -1) == (why != NULL),
		    "text %zu: %ld", i, cases[i].members);
		free(exact);
	}
}

static void
test_create(void)
{
	char	 body[2048];
	int	 i, n;

	ok(request_create(NULL, 0, &req, &refusal) == 0, "no body");
	ok(take("{}") == 0 && req.user.kind == USER_NONE, "an empty object");
	ok(take("{\"backupName\":\"a\",\"description\":\"b\\tc\",\"userId\":"
	    "\"7\",\"database\":\"shop\"}") == 0 && strcmp(req.name, "a") ==
	    0 && strcmp(req.description, "b\tc") == 0 && req.user.kind ==
	    USER_TEXT && strcmp(req.user.id, "7") == 0 &&
	    strcmp(req.database, "shop") == 0, "all keys");
	ok(take("{\"user_id\":-12}") == 0 && req.user.kind == USER_NUMBER &&
	    strcmp(req.user.id, "-12") == 0, "a negative number");
	ok(take("{\"user_id\":9007199254740993}") == 0 &&
	    strcmp(req.user.id, "9007199254740993") == 0,
	    "a number that no double holds");
	ok(take("{\"user_id\":null,\"backup_name\":null}") == 0 &&
	    req.user.kind == USER_NONE, "null is not there");
	ok(take("{\"user_id\":null,\"userId\":1}") == -1 &&
	    refusal.code == E_INVALID_JSON, "both spellings, one null");
	ok(take("{\"backup_name\":7}") == -1 && refusal.code ==
	    E_INVALID_PARAMETER && strstr(refusal.text, "backup_name") !=
	    NULL, "a wrong type names the key");
	ok(take("{\"userId\":[]}") == -1 && strstr(refusal.text, "userId") !=
	    NULL, "in the spelling that was used");
	ok(take("{\"x\":{\"y\":1},\"y\":1,\"z\":[{\"y\":1}]}") == 0,
	    "a key in several objects is not twice there");
	for (i = NAME_BYTES - 1; i <= NAME_BYTES; i++) {
		n = snprintf(body, sizeof(body), "{\"backup_name\":\"%0*d\"}",
		    i, 0);
		ok(n > i && take(body) == (i < NAME_BYTES ? 0 : -1),
		    "a name of %d bytes", i);
	}
}

static void
test_restore(void)
{
	static const struct {
		const char	*body;
		int		 result;
		uint32_t	 flags;
		const char	*database;
	} cases[] = {
		{ "", 0, 0, "" }, { "{}", 0, 0, "" },
		{ "{\"force\":true}", 0, RESTORE_FORCE, "" },
		{ "{\"force\":false,\"database\":\"d\"}", 0, 0, "d" },
		{ "{\"force\":null,\"backup_name\":7}", 0, 0, "" },
		{ "{\"force\":\"yes\"}", -1, 0, "" },
		{ "{\"force\":1}", -1, 0, "" },
		{ "{\"force\":[]}", -1, 0, "" },
	};
	struct m_req_restore	r;
	size_t			i;
	int			result;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&r, 0, sizeof(r));
		result = request_restore(cases[i].body,
		    strlen(cases[i].body), &r, &refusal);
		ok(result == cases[i].result && r.flags == cases[i].flags &&
		    strcmp(r.database, cases[i].database) == 0,
		    "restore %zu", i);
	}
	ok(strcmp(refusal.text, "\"force\" must be true or false.") == 0,
	    "what force must be");
}

static void
test_user(void)
{
	static const struct {
		const char	*text;
		uint32_t	 kind;	/* USER_NONE: refused */
	} cases[] = {
		{ "42", USER_NUMBER }, { "0", USER_NUMBER },
		{ "-1", USER_NUMBER }, { "042", USER_TEXT },
		{ "+1", USER_TEXT }, { " 1", USER_TEXT }, { "1a", USER_TEXT },
		{ "-0", USER_TEXT }, { "99999999999999999999", USER_TEXT },
		{ "till-3", USER_TEXT }, { "", USER_NONE },
		{ "a\nb", USER_NONE }, { "a\x7f", USER_NONE },
		{ "4\xe4", USER_NONE },
	};
	struct m_user	user;
	size_t		i;
	int		r;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = request_user(cases[i].text, &user);
		ok(cases[i].kind == USER_NONE ? r == -1 : r == 0 &&
		    user.kind == cases[i].kind &&
		    strcmp(user.id, cases[i].text) == 0, "user id %zu", i);
	}
}

int
main(void)
{
	test_check();
	test_create();
	test_restore();
	test_user();
	return (tap_end());
}
