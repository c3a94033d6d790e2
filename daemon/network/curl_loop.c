/*
 * The network process runs this.  It owns the multi handle, its timer and
 * an event for each socket that libcurl uses.  libcurl is entered only
 * from the loop: its timer callback may come from inside of it.
 */
#include <event2/event.h>

#include <stdlib.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/network/curl_loop.h"

#define CONNECTIONS_KEPT	8

struct curl_loop_job {
	CURL		*easy;
	curl_loop_done	*done;
	void		*arg;
};

static struct event_base	*loop_base;
static struct event		*loop_timer;
static CURLM			*loop_multi;

static void
multi_check(CURLMcode code, const char *what)
{
	if (code != CURLM_OK)
		fatalx("%s: %s", what, curl_multi_strerror(code));
}

static void
reap(void)
{
	struct curl_loop_job	*job;
	CURLMsg			*m;
	CURL			*easy;
	CURLcode		 code;
	int			 left;

	while ((m = curl_multi_info_read(loop_multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		easy = m->easy_handle;		/* m dies with the removal */
		code = m->data.result;
		if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &job) != CURLE_OK)
			fatalx("a transfer without an owner");
		multi_check(curl_multi_remove_handle(loop_multi, easy),
		    "curl_multi_remove_handle");
		job->done(easy, code, job->arg);
		free(job);
	}
}

static void
on_socket(evutil_socket_t s, short what, void *arg)
{
	int	running, mask = 0;

	(void)arg;
	if (what & EV_READ)
		mask |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		mask |= CURL_CSELECT_OUT;
	multi_check(curl_multi_socket_action(loop_multi, s, mask, &running),
	    "curl_multi_socket_action");
	reap();
}

static void
on_timer(evutil_socket_t s, short what, void *arg)
{
	int	running;

	(void)s;
	(void)what;
	(void)arg;
	multi_check(curl_multi_socket_action(loop_multi, CURL_SOCKET_TIMEOUT,
	    0, &running), "curl_multi_socket_action");
	reap();
}

static int
set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct timeval	tv;

	(void)multi;
	(void)arg;
	if (timeout_ms < 0)
		return (event_del(loop_timer));
	tv.tv_sec = timeout_ms / 1000;
	tv.tv_usec = timeout_ms % 1000 * 1000;
	return (event_add(loop_timer, &tv));
}

static int
set_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *old)
{
	struct event	*ev = old;
	short		 events = EV_PERSIST;

	(void)easy;
	(void)arg;
	if (ev != NULL)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what & CURL_POLL_IN)
			events |= EV_READ;
		if (what & CURL_POLL_OUT)
			events |= EV_WRITE;
		if ((ev = event_new(loop_base, s, events, on_socket,
		    NULL)) == NULL || event_add(ev, NULL) == -1)
			fatalx("event_new for a socket of libcurl");
	}
	multi_check(curl_multi_assign(loop_multi, s, ev), "curl_multi_assign");
	return (0);
}

void
curl_loop_open(struct event_base *base)
{
	loop_base = base;
	if ((loop_timer = event_new(base, -1, 0, on_timer, NULL)) == NULL)
		fatalx("event_new");
	if ((loop_multi = curl_multi_init()) == NULL)
		fatalx("curl_multi_init");
	multi_check(curl_multi_setopt(loop_multi, CURLMOPT_SOCKETFUNCTION,
	    set_socket), "curl_multi_setopt");
	multi_check(curl_multi_setopt(loop_multi, CURLMOPT_TIMERFUNCTION,
	    set_timer), "curl_multi_setopt");
	multi_check(curl_multi_setopt(loop_multi, CURLMOPT_MAXCONNECTS,
	    (long)CONNECTIONS_KEPT), "curl_multi_setopt");
}

void
curl_loop_close(void)
{
	multi_check(curl_multi_cleanup(loop_multi), "curl_multi_cleanup");
	event_free(loop_timer);
}

struct event_base *
curl_loop_base(void)
{
	return (loop_base);
}

struct curl_loop_job *
curl_loop_start(CURL *easy, curl_loop_done *done, void *arg)
{
	struct curl_loop_job	*job;

	job = xcalloc(1, sizeof(*job));
	job->easy = easy;
	job->done = done;
	job->arg = arg;
	if (curl_easy_setopt(easy, CURLOPT_PRIVATE, job) != CURLE_OK)
		fatalx("curl_easy_setopt");
	multi_check(curl_multi_add_handle(loop_multi, easy),
	    "curl_multi_add_handle");
	return (job);
}

void
curl_loop_stop(struct curl_loop_job *job)
{
	multi_check(curl_multi_remove_handle(loop_multi, job->easy),
	    "curl_multi_remove_handle");
	free(job);
}
