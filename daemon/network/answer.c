/*
 * The network process runs this on what strangers sent.  The structure is
 * walked as slices (json.h); single strings are decoded, so that
 * memory stays bounded by the answer's own size.
 */
#include <json-c/json.h>

#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/network/answer.h"
#include "daemon/network/json.h"
#include "daemon/network/json_value.h"
#include "daemon/network/text.h"

#define TIME_MAX_MS		253402300799999	/* the end of the year 9999 */

static const char *const id_names[] = { "backupId", "_id", "id" };

struct answer_list {
	struct slice	 rest;		/* of the array */
	struct json_object *name, *description;	/* of the last row */
	uint32_t	 skipped;
};

int
answer_id_ok(const char *id)
{
	size_t	n = strlen(id);

	return (n >= 1 && n < REMOTE_ID_BYTES && text_plain(id, n) &&
	    strcmp(id, ".") != 0 && strcmp(id, "..") != 0);
}

/* An id is a string, or a number without sign, point and exponent. */
static int
decode_id(const struct slice *v, char id[REMOTE_ID_BYTES])
{
	struct json_object	*o;
	const char		*s;
	int			 ok = 0;

	if (json_kind(v) == '0' && v->n <= 20) {
		memcpy(id, v->s, v->n);
		id[v->n] = '\0';
		return (id[strspn(id, "0123456789")] == '\0');
	}
	if ((o = json_string(v)) == NULL)
		return (0);
	s = json_string_text(o);
	if (strlen(s) == (size_t)json_object_get_string_len(o) &&
	    answer_id_ok(s)) {
		strlcpy(id, s, REMOTE_ID_BYTES);
		ok = 1;
	}
	json_object_put(o);
	return (ok);
}

static int
object_id(const struct slice *object, char id[REMOTE_ID_BYTES])
{
	struct slice	found[nitems(id_names)];
	size_t		i;

	json_members(object, id_names, found, nitems(id_names));
	for (i = 0; i < nitems(id_names); i++) {
		if (decode_id(&found[i], id))
			return (1);
	}
	return (0);
}

/* RFC 3339, or ms since the epoch; 0 when it is neither. */
static int64_t
decode_time(const struct slice *v)
{
	struct json_object	*o;
	int64_t			 ms = 0;

	if (json_kind(v) == '0') {
		ms = json_number(v, TIME_MAX_MS);
		return (ms < 0 ? 0 : ms);
	}
	if ((o = json_string(v)) == NULL)
		return (0);
	if (util_time_parse(json_string_text(o), &ms) == -1 || ms < 0)
		ms = 0;
	json_object_put(o);
	return (ms);
}

/* "success": false, whatever the status said. */
static int
says_failed(const struct slice *top)
{
	static const char *const	name[] = { "success" };
	struct slice			v;

	json_members(top, name, &v, 1);
	return (json_kind(&v) == 'f');
}

const char *
answer_id(const char *text, size_t n, char id[REMOTE_ID_BYTES])
{
	static const char *const	names[] = { "data", "backup" };
	struct slice			top, inside[nitems(names)];
	size_t				i;

	if (json_check(text, n, &top) == -1)
		return ("is not JSON");
	if (says_failed(&top))
		return ("says that it failed");
	if (object_id(&top, id))
		return (NULL);
	json_members(&top, names, inside, nitems(names));
	for (i = 0; i < nitems(names); i++) {
		if (object_id(&inside[i], id))
			return (NULL);
	}
	return ("names no id for the backup");
}

int
answer_message(const char *text, size_t n, char *dst, size_t size)
{
	static const char *const	names[] = { "message", "error" };
	struct slice			top, v[nitems(names)], inner;
	struct json_object		*o;
	const char			*s;
	size_t				i;

	dst[0] = '\0';
	if (json_check(text, n, &top) == -1)
		return (0);
	json_members(&top, names, v, nitems(names));
	for (i = 0; i < nitems(names) && dst[0] == '\0'; i++) {
		/* {"error": {"message": "..."}} is common, too. */
		if (json_kind(&v[i]) == '{') {
			json_members(&v[i], names, &inner, 1);
			v[i] = inner;
		}
		if ((o = json_string(&v[i])) == NULL)
			continue;
		s = json_string_text(o);
		text_clean(dst, size, s, strlen(s));
		json_object_put(o);
	}
	return (dst[0] != '\0');
}

static int
find_array(const struct slice *top, struct slice *array)
{
	static const char *const	names[] = { "backups", "data" };
	struct slice			v[2], inner;

	if (json_kind(top) == '[') {
		*array = *top;
		return (1);
	}
	json_members(top, names, v, 2);
	json_members(&v[1], names, &inner, 1);
	if (json_kind(&v[0]) == '[')
		*array = v[0];
	else if (json_kind(&v[1]) == '[')
		*array = v[1];
	else if (json_kind(&inner) == '[')
		*array = inner;
	else
		return (0);
	return (1);
}

struct answer_list *
answer_list_open(const char *text, size_t n, const char **why)
{
	struct answer_list	*l;
	struct slice		 top, array, rest, element;
	size_t			 count = 0;

	*why = NULL;
	if (json_check(text, n, &top) == -1)
		*why = "is not JSON";
	else if (says_failed(&top))
		*why = "says that it failed";
	else if (!find_array(&top, &array))
		*why = "holds no list of backups";
	if (*why != NULL)
		return (NULL);
	for (rest = array; json_next(&rest, &element); count++) {
		if (count == ANSWER_LIST_ROWS_MAX) {
			*why = "lists more than 100000 backups";
			return (NULL);
		}
	}
	l = xcalloc(1, sizeof(*l));
	l->rest = array;
	return (l);
}

static void
forget_row(struct answer_list *l)
{
	json_object_put(l->name);
	json_object_put(l->description);
	l->name = l->description = NULL;
}

void
answer_list_free(struct answer_list *l)
{
	if (l == NULL)
		return;
	forget_row(l);
	free(l);
}

/* The first of two members that is there. */
static const struct slice *
either(const struct slice *a, const struct slice *b)
{
	return (a->s != NULL ? a : b);
}

int
answer_list_next(struct answer_list *l, struct answer_row *row)
{
	enum { NAME, NAME2, TEXT, SIZE, SIZE2, CREATED, UPLOADED, ALL };
	static const char *const	names[ALL] = { "backupName", "name",
	    "description", "size", "fileSize", "createdAt", "uploadedAt" };
	struct slice			e, v[ALL];

	for (;;) {
		if (!json_next(&l->rest, &e))
			return (0);
		if (object_id(&e, row->id))
			break;
		l->skipped++;
	}
	forget_row(l);
	json_members(&e, names, v, ALL);
	l->name = json_string(either(&v[NAME], &v[NAME2]));
	l->description = json_string(&v[TEXT]);
	row->name = json_string_text(l->name);
	row->description = json_string_text(l->description);
	row->size = json_number(either(&v[SIZE], &v[SIZE2]), INT64_MAX / 2);
	row->created_ms = decode_time(&v[CREATED]);
	row->uploaded_ms = decode_time(&v[UPLOADED]);
	return (1);
}

uint32_t
answer_list_skipped(const struct answer_list *l)
{
	return (l->skipped);
}
