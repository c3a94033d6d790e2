/*
 * The engine runs this: the file that is kept, or goes to remotes, where
 * that is not the image itself.  A worker without rights makes it; another
 * one reads it back, unless nothing is to be, and only then is it a backup.
 * It owns the file until it is handed over.  Nothing here is linked with
 * zstd or a cipher.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/forms.h"

#define PATIENCE_MS	600000
#define THREADS_MAX	8
#define THREADS_LEVEL	12		/* above, each wants 100s of MB */

struct packing {
	struct engine	*engine;
	struct pack_order order;
	char		 checksum[CHECKSUM_BYTES];
	struct packed	 packed;
	uint32_t	 hashes;	/* PACK_HASH_* that were asked for */
	int		 fd;		/* settled, or -1 */
};

uint32_t
forms_of(const struct conf_forms *f)
{
	return ((f->compress ? FORM_ZSTD : 0) | (f->encrypt ? FORM_AGE : 0));
}

/* ---- endings ---- */

static void
on_progress(void *arg, const struct m_w_progress *m)
{
	struct packing	*p = arg;

	if (p->order.progress != NULL)
		p->order.progress(p->order.arg, m);
}

static void
finish(struct packing *p, const struct m_error *error)
{
	struct pack_order	o = p->order;
	struct packed		packed;

	if (o.image != -1)
		close(o.image);
	if (p->fd != -1)
		close(p->fd);
	if (error != NULL)
		store_discard(p->engine->store, &p->packed.artifact);
	packed = p->packed;
	free(p);
	o.done(o.arg, &packed, error);
}

static void
fail(struct packing *p, enum err code, const char *text)
{
	struct m_error	error;

	memset(&error, 0, sizeof(error));
	error.code = code;
	strlcpy(error.text, text, sizeof(error.text));
	finish(p, &error);
}

/* ---- the proof ---- */

static void
on_unpacked(void *arg, const struct task_result *r)
{
	struct packing		*p = arg;
	struct m_w_unpacked	 m;

	if (!r->ok || r->type != MSG_W_UNPACKED) {
		finish(p, &r->error);
		return;
	}
	memcpy(&m, r->data, sizeof(m));
	if (!told_unpacked(&m) || m.size != p->order.size ||
	    strcmp(m.checksum, p->checksum) != 0) {
		fail(p, E_INVALID_BACKUP, "what was compressed does not "
		    "decompress to what it was");
		return;
	}
	strlcpy(p->packed.checksum, m.stored_checksum,
	    sizeof(p->packed.checksum));
	finish(p, NULL);
}

static void
on_reread(void *arg, const struct task_result *r)
{
	struct packing		*p = arg;
	struct m_w_verified	 v;
	struct m_error		 error;

	if (verify_result(r, p->fd, &v, &error) == -1)
		finish(p, &error);
	else if (strcmp(v.checksum, p->packed.checksum) != 0)
		fail(p, E_INVALID_BACKUP, "the encrypted backup does not "
		    "read back as it was written: its checksum differs");
	else
		finish(p, NULL);
}

static void
prove_zstd(struct packing *p)
{
	struct m_w_unpack	o;
	struct task_order	t;
	int			files[W_FILE_KINDS];

	memset(&o, 0, sizeof(o));
	o.uid = p->engine->verify_uid;
	o.gid = p->engine->verify_gid;
	o.form = p->packed.form;
	o.flags = UNPACK_SIZE | (p->order.sent ? 0 : UNPACK_FORGET);
	o.size_max = p->order.size;
	memset(files, -1, sizeof(files));
	files[W_FILE_SOURCE] = p->fd;
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_UNPACK;
	t.data = &o;
	t.size = sizeof(o);
	t.fd = -1;
	t.files = files;
	t.what = "check of the compressed backup";
	t.look_patience_ms = t.patience_ms = PATIENCE_MS;
	t.progress = on_progress;
	t.done = on_unpacked;
	t.arg = p;
	if (task_start(p->engine, &t) == NULL)
		fail(p, E_BUSY, task_refusal());
}

