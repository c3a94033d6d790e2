/*
 * The front runs this.  It owns nothing: a JSON body goes in, the fields of
 * a message come out, or a sentence that says what is wrong with it.
 */
#include <json-c/json.h>
#include <json-c/printbuf.h>

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/front/request.h"

#define IN(type, m)	offsetof(struct type, m), sizeof(((struct type *)0)->m)

static const struct param	create_params[] = {
	{ "backup_name", "backupName", PARAM_LINE, IN(m_req_create, name), 0 },
	{ "description", NULL, PARAM_TEXT, IN(m_req_create, description), 0 },
	{ "user_id", "userId", PARAM_USER, IN(m_req_create, user), 0 },
	{ "database", NULL, PARAM_LINE, IN(m_req_create, database), 0 },
};

static const struct param	restore_params[] = {
	{ "user_id", "userId", PARAM_USER, IN(m_req_restore, user), 0 },
	{ "force", NULL, PARAM_FLAG, IN(m_req_restore, flags),
	    RESTORE_FORCE },
	{ "database", NULL, PARAM_LINE, IN(m_req_restore, database), 0 },
	{ "identity", NULL, PARAM_SECRET, IN(m_req_restore, identity), 0 },
	{ "identity_file", "identityFile", PARAM_LINE,
	    IN(m_req_restore, identity_file), 0 },
};

static const struct param	change_params[] = {
	{ "force", NULL, PARAM_FLAG, IN(m_req_change, flags), CHANGE_FORCE },
};

static const struct param	expire_params[] = {
	{ "dry_run", "dryRun", PARAM_FLAG, IN(m_req_expire, flags),
	    EXPIRE_DRY },
	{ "database", NULL, PARAM_LINE, IN(m_req_expire, database), 0 },
};

static const struct param	undo_params[] = {
	{ "force", NULL, PARAM_FLAG, IN(m_req_undo, flags), RESTORE_FORCE },
	{ "database", NULL, PARAM_LINE, IN(m_req_undo, database), 0 },
};

static const struct param	acknowledge_params[] = {
	{ "database", NULL, PARAM_LINE, IN(m_req_acknowledge, database), 0 },
	{ "kind", NULL, PARAM_LINE, IN(m_req_acknowledge, kind), 0 },
};

static int	refuse(struct refusal *, enum err, const char *, ...)
		    __attribute__((__format__ (printf, 3, 4)));

static int
refuse(struct refusal *r, enum err code, const char *fmt, ...)
{
	va_list	ap;

	r->code = code;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	return (-1);
}

static long
count_members(struct json_object *o)
{
	struct json_object_iterator	it, end;
	size_t				i;
	long				n = 0;

	if (json_object_is_type(o, json_type_array)) {
		for (i = 0; i < json_object_array_length(o); i++)
			n += count_members(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		it = json_object_iter_begin(o);
		end = json_object_iter_end(o);
		for (; !json_object_iter_equal(&it, &end);
		    json_object_iter_next(&it))
			n += 1 +
			    count_members(json_object_iter_peek_value(&it));
	}
	return (n);
}

struct json_object *
body_object(const char *text, size_t n, const char **why)
{
	struct json_tokener	*tok;
	struct json_object	*o = NULL;
	long			 members;

	if ((members = body_check(text, n, BODY_DEPTH, why)) == -1)
		return (NULL);
	/* json-c counts the values in the innermost brackets as one more. */
	if ((tok = json_tokener_new_ex(BODY_DEPTH + 1)) != NULL) {
		json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
		o = json_tokener_parse_ex(tok, text, (int)n);
		/* A number at the very end waits for what may follow. */
		if (o == NULL && json_tokener_get_error(tok) ==
		    json_tokener_continue)
			o = json_tokener_parse_ex(tok, "", 1);
		/* A restore's identity passed through it. */
		explicit_bzero(tok->pb->buf, (size_t)tok->pb->size);
		json_tokener_free(tok);
	}
	if (o == NULL || !json_object_is_type(o, json_type_object))
		*why = "it is another kind of value";
	else if (count_members(o) != members)
		*why = "a key is there twice";
	else
		return (o);
	json_object_put(o);
	return (NULL);
}

static int
text_printable(const char *text, int lines)
{
	const unsigned char	*p;

	for (p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == 0x7f)
			return (0);
		if (*p < 0x20 && !(lines &&
		    (*p == '\n' || *p == '\r' || *p == '\t')))
			return (0);
	}
	return (1);
}

