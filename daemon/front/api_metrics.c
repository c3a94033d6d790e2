/*
 * The front runs this.  It owns GET /metrics, in the text format of
 * Prometheus (version 0.0.4): the engine tells its values, then the
 * network process, then front its own, in the order of proto/metrics.def.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/api.h"
#include "proto/metrics.h"

#define TYPE	"text/plain; version=0.0.4; charset=utf-8"
#define NONE	UINT32_MAX

struct scrape {
	struct evbuffer	*body;
	uint32_t	 last;		/* enum metric, or NONE */
};

static void
scrape_free(void *arg)
{
	struct scrape	*s = arg;

	evbuffer_free(s->body);
	free(s);
}

static void
print_label(struct evbuffer *b, const char *before, const char *name,
    const char *text)
{
	evbuffer_add_printf(b, "%s%s=\"", before, name);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			evbuffer_add(b, "\\n", 2);
		else if (*text == '"' || *text == '\\')
			evbuffer_add_printf(b, "\\%c", *text);
		else
			evbuffer_add(b, text, 1);
	}
	evbuffer_add(b, "\"", 1);
}

static void
print_value(struct evbuffer *b, int64_t v, enum metric_unit unit)
{
	if (unit == METRIC_UNIT_ONE)
		evbuffer_add_printf(b, " %lld\n", (long long)v);
	else
		evbuffer_add_printf(b, " %lld.%0*lld\n", (long long)v / unit,
		    unit == METRIC_UNIT_MS ? 3 : 6, (long long)v % unit);
}

static void
print_head(struct evbuffer *b, const struct metric_desc *d)
{
	int	n = (int)strlen(d->name);

	if (strcmp(d->type, "summary") == 0)
		n -= (int)strlen("_sum");
	evbuffer_add_printf(b, "# HELP cloudbackupd_%.*s %s\n"
	    "# TYPE cloudbackupd_%.*s %s\n", n, d->name, d->help, n,
	    d->name, d->type);
}

/* Rows of one metric stand together, behind what they mean. */
static void
print_row(struct scrape *s, const struct m_metric *m)
{
	const struct metric_desc	*d = metric_desc(m->metric);
	const char			*before = "{";
	size_t				 i;

	if (s->last != m->metric && d->type[0] != '\0')
		print_head(s->body, d);
	s->last = m->metric;
	evbuffer_add_printf(s->body, "cloudbackupd_%s", d->name);
	for (i = 0; i < METRIC_LABELS && d->labels[i][0] != '\0'; i++) {
		print_label(s->body, before, d->labels[i], m->labels[i]);
		before = ",";
	}
	if (i > 0)
		evbuffer_add(s->body, "}", 1);
	print_value(s->body, m->value, d->unit);
}

/* ---- front's own ---- */

static void
on_status(int status, uint64_t requests, void *arg)
{
	struct m_metric	m;

	memset(&m, 0, sizeof(m));
	m.metric = METRIC_HTTP_REQUESTS;
	m.value = (int64_t)requests;
	snprintf(m.labels[0], sizeof(m.labels[0]), "%d", status);
	print_row(arg, &m);
}

static void
scrape_end(struct conn *c, struct scrape *s)
{
	struct m_metric	m;

	access_each(on_status, s);
	memset(&m, 0, sizeof(m));
	m.metric = METRIC_HTTP_CONNECTIONS;
	m.value = (int64_t)conn_count();
	print_row(s, &m);
	if (reply_sized(c, 200, TYPE, evbuffer_get_length(s->body)) == 0)
		return;
	if (evbuffer_add_buffer(bufferevent_get_output(c->bev), s->body) ==
	    -1)
		fatalx("no memory for an answer");
	conn_complete(c);
}

/* ---- what the others tell ---- */

static void
on_network_row(struct conn *c, const struct msg *m)
{
	struct scrape	*s = c->req->api;
	struct m_metric	 row;

	/* NULL: it is gone, and the rest is told all the same. */
	if (m == NULL || m->type == MSG_TELL_METRICS_END) {
		scrape_end(c, s);
		return;
	}
	memcpy(&row, m->data, sizeof(row));
	print_row(s, &row);
}

static void
on_row(struct conn *c, const struct msg *m)
{
	struct scrape	*s = c->req->api;
	struct m_metric	 row;
	struct m_empty	 none = { 0 };

	if (m->type == MSG_REP_METRIC) {
		memcpy(&row, m->data, sizeof(row));
		if (!metric_ok(&row, ROLE_ENGINE) ||
		    (s->last != NONE && row.metric < s->last))
			fatalx("engine sent a metric that is none");
		print_row(s, &row);
	} else if (front.network != NULL)
		link_network(c, MSG_ASK_METRICS, &none, sizeof(none),
		    MSG_TELL_METRIC, MSG_TELL_METRICS_END, on_network_row);
	else
		scrape_end(c, s);
}

void
api_metrics(struct conn *c)
{
	struct m_req_admin	 req;
	struct scrape		*s;

	s = xcalloc(1, sizeof(*s));
	if ((s->body = evbuffer_new()) == NULL)
		fatalx("evbuffer_new");
	s->last = NONE;
	c->req->api = s;
	c->req->api_free = scrape_free;
	memset(&req, 0, sizeof(req));
	link_asker(c, &req.asker);
	link_engine(c, MSG_REQ_METRICS, &req, sizeof(req), MSG_REP_METRIC,
	    MSG_REP_METRICS_END, on_row);
}
