/*
 * The engine runs this: the bytes of the licence and of the public key
 * (D14).  What they mean is front's affair; here they are not looked at.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/engine/engine.h"

/* The size, or 0 with a sentence in text. */
static uint32_t
read_small(const char *path, char *dst, size_t size, char *text)
{
	struct stat	st;
	ssize_t		n = -1;
	int		fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		snprintf(text, TEXT_BYTES, "cannot read the file that the "
		    "configuration names: %s", strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size < 1 ||
	    (uint64_t)st.st_size > size) {
		snprintf(text, TEXT_BYTES, "the file that the configuration "
		    "names is empty, too large, or not a regular file");
	} else if ((n = pread(fd, dst, size, 0)) < 1)
		snprintf(text, TEXT_BYTES, "cannot read the file that the "
		    "configuration names: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return (n < 1 ? 0 : (uint32_t)n);
}

void
license_request(struct engine *e, uint64_t request)
{
	struct m_license	m;

	memset(&m, 0, sizeof(m));
	if (e->conf->license_file != NULL) {
		m.license_size = read_small(e->conf->license_file, m.license,
		    sizeof(m.license), m.text);
		m.key_size = read_small(e->conf->license_key, m.key,
		    sizeof(m.key), m.text);
	}
	chan_send(e->front.chan, MSG_REP_LICENSE, request, &m, sizeof(m), -1);
}
