/*
 * The network process runs this on what strangers wrote into a bucket:
 * manifests of backups, to flat records of bounded texts.
 */
#include <stddef.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/network/json_value.h"
#include "daemon/network/s3.h"

enum type { TEXT, U32, U64 };

static const struct field {
	const char	*name;
	enum type	 type;
	int		 needed;
	size_t		 at, size;
} fields[] = {
#define F(name, type, needed)						\
	{ #name, type, needed, offsetof(struct m_manifest, name),	\
	    sizeof(((struct m_manifest *)0)->name) }
	F(version, U32, 1), F(id, U64, 1), F(database, TEXT, 1),
	F(name, TEXT, 0), F(description, TEXT, 0), F(created_ms, U64, 1),
	F(size, U64, 1), F(stored_size, U64, 1), F(checksum, TEXT, 1),
	F(stored_checksum, TEXT, 1), F(form, TEXT, 1), F(page_size, U32, 0),
	F(page_count, U64, 0), F(journal_mode, TEXT, 0), F(uid, U32, 0),
	F(gid, U32, 0), F(mode, U32, 0), F(application_id, U32, 0),
	F(user_version, U32, 0), F(installation, TEXT, 0),
	F(tool_version, TEXT, 0), F(type, TEXT, 0), F(verdict, TEXT, 0),
	F(named, U32, 0), F(mac, TEXT, 0)
#undef F
};

/* One that is there must be of its type. */
static int
read_field(const struct field *f, const struct slice *v, struct m_manifest *m)
{
	char		*to = (char *)m + f->at;
	uint32_t	 small;
	int64_t		 n;

	if (v->s == NULL || json_kind(v) == 'n')
		return (f->needed ? -1 : 0);
	if (f->type == TEXT)
		return (json_text(v, to, f->size));
	if (json_kind(v) != '0' || (n = json_number(v, f->type == U32 ?
	    (int64_t)UINT32_MAX : INT64_MAX / 2)) == -1)
		return (-1);
	small = (uint32_t)n;
	if (f->type == U32)
		memcpy(to, &small, sizeof(small));
	else
		memcpy(to, &n, sizeof(n));
	return (0);
}

static int
read_user(const struct slice *v, struct m_user *user)
{
	if (v->s == NULL || json_kind(v) == 'n')
		return (0);
	if (json_kind(v) == '"') {
		user->kind = USER_TEXT;
		return (json_text(v, user->id, sizeof(user->id)));
	}
	/* A number is kept as its digits. */
	if (json_kind(v) != '0' || v->n >= sizeof(user->id))
		return (-1);
	user->kind = USER_NUMBER;
	memcpy(user->id, v->s, v->n);
	user->id[v->n] = '\0';
	return (user->id[strspn(user->id, "-0123456789")] == '\0' ? 0 : -1);
}

int
s3_manifest_parse(const char *text, size_t n, struct m_manifest *m)
{
	const char	*names[nitems(fields) + 1];
	struct slice	 top, found[nitems(fields) + 1];
	size_t		 i;

	memset(m, 0, sizeof(*m));
	if (json_check(text, n, &top) == -1 || json_kind(&top) != '{')
		return (-1);
	for (i = 0; i < nitems(fields); i++)
		names[i] = fields[i].name;
	names[i] = "user_id";
	json_members(&top, names, found, nitems(names));
	for (i = 0; i < nitems(fields); i++) {
		if (read_field(&fields[i], &found[i], m) == -1)
			return (-1);
	}
	return (read_user(&found[i], &m->user));
}
