/*
 * The front runs this: sendfile(2).
 */
#include <sys/sendfile.h>

#include "common/sendfile.h"

ssize_t
sendfile_some(int sock, int fd, off_t at, size_t size)
{
	return (sendfile(sock, fd, &at, size));
}
