/*
 * The test server's store.  Owns DIR and the counter of ids; knows nothing
 * of HTTP.  Nothing is synced: it need not survive the machine.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "common/compat.h"
#include "common/log.h"
#include "common/util.h"
#include "regress/remote/store.h"

static int		 dir_fd = -1;
static int		 log_fd = -1;
static int		 hashing;
static unsigned int	 last_id;
static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;

/* 0 and the number when name is rb-NUMBER and ext. */
static int
id_number(const char *name, const char *ext, unsigned int *number)
{
	char		text[STORE_ID_BYTES];
	const char	*digits, *error;
	size_t		n;

	if (strncmp(name, "rb-", 3) != 0)
		return (-1);
	digits = name + 3;
	n = strspn(digits, "0123456789");
	if (n < 6 || n > 9 || strcmp(digits + n, ext) != 0)
		return (-1);
	memcpy(text, digits, n);
	text[n] = '\0';
	*number = strtonum(text, 0, 999999999, &error);
	return (error == NULL ? 0 : -1);
}

void
store_init(const char *dir, int hash)
{
	struct dirent	*d;
	unsigned int	 number;
	DIR		*dp;

	hashing = hash;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd == -1)
		fatal("%s", dir);
	log_fd = openat(dir_fd, "requests.log", O_WRONLY | O_CREAT |
	    O_APPEND | O_CLOEXEC, 0644);
	if (log_fd == -1)
		fatal("%s/requests.log", dir);
	dp = opendir(dir);
	if (dp == NULL)
		fatal("%s", dir);
	while ((d = readdir(dp)) != NULL) {
		if (id_number(d->d_name, ".sqlite.tmp", &number) == 0 &&
		    unlinkat(dir_fd, d->d_name, 0) == -1)
			fatal("%s/%s", dir, d->d_name);
		if (id_number(d->d_name, ".sqlite", &number) == 0 &&
		    number > last_id)
			last_id = number;
	}
	closedir(dp);
}

void
store_log(const char *line)
{
	size_t	n = strlen(line);

	if (write(log_fd, line, n) != (ssize_t)n)
		fatal("requests.log");
}

void
upload_init(struct upload *u)
{
	memset(u, 0, sizeof(*u));
	u->fd = -1;
}

int
upload_open(struct upload *u)
{
	char	name[64];

	pthread_mutex_lock(&lock);
	snprintf(u->id, sizeof(u->id), "rb-%06u", ++last_id);
	pthread_mutex_unlock(&lock);
	snprintf(name, sizeof(name), "%s.sqlite.tmp", u->id);
	u->fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0644);
	if (u->fd == -1 || !hashing)
		return (u->fd == -1 ? -1 : 0);
	u->md = EVP_MD_CTX_new();
	if (u->md == NULL || EVP_DigestInit_ex(u->md, EVP_sha256(),
	    NULL) != 1)
		fatalx("SHA-256 does not work");
	return (0);
}

static int
write_all(int fd, const void *data, size_t size)
{
	const char	*p = data;
	ssize_t		 n;

	while (size > 0) {
		n = write(fd, p, size);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		p += n;
		size -= n;
	}
	return (0);
}

int
upload_write(struct upload *u, const void *data, size_t size)
{
	if (u->md != NULL && EVP_DigestUpdate(u->md, data, size) != 1)
		fatalx("SHA-256 does not work");
	u->size += size;
	return (write_all(u->fd, data, size));
}

static void
add(struct json_object *o, const char *key, struct json_object *value)
{
	if (value == NULL || json_object_object_add(o, key, value) != 0)
		fatalx("no memory for JSON");
}

static void
add_text(struct json_object *o, const char *key, const char *text)
{
	if (*text != '\0')
		add(o, key, json_object_new_string(text));
}

