/*
 * The engine runs this: the tables of an image and their rows, between the
 * worker that counts them and the catalog.
 */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/engine/tables.h"

int
tables_add(struct tables *t, const struct m_w_table *m)
{
	if (!msg_text_ok(m->name) || m->name[0] == '\0' || m->rows < 0 ||
	    !util_utf8_valid(m->name, strlen(m->name)) ||
	    t->n >= TABLES_MAX || tables_find(t, m->name) != -1)
		return (-1);
	t->list = xreallocarray(t->list, t->n + 1, sizeof(*t->list));
	t->list[t->n].name = xstrdup(m->name);
	t->list[t->n].rows = m->rows;
	t->n++;
	return (0);
}

void
tables_free(struct tables *t)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		free(t->list[i].name);
	free(t->list);
	t->list = NULL;
	t->n = 0;
}

/* No sum of lies overflows. */
int64_t
tables_rows(const struct tables *t)
{
	int64_t	rows = 0;
	size_t	i;

	for (i = 0; i < t->n; i++)
		rows = t->list[i].rows > INT64_MAX - rows ? INT64_MAX :
		    rows + t->list[i].rows;
	return (rows);
}

int64_t
tables_find(const struct tables *t, const char *name)
{
	size_t	i;

	for (i = 0; i < t->n; i++) {
		if (strcmp(t->list[i].name, name) == 0)
			return (t->list[i].rows);
	}
	return (-1);
}
