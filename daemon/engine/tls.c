/*
 * The engine runs this.  It owns the sight of certificates and private
 * keys: front, which speaks TLS, can open no file and gets them by
 * message.  They are sent again when they have changed, or on SIGHUP.
 * What is inside them is front's to judge; here they are bytes.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/engine.h"

#define WATCH_SECONDS	15

/* The files of a listener, in the order of enum tls_part. */
#define FILES		3

struct tls_watched {
	TAILQ_ENTRY(tls_watched) entry;
	const struct conf_listen *listen;
	uint64_t	 id;		/* in front */
	struct stat	 seen[FILES];
};

static const struct {
	const char	*what;
	int		 flags;
} files[FILES] = {
	[TLS_CERTIFICATE] = { "certificate", CONF_FILE_OWNER },
	[TLS_KEY] = { "key", CONF_FILE_OWNER | CONF_FILE_SECRET },
	[TLS_CLIENT_CA] = { "client ca", CONF_FILE_OWNER },
};

static const char *
file_path(const struct conf_listen *l, size_t i)
{
	const char	*paths[FILES];

	paths[TLS_CERTIFICATE] = l->tls_certificate;
	paths[TLS_KEY] = l->tls_key;
	paths[TLS_CLIENT_CA] = l->tls_client_ca;
	return (paths[i]);
}

static void
texts_free(struct conf_text texts[FILES])
{
	size_t	i;

	for (i = 0; i < FILES; i++)
		conf_text_free(&texts[i]);
}

/* All files of a listener: 0, or -1 and why, with nothing to free. */
static int
texts_read(const struct conf_listen *l, struct conf_text texts[FILES],
    char *dst, size_t size)
{
	const char	*path;
	char		 why[CONF_WHY_BYTES];
	size_t		 i;

	memset(texts, 0, FILES * sizeof(*texts));
	for (i = 0; i < FILES; i++) {
		if ((path = file_path(l, i)) == NULL ||
		    conf_file_read(path, files[i].flags, TLS_FILE_BYTES,
		    &texts[i], why) == 0)
			continue;
		(void)snprintf(dst, size, "%s \"%s\" %s", files[i].what, path,
		    why);
		texts_free(texts);
		return (-1);
	}
	return (0);
}

int
tls_check(const struct conf *conf)
{
	const struct conf_listen	*l;
	struct conf_text		 texts[FILES];
	char				 why[PATH_BYTES + CONF_WHY_BYTES];
	int				 result = 0;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (l->tls_certificate == NULL)
			continue;
		if (texts_read(l, texts, why, sizeof(why)) == 0)
			texts_free(texts);
		else {
			conf_error(conf->file, 0, "%s", why);
			result = -1;
		}
	}
	return (result);
}

static void
part_send(struct engine *e, uint64_t id, enum tls_part part,
    const struct conf_text *t)
{
	struct m_front_tls	m;
	size_t			at = 0;

	while (at < t->size) {
		memset(&m, 0, sizeof(m));
		m.part = part;
		m.size = (uint32_t)(t->size - at < sizeof(m.bytes) ?
		    t->size - at : sizeof(m.bytes));
		memcpy(m.bytes, t->data + at, m.size);
		at += m.size;
		chan_send(e->front.chan, MSG_FRONT_TLS, id, &m, sizeof(m),
		    -1);
	}
	explicit_bzero(&m, sizeof(m));
}

/* 0, or -1 and why. */
static int
watched_send(struct engine *e, const struct tls_watched *w, char *why,
    size_t size)
{
	struct conf_text	texts[FILES];
	struct m_front_tls	m;
	size_t			i;

	if (texts_read(w->listen, texts, why, size) == -1)
		return (-1);
	for (i = 0; i < FILES; i++)
		part_send(e, w->id, (enum tls_part)i, &texts[i]);
	texts_free(texts);
	memset(&m, 0, sizeof(m));
	m.part = TLS_USE;
	m.flags = w->listen->tls_required ? TLS_CLIENT_REQUIRED : 0;
	chan_send(e->front.chan, MSG_FRONT_TLS, w->id, &m, sizeof(m), -1);
	return (0);
}

/* Notes how the files are now: 1 if any is not as it was. */
static int
watched_changed(struct tls_watched *w)
{
	struct stat	 st, *old;
	const char	*path;
	size_t		 i;
	int		 changed = 0;

	for (i = 0; i < FILES; i++) {
		if ((path = file_path(w->listen, i)) == NULL)
			continue;
		old = &w->seen[i];
		if (stat(path, &st) == -1)
			memset(&st, 0, sizeof(st));
		if (st.st_dev != old->st_dev || st.st_ino != old->st_ino ||
		    st.st_size != old->st_size ||
		    st.st_mtim.tv_sec != old->st_mtim.tv_sec ||
		    st.st_mtim.tv_nsec != old->st_mtim.tv_nsec ||
		    st.st_ctim.tv_sec != old->st_ctim.tv_sec ||
		    st.st_ctim.tv_nsec != old->st_ctim.tv_nsec)
			changed = 1;
		*old = st;
	}
	return (changed);
}

void
tls_send(struct engine *e, uint64_t id, const struct conf_listen *l)
{
	struct tls_watched	*w;
	char			 why[PATH_BYTES + CONF_WHY_BYTES];

	w = xcalloc(1, sizeof(*w));
	w->listen = l;
	w->id = id;
	TAILQ_INSERT_TAIL(&e->tls, w, entry);
	(void)watched_changed(w);
	if (watched_send(e, w, why, sizeof(why)) == -1)
		log_warnx("%s", why);	/* front says what follows */
}

/* What is running goes on when the new files are no good. */
static void
watched_renew(struct engine *e, struct tls_watched *w)
{
	char	why[PATH_BYTES + CONF_WHY_BYTES];

	(void)watched_changed(w);	/* before they are read */
	if (watched_send(e, w, why, sizeof(why)) == -1)
		log_warnx("%s; %s port %u goes on with what it has", why,
		    w->listen->address, w->listen->port);
}

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct engine		*e = arg;
	struct tls_watched	*w;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(w, &e->tls, entry) {
		if (watched_changed(w))
			watched_renew(e, w);
	}
}

void
tls_forget(struct engine *e, const struct conf_listen *l)
{
	struct tls_watched	*w, *next;

	for (w = TAILQ_FIRST(&e->tls); w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (w->listen != l)
			continue;
		TAILQ_REMOVE(&e->tls, w, entry);
		free(w);
	}
}

void
tls_watch(struct engine *e)
{
	static const struct timeval	tv = { WATCH_SECONDS, 0 };

	if (TAILQ_EMPTY(&e->tls) || e->tls_timer != NULL)
		return;
	e->tls_timer = event_new(e->base, -1, EV_PERSIST, on_watch, e);
	if (e->tls_timer == NULL || event_add(e->tls_timer, &tv) == -1)
		fatalx("event_new");
}

void
tls_reload(struct engine *e)
{
	struct tls_watched	*w;

	TAILQ_FOREACH(w, &e->tls, entry)
		watched_renew(e, w);
}

void
tls_free(struct engine *e)
{
	struct tls_watched	*w;

	while ((w = TAILQ_FIRST(&e->tls)) != NULL) {
		TAILQ_REMOVE(&e->tls, w, entry);
		free(w);
	}
	if (e->tls_timer != NULL)
		event_free(e->tls_timer);
}
