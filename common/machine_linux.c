/*
 * The engine runs this once at start: machine-id(5).
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/machine.h"

void
machine_id(char *dst, size_t size)
{
	ssize_t	n = -1;
	int	fd;

	if ((fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC)) != -1) {
		n = read(fd, dst, size - 1);
		close(fd);
	}
	dst[n > 0 ? n : 0] = '\0';
	dst[strcspn(dst, "\r\n \t")] = '\0';
	if (dst[0] == '\0' && gethostname(dst, size - 1) == -1)
		dst[0] = '\0';
	dst[size - 1] = '\0';
	if (dst[0] == '\0')
		strlcpy(dst, "localhost", size);
}
