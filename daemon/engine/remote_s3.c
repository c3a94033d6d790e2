/*
 * The engine runs this: what S3 remotes need besides what all remotes
 * need.  Names and keys of objects are made here, of our own id and time,
 * never of what a bucket says (H21).
 */
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/manifest.h"
#include "daemon/engine/remote_s3.h"

#define HASH_PREFIX	"sha256:"

static void
copy(char *dst, size_t size, const char *s)
{
	if (s != NULL)
		strlcpy(dst, s, size);
}

void
s3_conf_send(struct engine *e, const struct conf_remote *c)
{
	const struct conf_s3	*s = c->s3;
	struct m_net_s3		 m;

	memset(&m, 0, sizeof(m));
	m.index = c->index;
	m.flags = S3_CONDITIONAL | (s->virtual_host ? S3_VIRTUAL_HOST : 0) |
	    (s->may_delete ? 0 : S3_NO_DELETE);
	m.parallel = s->parts;
	m.retain_days = s->lock_mode != NULL ? s->lock_days : 0;
	m.part_size = s->part_size;
	copy(m.bucket, sizeof(m.bucket), s->bucket);
	copy(m.prefix, sizeof(m.prefix), s->prefix);
	copy(m.region, sizeof(m.region), s->region);
	copy(m.access_key, sizeof(m.access_key), s->access_key);
	copy(m.secret_key, sizeof(m.secret_key), s->secret_key);
	copy(m.session_token, sizeof(m.session_token), s->session_token);
	copy(m.delete_access_key, sizeof(m.delete_access_key),
	    s->delete_access_key);
	copy(m.delete_secret_key, sizeof(m.delete_secret_key),
	    s->delete_secret_key);
	copy(m.storage_class, sizeof(m.storage_class), s->storage_class);
	copy(m.sse, sizeof(m.sse), s->sse);
	copy(m.sse_key, sizeof(m.sse_key), s->sse_key_id);
	copy(m.lock_mode, sizeof(m.lock_mode), s->lock_mode);
	chan_send(e->network.chan, MSG_NET_S3, 0, &m, sizeof(m), -1);
	explicit_bzero(&m, sizeof(m));
}

static void
swap(char *dst, const char *s, char from, char to)
{
	char	*p;

	strlcpy(dst, s, REMOTE_ID_BYTES);
	if ((p = strchr(dst, from)) != NULL)
		*p = to;
}

void
s3_id_of_key(char *dst, const char *key)
{
	swap(dst, key, '/', ':');
}

void
s3_key_of_id(char *dst, const char *remote_id)
{
	swap(dst, remote_id, ':', '/');
}

/* ---- uploads ---- */

static void
manifest_fill(struct engine *e, const struct m_backup *b,
    struct m_manifest *m)
{
	memset(m, 0, sizeof(*m));
	if (!catalog_facts(e->catalog, b->id, m))
		fatalx("backup %lld has no row", (long long)b->id);
	m->version = MANIFEST_VERSION;
	m->id = b->id;
	m->created_ms = b->created_ms;
	m->size = (uint64_t)b->file_size;
	m->user = b->user;
	m->named = (b->flags & BACKUP_NAMED) != 0;
	if (b->remote_form[0] != '\0') {
		m->stored_size = (uint64_t)b->remote_size;
		strlcpy(m->form, b->remote_form, sizeof(m->form));
		strlcpy(m->stored_checksum, b->remote_checksum,
		    sizeof(m->stored_checksum));
	} else {
		m->stored_size = (uint64_t)b->stored_size;
		strlcpy(m->form, b->form, sizeof(m->form));
		strlcpy(m->stored_checksum, b->stored_checksum,
		    sizeof(m->stored_checksum));
	}
	strlcpy(m->database, b->database, sizeof(m->database));
	strlcpy(m->name, b->name, sizeof(m->name));
	strlcpy(m->description, b->description, sizeof(m->description));
	strlcpy(m->type, b->type, sizeof(m->type));
	strlcpy(m->verdict, b->verdict, sizeof(m->verdict));
	strlcpy(m->checksum, b->checksum, sizeof(m->checksum));
	strlcpy(m->installation, store_uuid(e->store),
	    sizeof(m->installation));
	strlcpy(m->tool_version, VERSION, sizeof(m->tool_version));
}

static void
manifest_send(struct engine *e, struct m_manifest *m, uint64_t transfer)
{
	struct m_net_manifest	 n;
	uint8_t			 key[KEY_BYTES];
	char			 err[TEXT_BYTES];
	size_t			 size;

	if (store_key(e->store, key, err) == -1)
		fatalx("%s", err);
	memset(&n, 0, sizeof(n));
	size = manifest_write(m, key, n.text, sizeof(n.text));
	if (size == 0) {
		/* Escapes may need six bytes for one. */
		memset(n.text, 0, sizeof(n.text));
		m->description[0] = '\0';
		size = manifest_write(m, key, n.text, sizeof(n.text));
	}
	explicit_bzero(key, sizeof(key));
	if (size == 0)
		fatalx("the manifest of backup %lld does not fit",
		    (long long)m->id);
	n.size = (uint32_t)size;
	chan_send(e->network.chan, MSG_NET_MANIFEST, transfer, &n, sizeof(n),
	    -1);
}

void
s3_upload_fill(struct engine *e, const struct conf_remote *c,
    const struct m_backup *b, uint64_t transfer, struct m_net_upload *u)
{
	struct m_manifest	 m;
	const char		*hash;

	manifest_fill(e, b, &m);
	manifest_object(&m, u->key);
	hash = m.stored_checksum;
	if (strncmp(hash, HASH_PREFIX, strlen(HASH_PREFIX)) == 0)
		hash += strlen(HASH_PREFIX);
	strlcpy(u->sha256, hash, sizeof(u->sha256));
	catalog_parts_get(e->catalog, b->id, c->name, u->upload_id,
	    &u->part_size);
	manifest_send(e, &m, transfer);
}

void
s3_multipart(struct engine *e, const struct conf_remote *c,
    int64_t backup_id, const struct m_net_multipart *m)
{
	catalog_parts_set(e->catalog, backup_id, c->name, m->upload_id,
	    m->part_size);
}

void
s3_give_up(struct engine *e, const struct conf_remote *c,
    const struct m_backup *b)
{
	struct m_net_abort	a;
	struct m_manifest	m;
	uint64_t		part_size;

	memset(&a, 0, sizeof(a));
	catalog_parts_get(e->catalog, b->id, c->name, a.upload_id,
	    &part_size);
	if (a.upload_id[0] == '\0')
		return;
	catalog_parts_set(e->catalog, b->id, c->name, "", 0);
	manifest_fill(e, b, &m);
	manifest_object(&m, a.key);
	a.remote = c->index;
	chan_send(e->network.chan, MSG_NET_ABORT, ++e->next_transfer, &a,
	    sizeof(a), -1);
}

void
s3_uploaded(struct engine *e, const struct conf_remote *c, int64_t id,
    const struct m_net_uploaded *m)
{
	struct m_backup	b;

	if (m->outcome == NET_REFUSED && (m->flags & UPLOAD_GONE) == 0 &&
	    catalog_get(e->catalog, id, &b) == 1)
		s3_give_up(e, c, &b);
	if (m->outcome == NET_OK || (m->flags & UPLOAD_GONE) != 0)
		catalog_parts_set(e->catalog, id, c->name, "", 0);
}
