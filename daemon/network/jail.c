/*
 * The network process runs this before it gives root up.  It owns the CA
 * certificates.  The directory that becomes its root holds nothing but
 * copies: nothing in it is secret, and nothing can be written from inside.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/util.h"
#include "daemon/network/exchange.h"
#include "daemon/network/jail.h"

#define FILE_BYTES_MAX	(8 * 1024 * 1024)

static const char *const	bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",	/* Debian */
	"/etc/pki/tls/certs/ca-bundle.crt",	/* Red Hat */
	"/etc/ssl/ca-bundle.pem",		/* SUSE */
	"/etc/ssl/cert.pem",			/* OpenBSD, Alpine, FreeBSD */
	"/usr/local/share/certs/ca-root-nss.crt"
};

static const char *const	resolver_files[] = {
	"resolv.conf", "hosts", "nsswitch.conf"
};

/* The whole of a file, which the caller frees; NULL with errno. */
static char *
read_whole(const char *path, size_t *bytes)
{
	struct stat	 sb;
	char		*p;
	ssize_t		 n;
	int		 fd, saved;

	/* O_NONBLOCK: a FIFO under that name must not stop us. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return (NULL);
	p = NULL;
	errno = EFBIG;
	if (fstat(fd, &sb) == -1 || !S_ISREG(sb.st_mode) ||
	    sb.st_size > FILE_BYTES_MAX)
		goto done;
	p = xmalloc((size_t)sb.st_size + 1);
	*bytes = 0;
	while (*bytes < (size_t)sb.st_size) {
		n = read(fd, p + *bytes, (size_t)sb.st_size - *bytes);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			saved = errno;
			free(p);
			p = NULL;
			errno = saved;
		}
		if (n <= 0)
			break;
		*bytes += (size_t)n;
	}
done:
	saved = errno;
	close(fd);
	errno = saved;
	return (p);
}

static int
trust_file(const char *path)
{
	size_t	 bytes;
	char	*pem;

	if ((pem = read_whole(path, &bytes)) == NULL)
		return (0);
	if (bytes == 0) {
		free(pem);
		return (0);
	}
	exchange_trust(pem, bytes);	/* for as long as we live */
	log_debug("CA certificates from %s, %zu bytes", path, bytes);
	return (1);
}

void
jail_load_certificates(void)
{
	const char	*path;
	size_t		 i;

	/* As OpenSSL has it: the administrator's own choice. */
	if ((path = getenv("SSL_CERT_FILE")) != NULL && path[0] != '\0') {
		if (!trust_file(path))
			fatal("SSL_CERT_FILE: %s", path);
		return;
	}
	for (i = 0; i < nitems(bundles); i++) {
		if (trust_file(bundles[i]))
			return;
	}
	log_warnx("no CA certificates were found; install ca-certificates if "
	    "a remote is reached by https");
}

/* A directory that only root can change. */
static int
open_dir(int at, const char *name, const char *dir)
{
	struct stat	sb;
	int		fd;

	if (mkdirat(at, name, 0755) == -1 && errno != EEXIST)
		fatal("mkdir %s", dir);
	if ((fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1 || fstat(fd, &sb) == -1)
		fatal("open %s", dir);
	if (sb.st_uid != 0 || (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		fatalx("%s must belong to root and be writable by nobody else",
		    dir);
	/* Whatever the umask left. */
	if (fchmod(fd, 0755) == -1)
		fatal("chmod %s", dir);
	return (fd);
}

static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t	done;

	while (n > 0) {
		if ((done = write(fd, p, n)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		p += done;
		n -= (size_t)done;
	}
	return (0);
}

static void
copy_file(int etc, const char *name)
{
	char	 from[64], temporary[64], *text;
	size_t	 bytes;
	int	 fd;

	snprintf(from, sizeof(from), "/etc/%s", name);
	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	if ((text = read_whole(from, &bytes)) == NULL) {
		log_debug("%s cannot be read; doing without", from);
		(void)unlinkat(etc, name, 0);
		return;
	}
	(void)unlinkat(etc, temporary, 0);	/* of a start cut short */
	if ((fd = openat(etc, temporary, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0644)) == -1 ||
	    write_all(fd, text, bytes) == -1 || fchmod(fd, 0644) == -1)
		fatal("write the copy of %s", from);
	if (close(fd) == -1 || renameat(etc, temporary, etc, name) == -1)
		fatal("rename the copy of %s", from);
	free(text);
}

void
jail_confine(const char *root)
{
	static const char *const	inside[] = { "/" };
	/* What the C library reads when it resolves a name. */
	static const char *const	outside[] = { "/etc", "/usr/lib",
					    "/lib", "/lib64", "/usr/lib64",
					    "/run/systemd/resolve",
					    "/run/NetworkManager",
					    "/run/resolvconf", "/dev/urandom",
					    "/dev/null" };
	const char *const		*names = root != NULL ? inside : outside;
	struct sandbox_path		 p[nitems(outside)];
	size_t				 i, n = 0;
	size_t				 all = root != NULL ? 1 :
					    nitems(outside);

	for (i = 0; i < all; i++) {
		p[n].path = names[i];
		p[n].rights = SANDBOX_READ;
		/* Not every system has all of them. */
		if ((p[n].fd = open(names[i], O_PATH | O_CLOEXEC)) != -1)
			n++;
	}
	if (sandbox_enter(SANDBOX_NETWORK, p, n, root) == -1)
		fatal("cannot confine this process");
	for (i = 0; i < n; i++)
		close(p[i].fd);
}

void
jail_prepare(const char *dir)
{
	size_t	i;
	int	root, etc;

	root = open_dir(AT_FDCWD, dir, dir);
	etc = open_dir(root, "etc", "etc in the network's root");
	for (i = 0; i < nitems(resolver_files); i++)
		copy_file(etc, resolver_files[i]);
	close(etc);
	close(root);
}
