/*
 * Workers run this: the values of an index entry, as SQLite orders them
 * (datatypes, section 4.1).  Numbers that are equal get equal bytes, be
 * they integers or not.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/worker/index_key.h"

enum tag { TAG_NULL, TAG_INTEGER, TAG_REAL, TAG_TEXT, TAG_BLOB };

#define HEAD_BYTES	9		/* a tag, a number or a length */
#define INTEGERS_END	9223372036854775808.0

struct value {
	enum tag	 tag;
	int64_t		 integer;
	double		 real;
	const uint8_t	*bytes;
	size_t		 size;
};

static int
room(struct index_key *k, size_t more)
{
	uint8_t	*p;
	size_t	 want = k->size + more;

	if (want <= k->room)
		return (0);
	want += want / 2;
	if ((p = realloc(k->bytes, want)) == NULL)
		return (-1);
	k->bytes = p;
	k->room = want;
	return (0);
}

/* word: the number, or the length of what follows. */
static int
put(struct index_key *k, enum tag tag, const void *word, const void *p,
    size_t n)
{
	if (room(k, HEAD_BYTES + n) == -1)
		return (-1);
	k->bytes[k->size] = (uint8_t)tag;
	memcpy(k->bytes + k->size + 1, word, HEAD_BYTES - 1);
	if (n > 0)
		memcpy(k->bytes + k->size + HEAD_BYTES, p, n);
	k->size += HEAD_BYTES + n;
	return (0);
}

static int
put_real(struct index_key *k, double d)
{
	int64_t	i;

	if (d >= -INTEGERS_END && d < INTEGERS_END) {
		i = (int64_t)d;
		if ((double)i == d)
			return (put(k, TAG_INTEGER, &i, NULL, 0));
	}
	return (put(k, TAG_REAL, &d, NULL, 0));
}

static int
put_column(struct index_key *k, sqlite3_stmt *st, int column)
{
	const void	*p;
	int64_t		 i = 0;
	uint64_t	 n;
	int		 type = sqlite3_column_type(st, column);

	switch (type) {
	case SQLITE_INTEGER:
		i = sqlite3_column_int64(st, column);
		return (put(k, TAG_INTEGER, &i, NULL, 0));
	case SQLITE_FLOAT:
		return (put_real(k, sqlite3_column_double(st, column)));
	case SQLITE_NULL:
		return (put(k, TAG_NULL, &i, NULL, 0));
	default:
		p = sqlite3_column_blob(st, column);
		n = (uint64_t)sqlite3_column_bytes(st, column);
		if (p == NULL && n > 0)
			return (-1);
		return (put(k, type == SQLITE_TEXT ? TAG_TEXT : TAG_BLOB, &n,
		    p, (size_t)n));
	}
}

int
index_key_take(struct index_key *k, sqlite3_stmt *st, int first, int n)
{
	int	i;

	k->size = 0;
	for (i = 0; i < n; i++) {
		if (put_column(k, st, first + i) == -1)
			return (-1);
	}
	return (0);
}

static const uint8_t *
get(const uint8_t *p, struct value *v)
{
	uint64_t	n;

	memset(v, 0, sizeof(*v));
	v->tag = p[0];
	memcpy(&v->integer, p + 1, sizeof(v->integer));
	memcpy(&v->real, p + 1, sizeof(v->real));
	memcpy(&n, p + 1, sizeof(n));
	v->bytes = p + HEAD_BYTES;
	if (v->tag == TAG_TEXT || v->tag == TAG_BLOB)
		v->size = (size_t)n;
	return (p + HEAD_BYTES + v->size);
}

/* A real here is never an integer's equal: put_real. */
static int
integer_real(int64_t i, double d)
{
	if (d < -INTEGERS_END)
		return (1);
	if (d >= INTEGERS_END)
		return (-1);
	if (i != (int64_t)d)
		return (i < (int64_t)d ? -1 : 1);
	return ((double)i < d ? -1 : 1);
}

static int
numbers(const struct value *a, const struct value *b)
{
	if (a->tag == TAG_INTEGER && b->tag == TAG_INTEGER)
		return (a->integer < b->integer ? -1 :
		    a->integer > b->integer);
	if (a->tag == TAG_INTEGER)
		return (integer_real(a->integer, b->real));
	if (b->tag == TAG_INTEGER)
		return (-integer_real(b->integer, a->real));
	return (a->real < b->real ? -1 : a->real > b->real);
}

static int
strings(const struct value *a, const struct value *b, int nocase)
{
	size_t	n = a->size < b->size ? a->size : b->size;
	int	r;

	r = nocase && a->tag == TAG_TEXT ?
	    sqlite3_strnicmp((const char *)a->bytes, (const char *)b->bytes,
	    (int)n) : memcmp(a->bytes, b->bytes, n);
	if (r != 0)
		return (r);
	return (a->size < b->size ? -1 : a->size > b->size);
}

static int
compare(const struct value *a, const struct value *b, int nocase)
{
	static const int	class[] = { 0, 1, 1, 2, 3 };
	int			d = class[a->tag] - class[b->tag];

	if (d != 0 || a->tag == TAG_NULL)
		return (d);
	return (class[a->tag] == 1 ? numbers(a, b) : strings(a, b, nocase));
}

int
index_key_follows(const struct index_key *a, const struct index_key *b,
    const struct index_order *o, int unique)
{
	const uint8_t	*p = a->bytes, *q = b->bytes;
	struct value	 v, w;
	int		 d, i, nulls = 0;

	for (i = 0; i < o->n; i++) {
		if (i == o->nkey && unique && !nulls)
			return (0);
		p = get(p, &v);
		q = get(q, &w);
		if ((d = compare(&v, &w, o->nocase[i])) != 0)
			return (o->descending[i] ? d > 0 : d < 0);
		nulls |= v.tag == TAG_NULL;
	}
	return (0);
}

void
index_key_free(struct index_key *k)
{
	free(k->bytes);
	memset(k, 0, sizeof(*k));
}
