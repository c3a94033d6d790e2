/*
 * Fields of the daemon's answers.  What is missing or of another type
 * reads as empty, so that an older daemon can be asked, too.
 */
#include "ctl/ctl.h"

struct json_object *
j_get(struct json_object *o, const char *key)
{
	struct json_object	*v = NULL;

	if (key == NULL)
		return (o);
	if (o == NULL || !json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v))
		return (NULL);
	return (v);
}

struct json_object *
j_data(const struct answer *a)
{
	return (j_get(a->root, "data"));
}

const char *
j_text(struct json_object *o, const char *key)
{
	struct json_object	*v = j_get(o, key);

	return (v == NULL || json_object_is_type(v, json_type_object) ||
	    json_object_is_type(v, json_type_array) ? "" :
	    json_object_get_string(v));
}

int64_t
j_int(struct json_object *o, const char *key)
{
	return (json_object_get_int64(j_get(o, key)));
}

int
j_true(struct json_object *o, const char *key)
{
	return (json_object_get_boolean(j_get(o, key)));
}

size_t
j_count(struct json_object *o, const char *key)
{
	struct json_object	*v = j_get(o, key);

	return (json_object_is_type(v, json_type_array) ?
	    json_object_array_length(v) : 0);
}

struct json_object *
j_at(struct json_object *o, const char *key, size_t i)
{
	return (json_object_array_get_idx(j_get(o, key), i));
}
