/*
 * The engine runs this: what buckets have that the catalog does not know,
 * at the first start on a new machine, or when a client asks for it.  A
 * manifest whose MAC is our key's makes a row; of any other nothing is
 * believed, it is only shown (H21).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/manifest.h"
#include "daemon/engine/remote_s3.h"

#define BATCH		64	/* manifests that are committed together */

struct recovery {
	uint64_t	 request;	/* front's, 0: nobody waits */
	struct m_user	 user;		/* whose strangers' entries are told */
	uint32_t	 listings;	/* under way */
	uint32_t	 recovered, told, skipped;
	struct m_remote_end end;
};

struct listing {
	TAILQ_ENTRY(listing) entry;
	uint64_t	 transfer;
	const struct conf_remote *remote;
	uint32_t	 place_turn;	/* of it, when asked */
	struct recovery	*recovery;
	struct m_manifest *batch;	/* ours, still to be written down */
	size_t		 n;
};
static TAILQ_HEAD(, listing) listings = TAILQ_HEAD_INITIALIZER(listings);

static void
recovery_end(struct engine *e, struct recovery *r)
{
	r->end.rows = r->told;
	r->end.skipped = r->skipped;
	if (r->request != 0)
		chan_send(e->front.chan, MSG_REP_REFRESH_END, r->request,
		    &r->end, sizeof(r->end), -1);
	if (r->recovered > 0)
		log_info("%u backups were found in buckets and written into "
		    "the catalog", r->recovered);
	free(r);
}

static void
recovery_begin(struct engine *e, uint64_t request, const struct m_user *user)
{
	const struct conf_remote	*c;
	struct m_net_list		 m;
	struct recovery			*r;
	struct listing			*l;

	r = xcalloc(1, sizeof(*r));
	r->request = request;
	r->user = *user;
	r->end.outcome = NET_OK;
	TAILQ_FOREACH(c, &e->conf->remotes, entry) {
		if (c->kind != REMOTE_S3)
			continue;
		l = xcalloc(1, sizeof(*l));
		l->transfer = ++e->next_transfer;
		l->remote = c;
		l->place_turn = c->place_turn;
		l->recovery = r;
		l->batch = xcalloc(BATCH, sizeof(*l->batch));
		TAILQ_INSERT_TAIL(&listings, l, entry);
		r->listings++;
		memset(&m, 0, sizeof(m));
		m.remote = c->index;
		chan_send(e->network.chan, MSG_NET_LIST, l->transfer, &m,
		    sizeof(m), -1);
	}
	if (r->listings == 0)
		recovery_end(e, r);
}

void
recover_init(struct engine *e)
{
	struct m_user	nobody;

	memset(&nobody, 0, sizeof(nobody));
	if (catalog_is_empty(e->catalog))
		recovery_begin(e, 0, &nobody);
}

void
recover_request(struct engine *e, uint64_t request,
    const struct m_user *user)
{
	recovery_begin(e, request, user);
}

/* ---- what network tells ---- */

static struct listing *
listing_of(uint64_t transfer)
{
	struct listing	*l;

	TAILQ_FOREACH(l, &listings, entry)
		if (l->transfer == transfer)
			return (l);
	return (NULL);
}

