/*
 * Every program runs this.  It owns the table of forms, a constant.
 */
#include <string.h>

#include "common/compat.h"
#include "proto/form.h"

static const struct {
	uint32_t	 form;
	const char	*name, *media_type;
} forms[] = {
	{ 0,			FORM_PLAIN,	"application/x-sqlite3" },
	{ FORM_ZSTD,		"sqlite.zst",	"application/zstd" },
	{ FORM_AGE,		"sqlite.age",	"application/octet-stream" },
	{ FORM_ZSTD | FORM_AGE,	"sqlite.zst.age",
	    "application/octet-stream" },
	{ FORM_UNKNOWN,		"",		"application/octet-stream" },
};

uint32_t
form_parse(const char *text)
{
	size_t	i;

	for (i = 0; i < nitems(forms); i++) {
		if (strcmp(text, forms[i].name) == 0)
			return (forms[i].form);
	}
	return (FORM_UNKNOWN);
}

static size_t
form_index(uint32_t form)
{
	size_t	i;

	for (i = 0; i + 1 < nitems(forms) && forms[i].form != form; i++)
		;
	return (i);
}

const char *
form_name(uint32_t form)
{
	return (forms[form_index(form)].name);
}

const char *
form_media_type(uint32_t form)
{
	return (forms[form_index(form)].media_type);
}