static int
param_text(const struct param *p, const char *key, struct json_object *v,
    char *dst, size_t size, struct refusal *r)
{
	const char	*text = json_object_get_string(v);

	if (strlcpy(dst, text, size) >= size)
		return (refuse(r, E_INVALID_PARAMETER,
		    "\"%s\" is longer than %zu bytes.", key, size - 1));
	if (!text_printable(text, p->kind == PARAM_TEXT ||
	    p->kind == PARAM_SECRET))
		return (refuse(r, E_INVALID_PARAMETER,
		    "\"%s\" has a control character in it.", key));
	return (0);
}

static int
param_user(const struct param *p, const char *key, struct json_object *v,
    struct m_user *user, struct refusal *r)
{
	int64_t	i;

	if (json_object_is_type(v, json_type_int)) {
		/* json-c gives the nearest for what does not fit. */
		i = json_object_get_int64(v);
		if (i == INT64_MAX || i == INT64_MIN)
			return (refuse(r, E_INVALID_PARAMETER,
			    "\"%s\" is too large a number; send it as a "
			    "string.", key));
		user->kind = USER_NUMBER;
		snprintf(user->id, sizeof(user->id), "%lld", (long long)i);
		return (0);
	}
	user->kind = USER_TEXT;
	if (param_text(p, key, v, user->id, sizeof(user->id), r) == -1)
		return (-1);
	if (user->id[0] == '\0')
		return (refuse(r, E_INVALID_PARAMETER, "\"%s\" is empty.",
		    key));
	return (0);
}

static int
param_flag(const struct param *p, const char *key, struct json_object *v,
    uint32_t *flags, struct refusal *r)
{
	if (!json_object_is_type(v, json_type_boolean))
		return (refuse(r, E_INVALID_PARAMETER,
		    "\"%s\" must be true or false.", key));
	if (json_object_get_boolean(v))
		*flags |= p->bit;
	return (0);
}

static int
param_take(const struct param *p, struct json_object *o, void *dst,
    struct refusal *r)
{
	struct json_object	*v = NULL, *other = NULL;
	const char		*key = p->snake;
	char			*field = (char *)dst + p->offset;
	int			 number;

	if (!json_object_object_get_ex(o, p->snake, &v) && p->camel != NULL) {
		if (json_object_object_get_ex(o, p->camel, &v))
			key = p->camel;
	} else if (p->camel != NULL &&
	    json_object_object_get_ex(o, p->camel, &other))
		return (refuse(r, E_INVALID_JSON,
		    "\"%s\" and \"%s\" are the same key.", p->snake, p->camel));
	if (v == NULL)			/* not there, or null */
		return (0);
	if (p->kind == PARAM_FLAG)
		return (param_flag(p, key, v, (uint32_t *)field, r));
	number = p->kind == PARAM_USER && json_object_is_type(v, json_type_int);
	if (!number && !json_object_is_type(v, json_type_string))
		return (refuse(r, E_INVALID_PARAMETER, "\"%s\" must be a "
		    "string%s.", key, p->kind == PARAM_USER ?
		    " or an integer" : ""));
	if (p->kind == PARAM_USER)
		return (param_user(p, key, v, (struct m_user *)field, r));
	if (p->kind != PARAM_SECRET)
		return (param_text(p, key, v, field, p->size, r));
	number = param_text(p, key, v, field, p->size, r);
	/* json-c's own copy must not outlive this. */
	explicit_bzero((char *)(uintptr_t)json_object_get_string(v),
	    (size_t)json_object_get_string_len(v));
	return (number);
}

