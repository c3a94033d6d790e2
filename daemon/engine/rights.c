/*
 * The engine runs this: who is at the other end of each connection, and
 * what he may do (H17, D10).  Front passes the accepted socket; the kernel
 * is asked here, at once, and the socket closed.  Front never says who
 * somebody is: it hands on what a request has of credentials, and they are
 * judged here.  A right is a verb on a database.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/peer.h"
#include "common/util.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/limits.h"
#include "daemon/engine/token.h"

#define CONNS_SPARE	64	/* opened by front, not yet closed for us */
#define GROUPS_MAX	64

struct conn {
	TAILQ_ENTRY(conn) entry;
	uint64_t	id;
	uid_t		uid;
	int		known;
	int		certificates;	/* its listener takes them */
	char		address[ADDRESS_BYTES];
	struct limit_key key;
	int		groups_known;	/* of the uid; asked when a rule wants */
	int		ngroups;
	gid_t		groups[GROUPS_MAX];
};

/* Who asks one request, as far as it could be proven. */
struct caller {
	struct engine	*engine;
	struct conn	*conn;
	int		 forwarded;
	int		 has_token;
	const char	*token_bad;	/* why it gives nothing, or NULL */
	struct catalog_token token;
	struct grants	 grants;	/* the token's */
	const char	*certificate;	/* names, or "" */
};

/* ---- connections ---- */

static struct conn *
conn_by_id(struct engine *e, uint64_t id)
{
	struct conn	*c;

	/* The newest ask most. */
	TAILQ_FOREACH_REVERSE(c, &e->conns, conn_list, entry) {
		if (c->id == id)
			return (c);
	}
	return (NULL);
}

/* root, and the user who started the daemon, may do everything. */
static int
privileged(const struct conn *c)
{
	return (c->known && (c->uid == 0 || c->uid == geteuid()));
}

/* The other end as text, and what failures are counted by. */
static void
conn_address(struct conn *c, int sock)
{
	struct sockaddr_storage	 ss;
	struct sockaddr_in	*in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6	*in6 = (struct sockaddr_in6 *)&ss;
	socklen_t		 n = sizeof(ss);
	uint32_t		 uid = c->uid;

	memset(&ss, 0, sizeof(ss));
	memset(&c->key, 0, sizeof(c->key));
	c->key.kind = LIMIT_OTHER;
	strlcpy(c->address, "unknown", sizeof(c->address));
	if (getpeername(sock, (struct sockaddr *)&ss, &n) == 0) {
		if (ss.ss_family == AF_UNIX)
			strlcpy(c->address, "unix", sizeof(c->address));
		else if (ss.ss_family == AF_INET) {
			inet_ntop(AF_INET, &in->sin_addr, c->address,
			    sizeof(c->address));
			c->key.kind = LIMIT_V4;
			memcpy(c->key.value, &in->sin_addr, 4);
		} else if (ss.ss_family == AF_INET6) {
			inet_ntop(AF_INET6, &in6->sin6_addr, c->address,
			    sizeof(c->address));
			c->key.kind = LIMIT_V6;
			memcpy(c->key.value, &in6->sin6_addr, 8);
		}
	}
	if (c->known) {
		memset(&c->key, 0, sizeof(c->key));
		c->key.kind = LIMIT_UID;
		memcpy(c->key.value, &uid, sizeof(uid));
	}
}

void
rights_open(struct engine *e, uint64_t id, int sock)
{
	struct m_conn_rights	 m = { 0 };
	struct conn		*c;

	if (conn_by_id(e, id) != NULL)
		fatalx("front: connection %ju twice", (uintmax_t)id);
	if (e->nconns >= e->connections_top + CONNS_SPARE)
		fatalx("front: more connections than it may have");
	c = xcalloc(1, sizeof(*c));
	c->id = id;
	c->known = listeners_uid_counts(e->conf, sock) &&
	    peer_uid(sock, &c->uid) == 0;
	c->certificates = listeners_client_ca(e->conf, sock);
	conn_address(c, sock);
	close(sock);
	TAILQ_INSERT_TAIL(&e->conns, c, entry);
	e->nconns++;
	m.rights = privileged(c) ? RIGHTS_ALL : 0;
	m.uid = c->known ? c->uid : UINT32_MAX;
	chan_send(e->front.chan, MSG_CONN_RIGHTS, id, &m, sizeof(m), -1);
}