/* Only who has the identity can decrypt it: that it stays as it was
 * written is all that can be known here. */
static void
prove_age(struct packing *p)
{
	struct m_w_verify	o;

	memset(&o, 0, sizeof(o));
	o.level = VERIFY_NONE;
	if (verify_start(p->engine, &o, task_copy(p->fd), on_progress,
	    on_reread, p) == -1)
		fail(p, E_BUSY, task_refusal());
}

static void
on_packed(void *arg, const struct task_result *r)
{
	struct packing		*p = arg;
	struct m_w_packed	 m;
	char			 err[TEXT_BYTES];

	if (!r->ok || r->type != MSG_W_PACKED) {
		finish(p, &r->error);
		return;
	}
	memcpy(&m, r->data, sizeof(m));
	if ((p->fd = store_settle(p->engine->store, &p->packed.artifact,
	    err)) == -1) {
		fail(p, E_INVALID_BACKUP, err);
		return;
	}
	if (!told_packed(&m, p->fd, p->hashes)) {
		fail(p, E_WORKER_FAILED, "the worker gave an impossible "
		    "answer");
		return;
	}
	if (m.size != p->order.size || ((p->hashes & PACK_HASH_IMAGE) &&
	    strcmp(m.checksum, p->checksum) != 0)) {
		fail(p, E_INVALID_BACKUP, "the copy was not what it had been "
		    "while it was compressed or encrypted");
		return;
	}
	p->packed.size = m.stored_size;
	if (p->hashes & PACK_HASH_STORED)
		strlcpy(p->packed.checksum, m.stored_checksum,
		    sizeof(p->packed.checksum));
	if (p->engine->stopping)
		fail(p, E_SHUTTING_DOWN,
		    "the backup was given up because the daemon ends");
	else if (!p->order.prove)
		finish(p, NULL);
	else if (p->packed.form & FORM_AGE)
		prove_age(p);
	else
		prove_zstd(p);
}

/* ---- the order ---- */

static uint32_t
threads(const struct engine *e, int level)
{
	if (level > THREADS_LEVEL || e->jobs_max < 2)
		return (0);
	return (e->jobs_max < THREADS_MAX ? e->jobs_max : THREADS_MAX);
}

/*
 * What is compressed is hashed on both sides by who decompresses it.  What
 * encryption makes can't be turned back here.
 */
static uint32_t
hashes_of(const struct packing *p)
{
	if (!p->order.prove)
		return (PACK_HASH_STORED);
	return (p->packed.form & FORM_AGE ?
	    PACK_HASH_IMAGE | PACK_HASH_STORED : 0);
}

static void
order_fill(const struct packing *p, struct m_w_pack *o)
{
	const struct conf_database	*d = p->order.database;
	struct engine			*e = p->engine;
	uint64_t			 space = store_free_bytes(e->store);
	uint32_t			 i;

	memset(o, 0, sizeof(*o));
	o->uid = e->verify_uid;
	o->gid = e->verify_gid;
	o->form = p->packed.form;
	o->flags = p->hashes |
	    (p->order.prove || p->order.sent ? 0 : PACK_FORGET);
	o->level = (uint32_t)p->order.forms->compress;
	o->threads = threads(e, p->order.forms->compress);
	o->size_max = space > e->conf->reserve ? space - e->conf->reserve : 0;
	if (!(o->form & FORM_AGE))
		return;
	o->nrecipients = d->nrecipients;
	for (i = 0; i < d->nrecipients; i++) {
		if (util_copy(o->recipients[i], d->recipients[i]) == -1)
			fatalx("a recipient of %s is too long", d->name);
	}
}

