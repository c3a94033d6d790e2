/*
 * What events are made of, alone: the body of a webhook, what is hidden,
 * the rate of a job; and the catalog's events, hooks and alarms.
 */
#include <json-c/json.h>

#include <stdlib.h>
#include <string.h>

#include "catalog_lib.h"
#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/hook_body.h"
#include "daemon/engine/rate.h"
#include "unit.h"

#define S	UINT64_C(1000000)

/* A member of a body, or "(none)"; json-c reads what we wrote by hand. */
static const char *
member(const char *body, const char *key)
{
	static struct json_object	*o;
	struct json_object		*v;

	json_object_put(o);
	if ((o = json_tokener_parse(body)) == NULL)
		return ("(no JSON)");
	if (!json_object_object_get_ex(o, key, &v))
		return ("(none)");
	return (v == NULL ? "null" : json_object_get_string(v));
}

static void
bodies(void)
{
	char		 body[HOOK_BODY_BYTES];
	struct m_event	 ev;
	const char	*text;
	size_t		 n, i;
	int		 bad = 0;

	memset(&ev, 0, sizeof(ev));
	ev.id = 17;
	ev.at_ms = INT64_C(1700000000123);
	util_copy(ev.kind, "completed");
	util_copy(ev.database, "shop");
	util_copy(ev.text, "a \"quoted\" \\ line\nand \x01 \x7f \xc3\xa9 \xff.");
	n = hook_body(body, &ev, "till-3", "0f8f");
	ok(n == strlen(body), "the length is told");
	ok(strcmp(member(body, "id"), "17") == 0, "id");
	ok(strcmp(member(body, "event"), "completed") == 0, "event");
	ok(strcmp(member(body, "at"), "2023-11-14T22:13:20.123Z") == 0, "at");
	ok(strcmp(member(body, "host"), "till-3") == 0, "host");
	ok(strcmp(member(body, "installation"), "0f8f") == 0,
	    "installation");
	ok(strcmp(member(body, "backup_id"), "null") == 0 &&
	    strcmp(member(body, "remote"), "null") == 0,
	    "what does not apply is null");
	ok(strcmp(member(body, "text"), "a \"quoted\" \\ line\nand \x01 \x7f "
	    "\xc3\xa9 \xef\xbf\xbd.") == 0, "text: escaped, and made UTF-8");
	ev.backup_id = INT64_MAX;
	(void)hook_body(body, &ev, "", "");
	ok(strcmp(member(body, "backup_id"), "9223372036854775807") == 0 &&
	    strcmp(member(body, "host"), "null") == 0, "the largest id");

	/* The longest of everything, all of it to be escaped. */
	memset(ev.database, '\\', sizeof(ev.database) - 1);
	memset(ev.place, '"', sizeof(ev.place) - 1);
	for (i = 0; i < 255; i++) {
		memset(ev.text, (int)i + 1, sizeof(ev.text) - 1);
		n = hook_body(body, &ev, ev.place, ev.place);
		bad += n >= HOOK_BODY_BYTES || n != strlen(body) ||
		    strcmp(member(body, "id"), "17") != 0;
	}
	ok(bad == 0, "whatever the texts are, it fits and is JSON");
	memset(ev.database, 1, sizeof(ev.database) - 1);
	memset(ev.place, 1, sizeof(ev.place) - 1);
	memset(ev.text, 1, sizeof(ev.text) - 1);
	(void)hook_body(body, &ev, ev.place, ev.place);
	text = member(body, "text");
	ok(strlen(text) > 300 && strspn(text, "\x01") == strlen(text),
	    "a text for which there is no room is cut");
}

static void
labels(void)
{
	static const char *const	cases[][2] = {
		{ "https://h.example.org/x?key=s", "https://h.example.org" },
		{ "https://me:pw@h.example.org:8443/x",
		    "https://h.example.org:8443" },
		{ "http://me:p@w@h#x@y", "http://h" },
		{ "http://[::1]:80", "http://[::1]:80" },
		{ "nonsense with secrets", "a webhook" },
	};
	char				label[64];
	size_t				i;

	for (i = 0; i < nitems(cases); i++) {
		hook_label(label, sizeof(label), cases[i][0]);
		ok(strcmp(label, cases[i][1]) == 0, "label of %s: %s",
		    cases[i][0], label);
	}
}