void
rights_close(struct engine *e, uint64_t id)
{
	struct conn	*c;

	if ((c = conn_by_id(e, id)) == NULL)
		fatalx("front: closes connection %ju, which is none",
		    (uintmax_t)id);
	TAILQ_REMOVE(&e->conns, c, entry);
	e->nconns--;
	free(c);
}

void
rights_free(struct engine *e)
{
	struct conn	*c;

	while ((c = TAILQ_FIRST(&e->conns)) != NULL) {
		TAILQ_REMOVE(&e->conns, c, entry);
		free(c);
	}
	e->nconns = 0;
}

/* ---- the configuration's rules ---- */

void
rights_init(struct engine *e)
{
	struct conf_allow	*a;
	struct passwd		*pw;
	struct group		*gr;
	struct conn		*c;

	/* Who is in which group is asked anew, too. */
	TAILQ_FOREACH(c, &e->conns, entry)
		c->groups_known = 0;
	TAILQ_FOREACH(a, &e->conf->allows, entry) {
		if (a->kind == ALLOW_USER &&
		    (pw = getpwnam(a->name)) != NULL) {
			a->id = pw->pw_uid;
			a->known = 1;
		} else if (a->kind == ALLOW_GROUP &&
		    (gr = getgrnam(a->name)) != NULL) {
			a->id = gr->gr_gid;
			a->known = 1;
		}
		if (!a->known && a->kind != ALLOW_CERTIFICATE)
			log_warnx("allow %s \"%s\": there is no such %s; it "
			    "allows nothing until the next reload",
			    a->kind == ALLOW_USER ? "user" : "group", a->name,
			    a->kind == ALLOW_USER ? "user" : "group");
	}
}

static int
in_group(struct conn *c, uint32_t gid)
{
	struct passwd	*pw;
	int		 i;

	if (!c->groups_known) {
		c->groups_known = 1;
		c->ngroups = GROUPS_MAX;
		if ((pw = getpwuid(c->uid)) == NULL)
			c->ngroups = 0;
		else if (getgrouplist(pw->pw_name, pw->pw_gid, c->groups,
		    &c->ngroups) == -1)
			c->ngroups = GROUPS_MAX;	/* those that fit */
	}
	for (i = 0; i < c->ngroups; i++) {
		if (c->groups[i] == gid)
			return (1);
	}
	return (0);
}

static int
applies(const struct conf_allow *a, struct conn *c)
{
	if (!a->known)		/* certificates never are */
		return (0);
	return (a->kind == ALLOW_USER ? a->id == c->uid :
	    in_group(c, a->id));
}

/* Whoever was given a pattern was given what it finds. */
static uint32_t
mask_of(const struct engine *e, const struct grants *g, const char *database)
{
	const struct conf_database	*d;
	uint32_t			 mask = grants_mask(g, database);

	if (database != NULL && strcmp(database, DATABASE_ANY) != 0 &&
	    (d = conf_database(e->conf, database)) != NULL &&
	    d->glob != NULL)
		mask |= grants_mask(g, d->glob->name);
	return (mask);
}

static int
owner_is(const struct conf_database *d, uid_t uid)
{
	return (d->owner_known && !d->owner_other && d->owner == uid);
}

static int
owns(const struct engine *e, const struct conn *c, const char *database)
{
	const struct conf_database	*d;

	if (strcmp(database, DATABASE_ANY) != 0) {
		d = conf_database(e->conf, database);
		return (d != NULL && owner_is(d, c->uid));
	}
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if (owner_is(d, c->uid))
			return (1);
	}
	return (0);
}

/* What the kernel's word for the uid is worth. */
static uint32_t
uid_mask(const struct engine *e, struct conn *c, const char *database)
{
	const struct conf_allow	*a;
	uint32_t		 mask = 0;

	if (!c->known)
		return (0);
	if (privileged(c))
		return (RIGHTS_ALL);
	TAILQ_FOREACH(a, &e->conf->allows, entry) {
		if (applies(a, c))
			mask |= mask_of(e, &a->grants, database);
	}
	if (database != NULL && owns(e, c, database))
		mask |= RIGHTS_ALL;
	return (mask);
}

/* Is name one of the lines? */
static int
has_line(const char *lines, const char *name)
{
	size_t	n = strlen(name), k;

	while (*lines != '\0') {
		k = strcspn(lines, "\n");
		if (k == n && memcmp(lines, name, n) == 0)
			return (1);
		lines += k + (lines[k] == '\n');
	}
	return (0);
}

