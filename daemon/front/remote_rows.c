/*
 * The front runs this.  It owns lists of backups that a remote told of:
 * bytes of strangers, bounded in number and, over all lists that stand at
 * the same time, in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/front/remote_rows.h"

struct packed {
	int64_t		size, created_ms, uploaded_ms;
	uint32_t	at;		/* of the three texts */
	uint32_t	dropped;
};

struct remote_rows {
	struct packed	*row;
	size_t		 count, room;
	char		*texts;
	size_t		 used, size;
};

static size_t	bytes_in_use;		/* of all lists */

struct remote_rows *
remote_rows_new(void)
{
	return (xcalloc(1, sizeof(struct remote_rows)));
}

void
remote_rows_free(struct remote_rows *r)
{
	if (r == NULL)
		return;
	bytes_in_use -= r->size + r->room * sizeof(*r->row);
	free(r->row);
	free(r->texts);
	free(r);
}

size_t
remote_rows_count(const struct remote_rows *r)
{
	return (r->count);
}

/* Room for one entry and n bytes of text; -1 when that is too much. */
static int
rows_grow(struct remote_rows *r, size_t n)
{
	size_t	rows = r->room, size = r->size, more;

	if (r->count == REMOTE_ROWS_MAX)
		return (-1);
	if (r->count == rows)
		rows = rows == 0 ? 64 : rows + rows / 2;
	if (r->used + n > size)
		size = (size == 0 ? 4096 : size + size / 2) + n;
	more = (rows - r->room) * sizeof(*r->row) + (size - r->size);
	if (bytes_in_use + more > REMOTE_BYTES_MAX)
		return (-1);
	bytes_in_use += more;
	if (rows != r->room)
		r->row = xreallocarray(r->row, rows, sizeof(*r->row));
	if (size != r->size)
		r->texts = xreallocarray(r->texts, size, 1);
	r->room = rows;
	r->size = size;
	return (0);
}

static void
rows_text(struct remote_rows *r, const char *text)
{
	size_t	n = strlen(text) + 1;

	memcpy(r->texts + r->used, text, n);
	r->used += n;
}

int
remote_rows_add(struct remote_rows *r, const struct m_remote_row *m)
{
	struct packed	*p;

	if (rows_grow(r, strlen(m->remote_id) + strlen(m->name) +
	    strlen(m->description) + 3) == -1)
		return (-1);
	p = &r->row[r->count++];
	p->size = m->size;
	p->created_ms = m->created_ms;
	p->uploaded_ms = m->uploaded_ms;
	p->at = (uint32_t)r->used;
	p->dropped = 0;
	rows_text(r, m->remote_id);
	rows_text(r, m->name);
	rows_text(r, m->description);
	return (0);
}

void
remote_rows_get(const struct remote_rows *r, size_t i, struct remote_row *row)
{
	const struct packed	*p = &r->row[i];

	row->size = p->size;
	row->created_ms = p->created_ms;
	row->uploaded_ms = p->uploaded_ms;
	row->remote_id = r->texts + p->at;
	row->name = row->remote_id + strlen(row->remote_id) + 1;
	row->description = row->name + strlen(row->name) + 1;
}

void
remote_rows_drop(struct remote_rows *r, size_t i)
{
	r->row[i].dropped = 1;
}

static int
row_order(int64_t a_ms, const char *a_id, int64_t b_ms, const char *b_id)
{
	if (a_ms != b_ms)
		return (a_ms > b_ms ? -1 : 1);
	return (strcmp(b_id, a_id));
}

static int
packed_order(const void *va, const void *vb, void *texts)
{
	const struct packed	*a = va, *b = vb;

	return (row_order(a->created_ms, (char *)texts + a->at,
	    b->created_ms, (char *)texts + b->at));
}

/* Sorting by a heap needs no memory of its own and has no bad case,
 * whatever order a remote sends. */
static void
heap_sift(struct remote_rows *r, size_t root, size_t n)
{
	struct packed	held;
	size_t		child;

	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && packed_order(&r->row[child],
		    &r->row[child + 1], r->texts) < 0)
			child++;
		if (packed_order(&r->row[root], &r->row[child],
		    r->texts) >= 0)
			return;
		held = r->row[root];
		r->row[root] = r->row[child];
		r->row[child] = held;
		root = child;
	}
}

void
remote_rows_sort(struct remote_rows *r)
{
	struct packed	held;
	size_t		i, n = 0;

	for (i = 0; i < r->count; i++) {
		if (!r->row[i].dropped)
			r->row[n++] = r->row[i];
	}
	r->count = n;
	for (i = n / 2; i > 0; i--)
		heap_sift(r, i - 1, n);
	for (i = n; i > 1; i--) {
		held = r->row[0];
		r->row[0] = r->row[i - 1];
		r->row[i - 1] = held;
		heap_sift(r, 0, i - 1);
	}
}

size_t
remote_rows_seek(const struct remote_rows *r, int64_t ms, const char *id)
{
	struct remote_row	row;
	size_t			low = 0, high = r->count, mid;
	int			before;

	while (low < high) {
		mid = low + (high - low) / 2;
		remote_rows_get(r, mid, &row);
		if (id == NULL)
			before = row.created_ms > ms;
		else
			before = row_order(row.created_ms, row.remote_id,
			    ms, id) <= 0;
		if (before)
			low = mid + 1;
		else
			high = mid;
	}
	return (low);
}
