/*
 * Leases on Linux, for the engine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "common/lease.h"

int
lease_read_held(int fd)
{
	struct sigaction	ignore, old;
	int			rc, saved;

	/* Whoever opens the file for writing right now sends us SIGIO,
	 * which would end us. */
	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	if (sigaction(SIGIO, &ignore, &old) == -1)
		return (-1);
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		rc = fcntl(fd, F_SETLEASE, F_UNLCK) == 0 ? 1 : -1;
	else
		rc = errno == EAGAIN ? 0 : -1;
	saved = errno;
	if (sigaction(SIGIO, &old, NULL) == -1)
		return (-1);
	errno = saved;
	return (rc);
}