/* What the names in a client's certificate, which front has verified, are
 * worth. */
static uint32_t
certificate_mask(const struct engine *e, const char *names,
    const char *database)
{
	const struct conf_allow	*a;
	uint32_t		 mask = 0;

	TAILQ_FOREACH(a, &e->conf->allows, entry) {
		if (a->kind == ALLOW_CERTIFICATE && has_line(names, a->name))
			mask |= mask_of(e, &a->grants, database);
	}
	return (mask);
}

/* ---- who asks ---- */

static void
caller_token(struct caller *c, const char *token)
{
	char	why[TEXT_BYTES];

	c->has_token = 1;
	if (token[0] == '\0' ||
	    !token_find(c->engine->catalog, token, &c->token))
		c->token_bad = "unknown";
	else if ((c->token_bad = token_dead(&c->token,
	    util_now_ms())) == NULL &&
	    grants_parse(&c->grants, c->token.rights, why, sizeof(why)) == -1) {
		log_warnx("token %s: %s", c->token.name, why);
		c->token_bad = "damaged";
	}
}

static void
caller_fill(struct engine *e, const struct m_asker *a, struct caller *c)
{
	memset(c, 0, sizeof(*c));
	c->engine = e;
	if (!msg_text_ok(a->token) || !msg_text_ok(a->certificate))
		fatalx("front: credentials without end");
	if ((c->conn = conn_by_id(e, a->conn)) == NULL)
		fatalx("front: request of connection %ju, which is none",
		    (uintmax_t)a->conn);
	/* H24: what a proxy forwards is not the proxy's own wish. */
	c->forwarded = (a->flags & ASKER_FORWARDED) != 0;
	/* Of a listener that asks for none it would be front's invention. */
	c->certificate = c->conn->certificates ? a->certificate : "";
	if (a->flags & ASKER_TOKEN)
		caller_token(c, a->token);
}

/* A token stands for its holder alone, and so does a certificate: it
 * replaces what the uid may. */
static uint32_t
caller_mask(const struct caller *c, const char *database)
{
	if (c->has_token)
		return (c->token_bad == NULL ?
		    mask_of(c->engine, &c->grants, database) : 0);
	if (c->forwarded)
		return (0);
	if (c->certificate[0] != '\0')
		return (certificate_mask(c->engine, c->certificate,
		    database));
	return (uid_mask(c->engine, c->conn, database));
}

static void
caller_who(const struct caller *c, struct who *w)
{
	memset(w, 0, sizeof(*w));
	w->uid = c->conn->known ? (int64_t)c->conn->uid : -1;
	strlcpy(w->address, c->conn->address, sizeof(w->address));
	if (c->forwarded)
		strlcat(w->address, " forwarded", sizeof(w->address));
	if (c->has_token && c->token.name[0] != '\0')
		snprintf(w->name, sizeof(w->name), "token %s", c->token.name);
	else if (c->has_token)
		strlcpy(w->name, "unknown token", sizeof(w->name));
	else if (c->certificate[0] != '\0')
		snprintf(w->name, sizeof(w->name), "certificate %.*s",
		    (int)strcspn(c->certificate, "\n"), c->certificate);
	else if (c->conn->known)
		snprintf(w->name, sizeof(w->name), "uid %u",
		    (unsigned)c->conn->uid);
	else
		strlcpy(w->name, "nobody", sizeof(w->name));
}

void
rights_who(struct engine *e, const struct m_asker *a, struct who *w)
{
	struct caller	c;

	caller_fill(e, a, &c);
	caller_who(&c, w);
}

int
rights_daemon_user(struct engine *e, const struct m_asker *a)
{
	struct caller	c;

	caller_fill(e, a, &c);
	return (!c.has_token && !c.forwarded && c.certificate[0] == '\0' &&
	    privileged(c.conn));
}

/* ---- refusals ---- */

/* The asker was refused: counted, written down, and told how long to wait
 * when it was too often. */
