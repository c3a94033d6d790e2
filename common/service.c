/*
 * The engine runs this: sd_notify(3) without libsystemd.  Owns the
 * connected socket to the service manager.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/service.h"

static int	service_fd = -1;

void
service_init(void)
{
	const char		*path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un	 sun;
	size_t			 n;

	if (path == NULL || (path[0] != '/' && path[0] != '@'))
		return;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if ((n = strlen(path)) >= sizeof(sun.sun_path)) {
		log_warnx("NOTIFY_SOCKET is too long");
		return;
	}
	memcpy(sun.sun_path, path, n);
	if (path[0] == '@')		/* Linux: an abstract name */
		sun.sun_path[0] = '\0';
	service_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (service_fd == -1 || connect(service_fd, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == -1) {
		log_warn("the service manager at %s", path);
		if (service_fd != -1)
			close(service_fd);
		service_fd = -1;
	}
}

void
service_tell(const char *state)
{
	if (service_fd == -1)
		return;
	if (send(service_fd, state, strlen(state),
	    MSG_NOSIGNAL | MSG_DONTWAIT) == -1 && errno != EAGAIN)
		log_warn("telling the service manager \"%s\"", state);
}

uint64_t
service_watchdog_ms(void)
{
	const char	*usec = getenv("WATCHDOG_USEC");
	const char	*pid = getenv("WATCHDOG_PID");
	long long	 v;

	if (service_fd == -1 || usec == NULL ||
	    (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid()))
		return (0);
	v = strtoll(usec, NULL, 10);
	return (v < 1000 ? 0 : (uint64_t)v / 1000);
}