/* A stranger's text, of which a terminal may be shown. */
static void
clean(char *dst, size_t size, const char *s)
{
	char	*p;

	strlcpy(dst, s, size);
	for (p = dst; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

/* Can it be named in a request, and is it this user's? */
static int
is_shown(const struct recovery *r, const struct m_manifest *m)
{
	const char	*p, *slash = strchr(m->key, '/');

	if (r->request == 0 || slash == NULL || slash == m->key ||
	    strchr(slash + 1, '/') != NULL || strchr(m->key, ':') != NULL ||
	    m->object_size < 0)
		return (0);
	for (p = m->key; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return (0);
	return (r->user.kind == USER_NONE ||
	    strcmp(r->user.id, m->user.id) == 0);
}

static void
tell_stranger(struct engine *e, struct recovery *r,
    const struct m_manifest *m)
{
	struct m_remote_row	row;

	memset(&row, 0, sizeof(row));
	row.size = m->object_size;
	row.created_ms = m->created_ms;
	s3_id_of_key(row.remote_id, m->key);
	clean(row.name, sizeof(row.name), m->name);
	clean(row.description, sizeof(row.description), m->description);
	chan_send(e->front.chan, MSG_REP_REFRESH_ROW, r->request, &row,
	    sizeof(row), -1);
	r->told++;
}

static int
texts_ok(const struct m_manifest *m)
{
	return (msg_text_ok(m->user.id) && msg_text_ok(m->key) &&
	    msg_text_ok(m->database) && msg_text_ok(m->name) &&
	    msg_text_ok(m->description) && msg_text_ok(m->checksum) &&
	    msg_text_ok(m->stored_checksum) && msg_text_ok(m->form) &&
	    msg_text_ok(m->journal_mode) && msg_text_ok(m->installation) &&
	    msg_text_ok(m->tool_version) && msg_text_ok(m->type) &&
	    msg_text_ok(m->verdict) && msg_text_ok(m->mac) &&
	    m->user.kind <= USER_NUMBER);
}

/* A commit waits for the disk: one for many rows.  What a crash loses of
 * them the bucket still has. */
static void
batch_write(struct engine *e, struct listing *l)
{
	char	id[REMOTE_ID_BYTES];
	size_t	i;

	if (l->place_turn != l->remote->place_turn)
		l->n = 0;		/* another bucket goes by its name */
	if (l->n == 0)
		return;
	catalog_together(e->catalog);
	for (i = 0; i < l->n; i++) {
		s3_id_of_key(id, l->batch[i].key);
		if (catalog_recover(e->catalog, &l->batch[i],
		    l->remote->name, id) != 0)
			l->recovery->recovered++;
	}
	catalog_together_end(e->catalog);
	l->n = 0;
}

static void
on_row(struct engine *e, struct listing *l, const struct msg *msg)
{
	struct recovery		*r = l->recovery;
	struct m_manifest	 m;
	uint8_t			 key[KEY_BYTES];
	char			 err[TEXT_BYTES];

	memcpy(&m, msg->data, sizeof(m));
	if (!texts_ok(&m))
		fatalx("network: impossible NET_MANIFEST_ROW");
	if (store_key(e->store, key, err) == -1)
		fatalx("%s", err);
	if (manifest_true(&m, key)) {
		l->batch[l->n++] = m;
		if (l->n == BATCH)
			batch_write(e, l);
	} else if (is_shown(r, &m))
		tell_stranger(e, r, &m);
	else
		r->skipped++;
	explicit_bzero(key, sizeof(key));
}

static void
on_end(struct engine *e, struct listing *l, const struct msg *msg)
{
	struct recovery		*r = l->recovery;
	struct m_remote_end	 m;

	memcpy(&m, msg->data, sizeof(m));
	if (m.outcome > NET_CANCELLED || !msg_text_ok(m.reason))
		fatalx("network: impossible NET_LIST_END");
	r->skipped += m.skipped;
	if (m.outcome != NET_OK) {
		log_warnx("the backups at %s could not be listed: %s",
		    l->remote->name, m.reason);
		r->end.outcome = m.outcome;
		r->end.http_status = m.http_status;
		strlcpy(r->end.reason, m.reason, sizeof(r->end.reason));
	}
	batch_write(e, l);
	TAILQ_REMOVE(&listings, l, entry);
	free(l->batch);
	free(l);
	if (--r->listings == 0)
		recovery_end(e, r);
}

int
recover_message(struct engine *e, const struct msg *msg)
{
	struct listing	*l;

	if (msg->type != MSG_NET_MANIFEST_ROW && msg->type != MSG_NET_LIST_END)
		return (0);
	if ((l = listing_of(msg->id)) == NULL)
		fatalx("network: %s that nobody asked for",
		    msg_desc(msg->type)->name);
	if (msg->type == MSG_NET_MANIFEST_ROW)
		on_row(e, l, msg);
	else
		on_end(e, l, msg);
	return (1);
}