static enum err
refuse(struct caller *c, const char *action, const char *database,
    int64_t backup_id, uint32_t *wait_s)
{
	static const char	 many[] = "refused: TOO_MANY_REQUESTS, the "
				    "rest of this minute is not written down";
	struct who		 who;
	enum err		 code;
	char			 result[TEXT_BYTES];
	uint64_t		 now_us = util_monotonic_us();
	uint32_t		 n = 0;

	code = c->token_bad != NULL ? E_UNAUTHORIZED : E_FORBIDDEN;
	if (!privileged(c->conn)) {
		n = limit_failed(&c->conn->key, now_us);
		*wait_s = limit_wait_s(&c->conn->key, now_us);
		if (n > LIMIT_FAILURES)
			code = E_TOO_MANY_REQUESTS;
		else
			*wait_s = 0;
	}
	if (n > LIMIT_FAILURES + 1)
		return (code);
	caller_who(c, &who);
	snprintf(result, sizeof(result), "refused: %s%s%s%s",
	    err_desc(code)->token, c->token_bad != NULL ? " (" : "",
	    c->token_bad != NULL ? c->token_bad : "",
	    c->token_bad != NULL ? ")" : "");
	audit_refused(c->engine, &who, action, database, backup_id,
	    n > LIMIT_FAILURES ? many : result);
	return (code);
}

void
rights_refused(struct engine *e, uint64_t id, enum err code)
{
	struct caller	c;
	struct who	who;
	char		result[TEXT_BYTES];
	uint32_t	n = 0;

	memset(&c, 0, sizeof(c));
	c.engine = e;
	c.certificate = "";
	if ((c.conn = conn_by_id(e, id)) == NULL)
		fatalx("front: refused connection %ju, which is none",
		    (uintmax_t)id);
	if (!privileged(c.conn))
		n = limit_failed(&c.conn->key, util_monotonic_us());
	if (n > LIMIT_FAILURES)
		return;
	caller_who(&c, &who);
	snprintf(result, sizeof(result), "refused: %s by front",
	    err_desc(code)->token);
	audit_refused(e, &who, "request", "", 0, result);
}

enum err
rights_ask(struct engine *e, const struct m_asker *a, uint32_t right,
    const char *database, const char *action, int64_t backup_id,
    uint32_t *wait_s)
{
	struct caller	c;
	const char	*name = database == NULL ? "all" :
			    strcmp(database, DATABASE_ANY) == 0 ? "" :
			    database;
	int		 may;

	*wait_s = 0;
	caller_fill(e, a, &c);
	may = (caller_mask(&c, database) & right) == right;
	/*
	 * Whoever was refused too often waits, whatever he asks now; but a
	 * token that is good is nobody's guess, and its holder may share an
	 * address with those who guess.
	 */
	if (may && !c.has_token && !privileged(c.conn) && (*wait_s =
	    limit_wait_s(&c.conn->key, util_monotonic_us())) != 0)
		return (E_TOO_MANY_REQUESTS);
	if (!may)
		return (refuse(&c, action, name, backup_id, wait_s));
	if (c.has_token)
		catalog_token_used(e->catalog, &c.token, util_now_ms());
	return (E_NONE);
}

int
rights_has(struct engine *e, const struct m_asker *a, uint32_t right,
    const char *database)
{
	struct caller	c;

	caller_fill(e, a, &c);
	return ((caller_mask(&c, database) & right) == right);
}

/* ---- which databases somebody may see ---- */

static void
name_add(struct names *n, const char *name)
{
	if ((n->n & (n->n - 1)) == 0)
		n->list = xreallocarray(n->list, n->n == 0 ? 1 : n->n * 2,
		    sizeof(*n->list));
	strlcpy(n->list[n->n++], name, sizeof(n->list[0]));
}

static int
has_name(const struct names *n, const char *name)
{
	size_t	i;

	for (i = 0; i < n->n; i++) {
		if (strcmp(n->list[i], name) == 0)
			return (1);
	}
	return (0);
}

/* Those of its own rules too: a database may have left the configuration
 * and its backups stayed. */
static void
names_granted(struct names *n, const struct grants *g, uint32_t right)
{
	size_t	i;

	for (i = 0; i < g->n; i++) {
		if ((g->list[i].rights & right) == right &&
		    g->list[i].database[0] != '\0' &&
		    !has_name(n, g->list[i].database))
			name_add(n, g->list[i].database);
	}
}

void
rights_names(struct engine *e, const struct m_asker *a, uint32_t right,
    struct names *n)
{
	const struct conf_database	*d;
	struct caller			 c;

	memset(n, 0, sizeof(*n));
	caller_fill(e, a, &c);
	TAILQ_FOREACH(d, &e->conf->databases, entry) {
		if ((caller_mask(&c, d->name) & right) == right)
			name_add(n, d->name);
	}
	if (c.has_token && c.token_bad == NULL)
		names_granted(n, &c.grants, right);
}
