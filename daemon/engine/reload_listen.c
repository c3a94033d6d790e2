/*
 * The engine runs this when the configuration is read anew: listeners.
 * One that is in both configurations is not touched.  The engine has a
 * descriptor of each, so that one that begins to speak TLS, or ends to,
 * never stops listening.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/engine/conf_int.h"
#include "daemon/engine/reload.h"

static int
text_equal(const char *a, const char *b)
{
	return (a == NULL || b == NULL ? a == b : strcmp(a, b) == 0);
}

/* The same address, or path. */
static int
same_place(const struct conf_listen *a, const struct conf_listen *b)
{
	return (a->kind == b->kind && (a->kind == LISTEN_UNIX ?
	    strcmp(a->path, b->path) == 0 : a->port == b->port &&
	    strcmp(a->address, b->address) == 0));
}

static int
same_wire(const struct conf_listen *a, const struct conf_listen *b)
{
	return (text_equal(a->tls_certificate, b->tls_certificate) &&
	    text_equal(a->tls_key, b->tls_key) &&
	    text_equal(a->tls_client_ca, b->tls_client_ca) &&
	    a->tls_required == b->tls_required);
}

static struct conf_listen *
listen_like(struct conf *conf, const struct conf_listen *like)
{
	struct conf_listen	*l;

	TAILQ_FOREACH(l, &conf->listens, entry) {
		if (same_place(l, like))
			break;
	}
	return (l);
}

int
reload_listen_open(struct engine *e, struct conf *next, char *why,
    size_t size)
{
	struct conf_listen	*l, *mine;

	TAILQ_FOREACH(l, &next->listens, entry) {
		if ((mine = listen_like(e->conf, l)) != NULL &&
		    mine->fd != -1)
			continue;
		if (listener_open(l, why, size) == 0 || l->is_default)
			continue;
		return (-1);	/* conf_free closes the others */
	}
	return (0);
}

/* A new file or rule for TLS, in the place of an old one. */
static void
rewire(struct engine *e, struct conf_listen *mine, struct conf_listen *l)
{
	struct conf_listen	was = *mine;

	front_listen_end(e, mine);
	mine->tls_certificate = l->tls_certificate;
	mine->tls_key = l->tls_key;
	mine->tls_client_ca = l->tls_client_ca;
	mine->tls_required = l->tls_required;
	l->tls_certificate = was.tls_certificate;
	l->tls_key = was.tls_key;
	l->tls_client_ca = was.tls_client_ca;
	l->tls_required = was.tls_required;
	front_listen_send(e, mine);
}

/* mine stays: 1 when something about it is other now. */
static int
listen_keep(struct engine *e, struct conf_listen *mine,
    struct conf_listen *l, char *note, size_t size)
{
	int	changed = 0;

	mine->is_default = l->is_default;
	mine->plaintext = l->plaintext;
	if (!same_wire(mine, l)) {
		rewire(e, mine, l);
		changed = 1;
	}
	if (mine->kind != LISTEN_UNIX)
		return (changed);
	if (!text_equal(mine->group, l->group))
		(void)snprintf(note, size, "the group of socket %s",
		    mine->path);
	if (mine->mode != l->mode) {
		if (chmod(mine->path, l->mode) == -1)
			log_warn("mode of socket %s", mine->path);
		mine->mode = l->mode;
		changed = 1;
	}
	return (changed);
}

static void
listen_end(struct engine *e, struct conf_listen *l)
{
	front_listen_end(e, l);
	if (l->kind == LISTEN_UNIX && l->fd != -1)
		(void)unlink(l->path);
	conf_listen_free(l);
}

void
reload_listen_take(struct engine *e, struct conf *next, struct tally *t,
    char *note, size_t size)
{
	struct conf_listens	 fresh;
	struct conf_listen	*l, *after, *mine;

	TAILQ_INIT(&fresh);
	/* Those that go, first: front has room for so many only. */
	for (l = TAILQ_FIRST(&e->conf->listens); l != NULL; l = after) {
		after = TAILQ_NEXT(l, entry);
		if (listen_like(next, l) != NULL)
			continue;
		t->n[2] += l->fd != -1;
		TAILQ_REMOVE(&e->conf->listens, l, entry);
		listen_end(e, l);
	}
	for (l = TAILQ_FIRST(&next->listens); l != NULL; l = after) {
		after = TAILQ_NEXT(l, entry);
		mine = listen_like(e->conf, l);
		if (mine != NULL && mine->fd != -1) {
			t->n[1] += (uint32_t)listen_keep(e, mine, l, note,
			    size);
			continue;
		}
		if (mine != NULL) {
			TAILQ_REMOVE(&e->conf->listens, mine, entry);
			conf_listen_free(mine);
		}
		TAILQ_REMOVE(&next->listens, l, entry);
		TAILQ_INSERT_TAIL(&e->conf->listens, l, entry);
		if (l->fd != -1) {
			front_listen_send(e, l);
			t->n[0]++;
		}
	}
	tls_watch(e);
}