static struct json_object *
upload_json(struct upload *u)
{
	struct json_object	*o;
	unsigned char		 hash[EVP_MAX_MD_SIZE];
	unsigned int		 n;
	char			 hex[2 * EVP_MAX_MD_SIZE + 1];

	o = json_object_new_object();
	if (o == NULL)
		fatalx("no memory for JSON");
	add_text(o, "id", u->id);
	add_text(o, "userId", u->user);
	add_text(o, "deviceId", u->device);
	add_text(o, "backupName", u->name);
	add_text(o, "description", u->description);
	add_text(o, "filename", u->filename);
	add_text(o, "contentType", u->type);
	add(o, "size", json_object_new_int64(u->size));
	add(o, "createdMs", json_object_new_int64(util_now_ms()));
	if (u->md != NULL) {
		if (EVP_DigestFinal_ex(u->md, hash, &n) != 1)
			fatalx("SHA-256 does not work");
		util_hex(hex, hash, n);
		add_text(o, "sha256", hex);
	}
	return (o);
}

/* The metadata last: an entry without it is no backup. */
struct json_object *
upload_commit(struct upload *u)
{
	struct json_object	*o;
	const char		*text;
	char			 from[64], to[64], json[64], tmp[64];
	int			 fd, failed;

	o = upload_json(u);
	snprintf(from, sizeof(from), "%s.sqlite.tmp", u->id);
	snprintf(to, sizeof(to), "%s.sqlite", u->id);
	snprintf(json, sizeof(json), "%s.json", u->id);
	snprintf(tmp, sizeof(tmp), "%s.json.tmp", u->id);
	if (renameat(dir_fd, from, dir_fd, to) == -1)
		goto fail;
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
	    JSON_C_TO_STRING_NOSLASHESCAPE);
	fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0644);
	if (fd == -1)
		goto fail;
	failed = write_all(fd, text, strlen(text)) == -1;
	if (close(fd) == -1 || failed ||
	    renameat(dir_fd, tmp, dir_fd, json) == -1)
		goto fail;
	close(u->fd);
	u->fd = -1;
	return (o);
fail:
	json_object_put(o);
	return (NULL);
}

void
upload_drop(struct upload *u)
{
	char	name[64];

	EVP_MD_CTX_free(u->md);
	u->md = NULL;
	if (u->fd == -1)
		return;
	close(u->fd);
	u->fd = -1;
	snprintf(name, sizeof(name), "%s.sqlite.tmp", u->id);
	(void)unlinkat(dir_fd, name, 0);
}

static struct json_object *
meta_read(const char *name)
{
	struct json_object	*o = NULL;
	int			 fd;

	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		o = json_object_from_fd(fd);
		close(fd);
	}
	return (o);
}

static int
is_meta(const struct dirent *d)
{
	unsigned int	number;

	return (id_number(d->d_name, ".json", &number) == 0);
}

static int
newest_first(const struct dirent **a, const struct dirent **b)
{
	return (strverscmp((*b)->d_name, (*a)->d_name));
}

struct json_object *
store_list(const char *user)
{
	struct json_object	*array, *o, *field;
	struct dirent		**entry;
	int			 i, n;

	array = json_object_new_array();
	n = scandirat(dir_fd, ".", &entry, is_meta, newest_first);
	if (array == NULL || n == -1)
		fatal("the store's directory");
	for (i = 0; i < n; i++) {
		o = meta_read(entry[i]->d_name);
		free(entry[i]);
		if (o == NULL)
			continue;
		if (json_object_object_get_ex(o, "userId", &field) &&
		    strcmp(json_object_get_string(field), user) == 0)
			json_object_array_add(array, o);
		else
			json_object_put(o);
	}
	free(entry);
	return (array);
}

int
store_open(const char *id, uint64_t *size, struct json_object **meta)
{
	struct stat	st;
	unsigned int	number;
	char		name[64];
	int		fd;

	if (id_number(id, "", &number) == -1)
		return (-1);
	snprintf(name, sizeof(name), "%s.json", id);
	*meta = meta_read(name);
	if (*meta == NULL)
		return (-1);
	snprintf(name, sizeof(name), "%s.sqlite", id);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		if (fd != -1)
			close(fd);
		json_object_put(*meta);
		return (-1);
	}
	*size = st.st_size;
	return (fd);
}