static void
pack(struct packing *p)
{
	struct m_w_pack		o;
	struct task_order	t;
	struct task		*started;
	int			files[W_FILE_KINDS];

	order_fill(p, &o);
	memset(files, -1, sizeof(files));
	files[W_FILE_SOURCE] = p->order.image;
	files[W_FILE_TARGET] = p->packed.artifact.fd;
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_PACK;
	t.data = &o;
	t.size = sizeof(o);
	t.fd = -1;
	t.files = files;
	t.what = "compression or encryption";
	t.look_patience_ms = t.patience_ms = PATIENCE_MS;
	t.progress = on_progress;
	t.done = on_packed;
	t.arg = p;
	started = task_start(p->engine, &t);
	/* Only the worker can write to it from here on. */
	close(p->packed.artifact.fd);
	p->packed.artifact.fd = -1;
	if (started == NULL)
		fail(p, E_BUSY, task_refusal());
}

void
pack_start(struct engine *e, const struct pack_order *o)
{
	struct packing	*p;
	struct m_error	 error;

	p = xcalloc(1, sizeof(*p));
	p->engine = e;
	p->order = *o;
	p->order.checksum = NULL;
	strlcpy(p->checksum, o->checksum, sizeof(p->checksum));
	p->packed.form = forms_of(o->forms);
	p->hashes = hashes_of(p);
	p->packed.artifact.fd = p->fd = -1;
	memset(&error, 0, sizeof(error));
	if (e->stopping)
		fail(p, E_SHUTTING_DOWN,
		    "the backup was given up because the daemon ends");
	else if (store_create(e->store, o->database->name, o->id,
	    &p->packed.artifact, &error.code, error.text) == -1)
		finish(p, &error);
	else
		pack(p);
}

/* ---- where a backup is, in which form ---- */

void
forms_at_local(const struct m_backup *b, struct forms_copy *c)
{
	c->form = form_parse(b->form);
	c->size = b->stored_size;
	c->checksum = b->stored_checksum;
}

void
forms_at_remote(const struct m_backup *b, struct forms_copy *c)
{
	forms_at_local(b, c);
	if (b->remote_form[0] != '\0') {
		c->form = form_parse(b->remote_form);
		c->size = b->remote_size;
		c->checksum = b->remote_checksum;
	}
	if (b->id == 0 || c->checksum[0] == '\0') {
		c->form = FORM_UNKNOWN;
		c->size = -1;
		c->checksum = "";
	}
}

int
forms_open_for_remote(struct engine *e, const struct m_backup *b,
    uint64_t *size, char *form, char *err)
{
	char	name[NAME_BYTES];

	if (b->remote_form[0] == '\0') {
		*size = (uint64_t)b->stored_size;
		strlcpy(form, b->form, FORM_BYTES);
		return (store_open_file(e->store, b->file_path,
		    b->stored_size, err));
	}
	*size = (uint64_t)b->remote_size;
	strlcpy(form, b->remote_form, FORM_BYTES);
	if (catalog_remote_file(e->catalog, b->id, name))
		return (store_remote_open(e->store, b->database, name,
		    b->remote_size, err));
	strlcpy(err, "the file for the remote was removed already",
	    TEXT_BYTES);
	errno = ENOENT;
	return (-1);
}

int
forms_remote_drop(struct engine *e, int64_t backup_id, const char *database,
    char *err)
{
	char	name[NAME_BYTES];

	if (!catalog_remote_file(e->catalog, backup_id, name))
		return (0);
	if (store_remote_remove(e->store, database, name, err) == -1)
		return (-1);
	catalog_remote_gone(e->catalog, backup_id);
	return (0);
}

void
forms_remote_settle(struct engine *e, int64_t backup_id)
{
	struct m_backup	b;
	char		err[TEXT_BYTES];

	if (!catalog_remote_waits(e->catalog, backup_id) &&
	    catalog_get(e->catalog, backup_id, &b) == 1 &&
	    forms_remote_drop(e, backup_id, b.database, err) == -1)
		log_warnx("%s", err);	/* the next start tries again */
}
