/*
 * The engine runs this: what a worker says is looked at before it is
 * believed.  A worker parses what strangers wrote: one that was taken over
 * may lie about what it did, but not make the engine read beyond an array,
 * write nonsense into the catalog, or name another file's size.
 */
#include <sys/stat.h>

#include <string.h>

#include "daemon/engine/engine.h"

#define PREFIX		"sha256:"
#define PAGE_MIN	512
#define PAGE_MAX	65536

static int
word_ok(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < ' ' || *s > '~')
			return (0);
	}
	return (1);
}

static int
checksum_ok(const char *s)
{
	size_t	n = strlen(PREFIX);

	return (strncmp(s, PREFIX, n) == 0 && strlen(s) == n + 64 &&
	    strspn(s + n, "0123456789abcdef") == 64);
}

static int
page_size_ok(uint32_t size)
{
	return (size >= PAGE_MIN && size <= PAGE_MAX &&
	    (size & (size - 1)) == 0);
}

void
told_error(struct m_error *e)
{
	if (err_desc(e->code) == err_desc(0) || !msg_text_ok(e->text))
		e->code = E_INTERNAL_ERROR;
	e->text[sizeof(e->text) - 1] = '\0';
}

int
told_size(int fd, uint64_t size)
{
	struct stat	st;

	return (fstat(fd, &st) == 0 && (uint64_t)st.st_size == size);
}

int
told_kept(const struct m_w_captured *m)
{
	return (msg_text_ok(m->journal_mode) && word_ok(m->journal_mode) &&
	    msg_text_ok(m->encoding) && word_ok(m->encoding) &&
	    msg_text_ok(m->fallback) && msg_text_ok(m->checksum) &&
	    m->size <= INT64_MAX && m->lock_held_us <= INT64_MAX &&
	    m->method <= CAPTURE_BACKUP &&
	    (m->page_size == 0 || page_size_ok(m->page_size)));
}

int
told_captured(const struct m_w_captured *m)
{
	return (told_kept(m) && checksum_ok(m->checksum));
}

int
told_verified(const struct m_w_verified *m, int image)
{
	return (msg_text_ok(m->text) && msg_text_ok(m->checksum) &&
	    checksum_ok(m->checksum) && m->verdict <= VERDICT_UNKNOWN &&
	    (image == -1 || told_size(image, m->size)));
}

int
told_checksum(const char checksum[CHECKSUM_BYTES])
{
	return (memchr(checksum, '\0', CHECKSUM_BYTES) != NULL &&
	    checksum_ok(checksum));
}

int
told_packed(const struct m_w_packed *m, int stored, uint32_t hashes)
{
	return (msg_text_ok(m->checksum) && msg_text_ok(m->stored_checksum) &&
	    (!(hashes & PACK_HASH_IMAGE) || told_checksum(m->checksum)) &&
	    (!(hashes & PACK_HASH_STORED) ||
	    told_checksum(m->stored_checksum)) && m->size <= INT64_MAX &&
	    told_size(stored, m->stored_size));
}

int
told_unpacked(const struct m_w_unpacked *m)
{
	return (told_checksum(m->checksum) &&
	    told_checksum(m->stored_checksum) && m->size <= INT64_MAX);
}

int
told_inspected(const struct m_file_info *m)
{
	return (msg_text_ok(m->path) && msg_text_ok(m->journal_mode) &&
	    word_ok(m->journal_mode) && msg_text_ok(m->encoding) &&
	    word_ok(m->encoding) && m->size <= INT64_MAX &&
	    m->wal_size <= INT64_MAX && m->page_count <= INT64_MAX &&
	    (!(m->flags & FILE_DATABASE) || page_size_ok(m->page_size)));
}

int
told_lock_row(const struct m_lock_row *m)
{
	return (msg_text_ok(m->command) && msg_text_ok(m->user) &&
	    msg_text_ok(m->locks) && word_ok(m->locks) &&
	    m->mode <= HOLDER_WRITE);
}