int
params_take(const struct param *p, size_t n, struct json_object *o, void *dst,
    struct refusal *r)
{
	for (; n > 0; p++, n--) {
		if (param_take(p, o, dst, r) == -1)
			return (-1);
	}
	return (0);
}

/* No text at all is an empty object. */
static int
body_take(const char *text, size_t n, const struct param *p, size_t nparams,
    void *dst, struct refusal *r)
{
	struct json_object	*o;
	const char		*why;
	int			 result;

	if (n == 0)
		return (0);
	if (n > INT_MAX)
		return (refuse(r, E_PAYLOAD_TOO_LARGE,
		    "The body is too large."));
	if ((o = body_object(text, n, &why)) == NULL)
		return (refuse(r, E_INVALID_JSON,
		    "The body is not one JSON object: %s.", why));
	result = params_take(p, nparams, o, dst, r);
	json_object_put(o);
	return (result);
}

int
request_create(const char *text, size_t n, struct m_req_create *req,
    struct refusal *r)
{
	return (body_take(text, n, create_params, nitems(create_params), req,
	    r));
}

int
request_restore(const char *text, size_t n, struct m_req_restore *req,
    struct refusal *r)
{
	return (body_take(text, n, restore_params, nitems(restore_params),
	    req, r));
}

int
request_change(const char *text, size_t n, struct m_req_change *req,
    struct refusal *r)
{
	return (body_take(text, n, change_params, nitems(change_params), req,
	    r));
}

int
request_expire(const char *text, size_t n, struct m_req_expire *req,
    struct refusal *r)
{
	return (body_take(text, n, expire_params, nitems(expire_params), req,
	    r));
}

int
request_undo(const char *text, size_t n, struct m_req_undo *req,
    struct refusal *r)
{
	return (body_take(text, n, undo_params, nitems(undo_params), req,
	    r));
}

int
request_log(const char *text, size_t n, struct m_req_admin *req,
    struct refusal *r)
{
	struct { char level[WORD_BYTES]; } body = { "" };
	static const struct param	params[] = {
		{ "level", NULL, PARAM_LINE, 0, sizeof(body.level), 0 },
	};

	if (body_take(text, n, params, nitems(params), &body, r) == -1)
		return (-1);
	if (strcmp(body.level, "verbose") == 0)
		req->level = LOG_VERBOSE;
	else if (strcmp(body.level, "brief") == 0)
		req->level = LOG_BRIEF;
	else
		return (refuse(r, E_INVALID_PARAMETER, "\"level\" must be "
		    "\"verbose\" or \"brief\"."));
	return (0);
}

int
request_empty(const char *text, size_t n, struct refusal *r)
{
	return (body_take(text, n, NULL, 0, NULL, r));
}

int
request_acknowledge(const char *text, size_t n,
    struct m_req_acknowledge *req, struct refusal *r)
{
	return (body_take(text, n, acknowledge_params,
	    nitems(acknowledge_params), req, r));
}

int
request_user(const char *text, struct m_user *user)
{
	char		 shortest[32];
	const char	*error = NULL;
	long long	 v;

	memset(user, 0, sizeof(*user));
	if (text[0] == '\0' || util_copy(user->id, text) == -1 ||
	    !text_printable(text, 0) || !util_utf8_valid(text, strlen(text)))
		return (-1);
	user->kind = USER_TEXT;
	v = strtonum(text, LLONG_MIN + 1, LLONG_MAX - 1, &error);
	snprintf(shortest, sizeof(shortest), "%lld", v);
	if (error == NULL && strcmp(shortest, text) == 0)
		user->kind = USER_NUMBER;
	return (0);
}
