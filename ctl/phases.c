/*
 * Where the time of a backup or of a job went, as a table.
 */
#include <string.h>

#include "common/compat.h"
#include "ctl/ctl.h"

#define SUFFIX	"_ms"

void
phases_print(const struct ctl *ctl, struct json_object *of)
{
	struct json_object_iterator	 it, end;
	struct json_object		*phases = j_get(of, "phases");
	struct table			*t;
	const char			*key;
	int				 n;

	if (!json_object_is_type(phases, json_type_object) ||
	    json_object_object_length(phases) == 0)
		return;
	printf("\nwhere the time went\n");
	t = table_new("PHASE MS:r");
	it = json_object_iter_begin(phases);
	end = json_object_iter_end(phases);
	for (; !json_object_iter_equal(&it, &end);
	    json_object_iter_next(&it)) {
		key = json_object_iter_peek_name(&it);
		n = (int)strlen(key);
		if (n > (int)strlen(SUFFIX) &&
		    strcmp(key + n - strlen(SUFFIX), SUFFIX) == 0)
			n -= (int)strlen(SUFFIX);
		table_cell(t, "%.*s", n, key);
		table_cell(t, "%.3f", json_object_get_double(
		    json_object_iter_peek_value(&it)));
	}
	table_print(t, ctl->colour);
}
