/*
 * The engine runs this: the image of a backup, whatever form it is stored
 * in, for whoever restores, downloads, checks or adopts it.  A worker
 * without rights does it (H16), into a scratch file that loses its name at
 * once.  It owns that file until it is handed over; an identity passes
 * through and is kept nowhere.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/forms.h"

#define PATIENCE_MS	600000
#define ZSTD_MAGIC	"\x28\xb5\x2f\xfd"
#define AGE_MAGIC	"age-encryption.org/v1\n"

struct opening {
	struct engine	*engine;
	struct image_order order;
	struct artifact	 scratch;
};

uint32_t
image_form(int fd)
{
	char	head[sizeof(AGE_MAGIC) - 1];
	ssize_t	n;

	n = pread(fd, head, sizeof(head), 0);
	if (n == sizeof(head) && memcmp(head, AGE_MAGIC, sizeof(head)) == 0)
		return (FORM_AGE);
	return (n >= 4 && memcmp(head, ZSTD_MAGIC, 4) == 0 ? FORM_ZSTD : 0);
}

static void
on_progress(void *arg, const struct m_w_progress *m)
{
	struct opening	*p = arg;

	if (p->order.progress != NULL)
		p->order.progress(p->order.arg, m);
}

static void
finish(struct opening *p, const struct image_result *r)
{
	struct image_order	o = p->order;

	if (o.fd != -1)
		close(o.fd);
	store_discard(p->engine->store, &p->scratch);
	free(p);
	o.done(o.arg, r);
}

static void
fail(struct opening *p, enum err code, const char *text)
{
	struct image_result	r;

	memset(&r, 0, sizeof(r));
	r.fd = -1;
	r.error.code = code;
	strlcpy(r.error.text, text, sizeof(r.error.text));
	finish(p, &r);
}

static void
on_unpacked(void *arg, const struct task_result *t)
{
	struct opening		*p = arg;
	struct image_result	 r;
	struct m_w_unpacked	 m;

	if (!t->ok || t->type != MSG_W_UNPACKED) {
		fail(p, t->error.code, t->error.text);
		return;
	}
	memset(&r, 0, sizeof(r));
	memcpy(&m, t->data, sizeof(m));
	if ((r.fd = store_settle(p->engine->store, &p->scratch,
	    r.error.text)) == -1) {
		fail(p, E_IO_ERROR, r.error.text);
		return;
	}
	if (!told_size(r.fd, m.size) || !told_checksum(m.stored_checksum)) {
		close(r.fd);
		fail(p, E_WORKER_FAILED, "the worker gave an impossible "
		    "answer");
		return;
	}
	memcpy(r.stored_checksum, m.stored_checksum,
	    sizeof(r.stored_checksum));
	finish(p, &r);
}

/* How large it may become: 0, or -1 after the end. */
static int
space(struct opening *p, struct m_w_unpack *o)
{
	struct engine	*e = p->engine;
	uint64_t	 room = store_free_bytes(e->store);
	char		 text[TEXT_BYTES];

	room = room > e->conf->reserve ? room - e->conf->reserve : 0;
	o->size_max = room;
	if (p->order.size < 0)
		return (0);
	o->size_max = (uint64_t)p->order.size;
	o->flags |= UNPACK_SIZE;
	if (o->size_max <= room)
		return (0);
	snprintf(text, sizeof(text), "the unpacked backup needs %" PRIu64
	    " bytes in %.200s, where %" PRIu64 " are free beside the reserve",
	    o->size_max, store_path(e->store), room);
	fail(p, E_INSUFFICIENT_SPACE, text);
	return (-1);
}

static void
unpack(struct opening *p, struct m_w_unpack *o)
{
	struct task_order	t;
	struct task		*started;
	int			files[W_FILE_KINDS];

	memset(files, -1, sizeof(files));
	files[W_FILE_SOURCE] = p->order.fd;
	files[W_FILE_TARGET] = p->scratch.fd;
	memset(&t, 0, sizeof(t));
	t.type = MSG_W_UNPACK;
	t.data = o;
	t.size = sizeof(*o);
	t.fd = -1;
	t.files = files;
	t.what = "unpacking";
	t.look_patience_ms = t.patience_ms = PATIENCE_MS;
	t.progress = on_progress;
	t.done = on_unpacked;
	t.arg = p;
	started = task_start(p->engine, &t);
	explicit_bzero(o, sizeof(*o));
	/* Only the worker can write to it from here on. */
	close(p->scratch.fd);
	p->scratch.fd = -1;
	if (started == NULL)
		fail(p, E_BUSY, task_refusal());
}

static void
begin(struct opening *p, const char *identity)
{
	struct m_w_unpack	o;
	struct engine		*e = p->engine;
	char			 err[TEXT_BYTES];
	uint32_t		 code;

	if (p->order.form & FORM_AGE && identity[0] == '\0') {
		fail(p, E_IDENTITY_NEEDED, "the backup is encrypted, and no "
		    "identity was given");
		return;
	}
	memset(&o, 0, sizeof(o));
	o.uid = e->verify_uid;
	o.gid = e->verify_gid;
	o.form = p->order.form;
	if (space(p, &o) == -1)
		return;
	if (store_create(e->store, STORE_SCRATCH, p->order.id, &p->scratch,
	    &code, err) == -1) {
		fail(p, code, err);
		return;
	}
	strlcpy(o.identity, identity, sizeof(o.identity));
	unpack(p, &o);
}

void
image_open(struct engine *e, const struct image_order *o)
{
	struct image_result	 r;
	struct opening		*p;
	uint32_t		 form = o->form;

	p = xcalloc(1, sizeof(*p));
	p->engine = e;
	p->order = *o;
	p->order.identity = NULL;
	p->scratch.fd = -1;
	if (form == FORM_UNKNOWN && (form = image_form(o->fd)) == FORM_AGE &&
	    (o->identity == NULL || o->identity[0] == '\0'))
		p->order.form = FORM_AGE;
	if (form != 0) {
		begin(p, o->identity == NULL ? "" : o->identity);
		return;
	}
	memset(&r, 0, sizeof(r));
	r.fd = p->order.fd;
	p->order.fd = -1;
	finish(p, &r);
}