static void
rates(void)
{
	struct rate	r;
	uint64_t	t;

	rate_reset(&r);
	ok(rate_per_s(&r, 0) == 0, "nothing known: no rate");
	rate_add(&r, S, 0);
	ok(rate_per_s(&r, 2 * S) == 0, "one sample: no rate");
	for (t = 1; t <= 40; t++)	/* every 50 ms, 1 MB/s */
		rate_add(&r, S + t * S / 20, t * 50000);
	ok(rate_per_s(&r, 3 * S) == 1000000, "even: %llu",
	    (unsigned long long)rate_per_s(&r, 3 * S));
	for (t = 1; t <= 200; t++)	/* ten seconds at a tenth of it */
		rate_add(&r, 3 * S + t * S / 20, 2000000 + t * 5000);
	ok(rate_per_s(&r, 13 * S) == 100000, "it slides: %llu",
	    (unsigned long long)rate_per_s(&r, 13 * S));
	ok(rate_per_s(&r, 16 * S) < 60000, "a pause counts");
	ok(rate_per_s(&r, 60 * S) == 0, "a long one is a halt");
	ok(rate_per_s(&r, 0) == 0, "a clock that went back");
	rate_add(&r, 61 * S, 10);
	ok(rate_per_s(&r, 62 * S) == 0, "fewer bytes begin anew");
	ok(rate_eta_s(100, 50, 1050) == 10, "what is left");
	ok(rate_eta_s(0, 50, 1050) == -1 && rate_eta_s(1, 2, 1) == -1 &&
	    rate_eta_s(1, 0, 0) == -1, "not known");
	ok(rate_eta_s(1, 0, UINT64_MAX) == -1, "more than a year");
}

static uint32_t	seen;
static int64_t	seen_last;

static void
on_event(const struct m_event *ev, void *arg)
{
	(void)arg;
	seen++;
	seen_last = ev->id;
}

static void
add(struct catalog *c, const char *kind, const char *database)
{
	struct catalog_event	ev;

	memset(&ev, 0, sizeof(ev));
	ev.at_ms = 1;
	ev.kind = kind;
	ev.about.database = database;
	ev.about.place = "";
	ev.text = "x";
	(void)catalog_event_add(c, &ev);
}

static void
catalog_life(struct catalog *c)
{
	struct catalog_alarm	a;
	struct catalog_hook	h;
	char			name[80];

	ok(catalog_events_newest(c) == 0 && !catalog_troubled(c),
	    "nothing has happened");
	add(c, "completed", "shop");
	ok(!catalog_troubled(c), "all is well");
	add(c, "failed", "shop");
	add(c, "late", "till");
	ok(catalog_troubled(c), "a failure is trouble");
	add(c, "completed", "shop");
	ok(catalog_troubled(c), "another database's success is none");
	add(c, "completed", "till");
	ok(!catalog_troubled(c), "until it went well");
	add(c, "drill_failed", "shop");
	add(c, "completed", "shop");
	ok(catalog_troubled(c), "a drill is judged by drills");
	add(c, "drilled", "shop");
	ok(!catalog_troubled(c), "which go well again");
	add(c, "dropped", "shop");
	ok(catalog_troubles_clear(c, "till") == 0 && catalog_troubled(c) &&
	    catalog_troubles_clear(c, "") == 1 && !catalog_troubled(c),
	    "or somebody has seen it");
	ok(catalog_events(c, 2, 3, on_event, NULL) == 5 && seen == 3 &&
	    seen_last == 5, "a page of events");
	ok(catalog_alarm_raise(c, "shop", "shrunk", "so", 5) == 1 &&
	    catalog_alarm_raise(c, "shop", "shrunk", "so", 6) == 0,
	    "an alarm is raised once");
	ok(catalog_events_newest(c) == 10 && number(c, "SELECT count(*) FROM "
	    "events WHERE kind = 'alarm' AND text = 'shrunk: so'") == 1,
	    "and is an event");
	ok(catalog_troubled(c), "and trouble");
	ok(!catalog_alarm_next(c, "till", 0, &a) &&
	    catalog_alarm_next(c, "shop", 0, &a) && a.raised_ms == 5,
	    "it stands");
	ok(catalog_alarm_acknowledge(c, a.id, "me", 7) == 1 &&
	    catalog_alarm_acknowledge(c, a.id, "me", 7) == 0 &&
	    !catalog_alarm_next(c, "", 0, &a), "until it is acknowledged");
	ok(!catalog_hook_get(c, "k", &h), "no hook");
	h.last_id = 3;
	h.attempts = 2;
	h.next_attempt_ms = 9;
	ok(catalog_hook_set(c, "k", &h) == 0 &&
	    catalog_hook_get(c, "k", &h) == 1 && h.last_id == 3 &&
	    h.attempts == 2 && h.next_attempt_ms == 9, "a hook's place");
	ok(catalog_hook_next(c, "", name, sizeof(name)) &&
	    strcmp(name, "k") == 0 &&
	    !catalog_hook_next(c, "k", name, sizeof(name)), "by name");
	catalog_hook_delete(c, "k");
	ok(!catalog_hook_get(c, "k", &h), "forgotten");
}

int
main(void)
{
	struct catalog	*c;

	bodies();
	labels();
	rates();
	dir_make("events_test");
	c = open_it("catalog");
	catalog_life(c);
	catalog_close(c);
	dir_remove();
	return (tap_end());
}
