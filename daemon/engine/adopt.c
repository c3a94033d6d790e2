/*
 * The engine runs this at start: an artifact that has its name, and no row
 * in the catalog (the catalog was lost, or is older: H19).  It is unpacked
 * and checked like any other and gets a row; it is never removed.  What is
 * encrypted can only be checked with an identity: without, it is adopted
 * unproven, and its row says so.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/forms.h"

struct adopting {
	struct store_orphan orphan;
	int		 sealed;	/* it cannot be opened */
	char		 stored_checksum[CHECKSUM_BYTES];	/* "": image */
};

static void
release(struct job *j)
{
	free(j->data);
}

/* Does this say something of the file, or only of this moment? */
static int
is_verdict(enum err code)
{
	return (code != E_BUSY && code != E_SHUTTING_DOWN &&
	    code != E_INSUFFICIENT_SPACE);
}

/* A file that nobody could look at stays without an entry: the next start
 * finds it again. */
static void
adopt_failed(struct job *j, enum err code, const char *text)
{
	struct adopting	*a = j->data;
	struct m_error	 error;

	memset(&error, 0, sizeof(error));
	error.code = code;
	snprintf(error.text, sizeof(error.text), "%.250s: %.250s",
	    a->orphan.file_path, text);
	if (j->backup_id != 0 && is_verdict(code))
		catalog_failed(j->engine->catalog, j->backup_id, error.text,
		    VERDICT_DAMAGED, a->orphan.file_path);
	else if (j->backup_id != 0)
		catalog_failed(j->engine->catalog, j->backup_id, error.text,
		    VERDICT_NONE, NULL);
	job_failed(j, &error);
}

/* Of bytes that nobody here can read only their hash is known. */
static void
sealed(struct adopting *a, struct m_w_verified *v)
{
	strlcpy(a->stored_checksum, v->checksum, sizeof(a->stored_checksum));
	v->checksum[0] = '\0';
	v->size = 0;
	v->verdict = VERDICT_UNKNOWN;
	strlcpy(v->text, "it was found without an entry in the catalog and "
	    "is encrypted: nobody could check it without its identity",
	    sizeof(v->text));
}

static void
on_verified(void *arg, const struct task_result *r)
{
	struct job		*j = arg;
	struct adopting		*a = j->data;
	struct m_w_captured	 c;
	struct m_w_verified	 v;
	struct m_error		 error;
	struct catalog_stored	 s;

	if (verify_result(r, -1, &v, &error) == -1) {
		adopt_failed(j, error.code, error.text);
		return;
	}
	if (a->sealed)
		sealed(a, &v);
	/* What was not written down at capture is not known any more. */
	memset(&c, 0, sizeof(c));
	c.size = v.size;
	strlcpy(c.checksum, v.checksum, sizeof(c.checksum));
	catalog_proven(j->engine->catalog, j->backup_id,
	    a->orphan.file_path, &c, &v, &j->spent);
	if (a->stored_checksum[0] != '\0') {
		s.form = a->orphan.form;
		s.size = (uint64_t)a->orphan.size;
		s.checksum = a->stored_checksum;
		catalog_stored(j->engine->catalog, j->backup_id, &s);
	}
	if (v.verdict == VERDICT_DAMAGED) {
		adopt_failed(j, E_DATABASE_DAMAGED, v.text);
		return;
	}
	catalog_published(j->engine->catalog, j->backup_id);
	log_info("adopted %s as backup %lld%s", a->orphan.file_path,
	    (long long)j->backup_id, a->sealed ? ", unchecked: it is "
	    "encrypted" : "");
	job_done(j);
}

static void
check(struct job *j, int fd, enum verify_level level)
{
	struct m_w_verify	o;

	memset(&o, 0, sizeof(o));
	o.level = level;
	if (verify_start(j->engine, &o, fd, NULL, on_verified, j) == -1)
		adopt_failed(j, E_BUSY, task_refusal());
}

/* The identity that is configured is another one now. */
static void
check_sealed(struct job *j)
{
	struct adopting	*a = j->data;
	char		 err[TEXT_BYTES];
	int		 fd;

	a->sealed = 1;
	fd = store_open_file(j->engine->store, a->orphan.file_path,
	    a->orphan.size, err);
	if (fd == -1)
		adopt_failed(j, store_starved() ? E_BUSY : E_IO_ERROR, err);
	else
		check(j, fd, VERIFY_NONE);
}

static void
on_image(void *arg, const struct image_result *r)
{
	struct job	*j = arg;
	struct adopting	*a = j->data;

	if (r->error.code == E_IDENTITY_WRONG) {
		check_sealed(j);
		return;
	}
	if (r->error.code != E_NONE) {
		adopt_failed(j, r->error.code, r->error.text);
		return;
	}
	strlcpy(a->stored_checksum, r->stored_checksum,
	    sizeof(a->stored_checksum));
	check(j, r->fd, VERIFY_QUICK);
}

static void
open_image(struct job *j, int fd)
{
	struct adopting		*a = j->data;
	struct conf_database	*d = conf_database(j->engine->conf,
				    a->orphan.database);
	struct image_order	 o;
	char			 identity[IDENTITY_BYTES], err[TEXT_BYTES];

	memset(&o, 0, sizeof(o));
	identity[0] = '\0';
	o.fd = fd;
	o.form = form_parse(a->orphan.form);
	o.size = -1;
	o.id = (int64_t)j->id;
	o.identity = identity;
	o.done = on_image;
	o.arg = j;
	if ((o.form & FORM_AGE) && d != NULL && d->identity_file != NULL &&
	    identity_load(d->identity_file, identity, err) == -1)
		log_warnx("database %s: %s", d->name, err);
	if ((o.form & FORM_AGE) && identity[0] == '\0') {
		a->sealed = 1;
		check(j, fd, VERIFY_NONE);
	} else
		image_open(j->engine, &o);
	explicit_bzero(identity, sizeof(identity));
}

static void
run(struct job *j)
{
	struct adopting		*a = j->data;
	struct engine		*e = j->engine;
	struct m_backup		 known;
	struct catalog_new	 row;
	char			 err[TEXT_BYTES];
	int			 fd;

	memset(&row, 0, sizeof(row));
	row.database = a->orphan.database;
	row.name = "";
	row.description = "found without an entry in the catalog";
	row.type = "system";
	row.created_ms = a->orphan.created_ms;
	row.id = catalog_get(e->catalog, a->orphan.id, &known) == 1 ? 0 :
	    a->orphan.id;
	j->backup_id = catalog_insert(e->catalog, &row);
	fd = store_open_file(e->store, a->orphan.file_path, a->orphan.size,
	    err);
	if (fd == -1)
		adopt_failed(j, store_starved() ? E_BUSY : E_IO_ERROR, err);
	else
		open_image(j, fd);
}

void
adopt_orphan(const struct store_orphan *orphan, void *arg)
{
	struct engine	*e = arg;
	struct adopting	*a;

	a = xcalloc(1, sizeof(*a));
	a->orphan = *orphan;
	if (job_new(e, "adopt", NULL, run, release, a) == NULL) {
		log_warnx("%s is not adopted now: too many jobs wait",
		    orphan->file_path);
		free(a);
	}
}
