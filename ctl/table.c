/*
 * Aligned columns.  Owns the cells until they are printed.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/compat.h"
#include "common/util.h"
#include "ctl/ctl.h"

#define COLUMNS_MAX	16
#define CELL_BYTES	512

struct cell {
	char	*text;
	int	 width;
	char	 colour;
};

struct table {
	char		*head[COLUMNS_MAX];
	int		 right[COLUMNS_MAX];
	int		 width[COLUMNS_MAX];
	size_t		 columns;
	struct cell	*cells;
	size_t		 n, size;
};

/* In columns of a terminal. */
static int
width_of(const char *text)
{
	wchar_t	wide[CELL_BYTES];
	size_t	n;
	int	w;

	n = mbstowcs(wide, text, nitems(wide));
	if (n == (size_t)-1 || n >= nitems(wide) ||
	    (w = wcswidth(wide, n)) == -1)
		return ((int)strlen(text));
	return (w);
}

struct table *
table_new(const char *columns)
{
	struct table	*t;
	char		*copy = xstrdup(columns), *p = copy, *word;
	size_t		 n;

	t = xcalloc(1, sizeof(*t));
	while ((word = strsep(&p, " ")) != NULL && t->columns < COLUMNS_MAX) {
		n = strlen(word);
		if (n > 2 && strcmp(word + n - 2, ":r") == 0) {
			t->right[t->columns] = 1;
			word[n - 2] = '\0';
		}
		t->head[t->columns] = xstrdup(word);
		t->width[t->columns] = width_of(word);
		t->columns++;
	}
	free(copy);
	return (t);
}

void
table_cell(struct table *t, const char *fmt, ...)
{
	char		 raw[CELL_BYTES], text[CELL_BYTES];
	struct cell	*c;
	va_list		 ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	say_clean(text, sizeof(text), raw);
	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : t->size * 2;
		t->cells = xreallocarray(t->cells, t->size,
		    sizeof(*t->cells));
	}
	c = &t->cells[t->n];
	c->text = xstrdup(text);
	c->width = width_of(text);
	c->colour = '\0';
	if (c->width > t->width[t->n % t->columns])
		t->width[t->n % t->columns] = c->width;
	t->n++;
}

void
table_colour(struct table *t, char colour)
{
	if (t->n > 0)
		t->cells[t->n - 1].colour = colour;
}

static const char *
colour_code(char colour)
{
	return (colour == 'r' ? "\033[31m" : colour == 'y' ? "\033[33m" :
	    colour == 'b' ? "\033[1m" : "\033[32m");
}

static void
print_cell(const struct table *t, size_t column, const char *text, int width,
    char colour)
{
	int	pad = t->width[column] - width;
	int	last = column + 1 == t->columns;

	if (t->right[column])
		printf("%*s", pad, "");
	if (colour != '\0')
		printf("%s%s\033[0m", colour_code(colour), text);
	else
		printf("%s", text);
	if (last)
		printf("\n");
	else
		printf("%*s", (t->right[column] ? 0 : pad) + 2, "");
}

void
table_print(struct table *t, int colour)
{
	size_t	i;

	for (i = 0; i < t->columns; i++)
		print_cell(t, i, t->head[i], width_of(t->head[i]),
		    colour ? 'b' : '\0');
	for (i = 0; t->columns > 0 && i < t->n; i++)
		print_cell(t, i % t->columns, t->cells[i].text,
		    t->cells[i].width, colour ? t->cells[i].colour : '\0');
	table_free(t);
}

void
table_free(struct table *t)
{
	size_t	i;

	for (i = 0; i < t->columns; i++)
		free(t->head[i]);
	for (i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}
