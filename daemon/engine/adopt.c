/*
 * The engine runs this at start: an artifact that has its name, and no row
 * in the catalog (the catalog was lost, or is older: H19).  It is checked
 * like any other and gets a row; it is never removed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

static void
release(struct job *j)
{
	free(j->data);
}

static void
adopt_failed(struct job *j, enum err code, const char *text)
{
	struct store_orphan	*o = j->data;
	struct m_error		 error;

	memset(&error, 0, sizeof(error));
	error.code = code;
	snprintf(error.text, sizeof(error.text), "%.250s: %.250s",
	    o->file_path, text);
	if (j->backup_id != 0)
		catalog_failed(j->engine->catalog, j->backup_id, error.text,
		    VERDICT_DAMAGED, o->file_path);
	job_failed(j, &error);
}

static void
on_verified(void *arg, const struct task_result *r)
{
	struct job		*j = arg;
	struct store_orphan	*o = j->data;
	struct m_w_captured	 c;
	struct m_w_verified	 v;
	struct m_error		 error;

	if (verify_result(r, -1, &v, &error) == -1) {
		adopt_failed(j, error.code, error.text);
		return;
	}
	/* What was not written down at capture is not known any more. */
	memset(&c, 0, sizeof(c));
	c.size = v.size;
	strlcpy(c.checksum, v.checksum, sizeof(c.checksum));
	catalog_proven(j->engine->catalog, j->backup_id, o->file_path, &c,
	    &v);
	if (v.verdict == VERDICT_DAMAGED) {
		adopt_failed(j, E_DATABASE_DAMAGED, v.text);
		return;
	}
	catalog_published(j->engine->catalog, j->backup_id);
	log_info("adopted %s as backup %lld", o->file_path,
	    (long long)j->backup_id);
	job_done(j);
}

static void
run(struct job *j)
{
	struct store_orphan	*o = j->data;
	struct engine		*e = j->engine;
	struct m_backup		 known;
	struct catalog_new	 row;
	struct m_w_verify	 order;
	char			 err[TEXT_BYTES];
	int			 fd;

	memset(&row, 0, sizeof(row));
	row.database = o->database;
	row.name = "";
	row.description = "found without an entry in the catalog";
	row.type = "system";
	row.created_ms = o->created_ms;
	row.id = catalog_get(e->catalog, o->id, &known) == 1 ? 0 : o->id;
	j->backup_id = catalog_insert(e->catalog, &row);
	fd = store_open_file(e->store, o->file_path, -1, err);
	if (fd == -1) {
		adopt_failed(j, E_IO_ERROR, err);
		return;
	}
	memset(&order, 0, sizeof(order));
	order.level = VERIFY_QUICK;
	if (verify_start(e, &order, fd, NULL, on_verified, j) == -1)
		adopt_failed(j, E_BUSY, "too many workers run");
}

void
adopt_orphan(const struct store_orphan *orphan, void *arg)
{
	struct engine		*e = arg;
	struct store_orphan	*o;

	o = xmalloc(sizeof(*o));
	*o = *orphan;
	if (job_new(e, "adopt", NULL, run, release, o) == NULL) {
		log_warnx("%s is not adopted now: too many jobs wait",
		    o->file_path);
		free(o);
	}
}
