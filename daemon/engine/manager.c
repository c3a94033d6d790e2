/*
 * The engine runs this: what the service manager wants to hear.  It owns
 * the timer that says that the loop still turns.
 */
#include <stdio.h>

#include "common/log.h"
#include "common/service.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

static struct event	*watchdog;

static void
watchdog_arm(uint64_t ms)
{
	struct timeval	tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	event_add(watchdog, &tv);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	service_tell("WATCHDOG=1");
	/* Three times as often as wanted: one may be late. */
	watchdog_arm(service_watchdog_ms() / 3);
}

void
manager_ready(struct engine *e)
{
	char	text[128];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=serving; "
	    "cloudbackupctl status tells more");
	service_tell(text);
	if (service_watchdog_ms() == 0)
		return;
	if ((watchdog = evtimer_new(e->base, on_watchdog, e)) == NULL)
		fatalx("evtimer_new");
	watchdog_arm(0);
}

void
manager_reloading(void)
{
	char	text[96];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)util_monotonic_us());
	service_tell(text);
}

void
manager_reloaded(void)
{
	service_tell("READY=1");
}

void
manager_stopping(void)
{
	service_tell("STOPPING=1\nSTATUS=ends what runs");
}

void
manager_free(void)
{
	if (watchdog != NULL)
		event_free(watchdog);
	watchdog = NULL;
}
