/*
 * The engine runs this: manifests of backups in a bucket.  Whoever can
 * write there can write anything; what makes one of ours is its MAC, over
 * every field with its length before it, so that no byte can move from one
 * field to the next.
 */
#include <sys/types.h>

#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/engine/manifest.h"

#define BLOCK		64		/* of SHA-256, bytes */
#define HOW_TO								\
	"Remove .age with: age -d -i IDENTITY FILE; remove .zst with: "	\
	"zstd -d FILE. What is left is an SQLite database: copy it to "	\
	"where it belongs while no program has that open, and remove "	\
	"files beside it that end in -wal, -shm or -journal."

enum type { TEXT, U32, U64 };

static const struct field {
	const char	*name;
	enum type	 type;
	size_t		 at;
} fields[] = {
#define F(name, type)	{ #name, type, offsetof(struct m_manifest, name) }
	F(version, U32), F(id, U64), F(database, TEXT), F(name, TEXT),
	F(description, TEXT), F(created_ms, U64), F(size, U64),
	F(stored_size, U64), F(checksum, TEXT), F(stored_checksum, TEXT),
	F(form, TEXT), F(page_size, U32), F(page_count, U64),
	F(journal_mode, TEXT), F(uid, U32), F(gid, U32), F(mode, U32),
	F(application_id, U32), F(user_version, U32), F(installation, TEXT),
	F(tool_version, TEXT), F(type, TEXT), F(verdict, TEXT), F(named, U32),
#undef F
};

static uint64_t
number(const struct m_manifest *m, const struct field *f)
{
	const char	*p = (const char *)m + f->at;
	uint64_t	 large;
	uint32_t	 small;

	if (f->type == U32) {
		memcpy(&small, p, sizeof(small));
		return (small);
	}
	memcpy(&large, p, sizeof(large));
	return (large);
}

/* ---- the MAC: HMAC-SHA-256 (RFC 2104) ---- */

static void
hmac_begin(SHA2_CTX *ctx, const uint8_t key[KEY_BYTES], uint8_t pad)
{
	uint8_t	block[BLOCK];
	size_t	i;

	memset(block, pad, sizeof(block));
	for (i = 0; i < KEY_BYTES; i++)
		block[i] ^= key[i];
	SHA256Init(ctx);
	SHA256Update(ctx, block, sizeof(block));
	explicit_bzero(block, sizeof(block));
}

/* A text with its length before it. */
static void
mac_text(SHA2_CTX *ctx, const char *text)
{
	char	length[24];

	snprintf(length, sizeof(length), "%zu:", strlen(text));
	SHA256Update(ctx, (const uint8_t *)length, strlen(length));
	SHA256Update(ctx, (const uint8_t *)text, strlen(text));
}

static void
mac_number(SHA2_CTX *ctx, uint64_t n)
{
	char	text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	mac_text(ctx, text);
}

void
manifest_mac(const struct m_manifest *m, const uint8_t key[KEY_BYTES],
    char mac[HEX_BYTES])
{
	SHA2_CTX	ctx;
	uint8_t		digest[SHA256_DIGEST_LENGTH];
	size_t		i;

	hmac_begin(&ctx, key, 0x36);
	for (i = 0; i < nitems(fields); i++) {
		mac_text(&ctx, fields[i].name);
		if (fields[i].type == TEXT)
			mac_text(&ctx, (const char *)m + fields[i].at);
		else
			mac_number(&ctx, number(m, &fields[i]));
	}
	mac_number(&ctx, m->user.kind);
	mac_text(&ctx, m->user.kind == USER_NONE ? "" : m->user.id);
	SHA256Final(digest, &ctx);
	hmac_begin(&ctx, key, 0x5c);
	SHA256Update(&ctx, digest, sizeof(digest));
	SHA256Final(digest, &ctx);
	util_hex(mac, digest, sizeof(digest));
	explicit_bzero(&ctx, sizeof(ctx));
}

/* ---- writing ---- */

struct out {
	char	*p;
	size_t	 size, n;
	int	 full;
};

static void
put(struct out *o, const char *s, size_t n)
{
	if (o->full || n > o->size - o->n) {
		o->full = 1;
		return;
	}
	memcpy(o->p + o->n, s, n);
	o->n += n;
}

static void
put_text(struct out *o, const char *s)
{
	char	escape[8];

	put(o, "\"", 1);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\') {
			put(o, "\\", 1);
			put(o, s, 1);
		} else if ((unsigned char)*s < 0x20) {
			snprintf(escape, sizeof(escape), "\\u%04x", *s);
			put(o, escape, strlen(escape));
		} else
			put(o, s, 1);
	}
	put(o, "\"", 1);
}

static void
put_key(struct out *o, const char *name)
{
	put(o, o->n == 0 ? "{\n " : ",\n ", 3);
	put_text(o, name);
	put(o, ": ", 2);
}

static void
put_field(struct out *o, const struct m_manifest *m, const struct field *f)
{
	char	text[24];

	put_key(o, f->name);
	if (f->type == TEXT) {
		put_text(o, (const char *)m + f->at);
		return;
	}
	snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)number(m, f));
	put(o, text, strlen(text));
}

size_t
manifest_write(const struct m_manifest *m, const uint8_t key[KEY_BYTES],
    char *text, size_t size)
{
	struct out	o = { text, size, 0, 0 };
	char		mac[HEX_BYTES];
	size_t		i;

	for (i = 0; i < nitems(fields); i++)
		put_field(&o, m, &fields[i]);
	put_key(&o, "user_id");
	if (m->user.kind == USER_NONE)
		put(&o, "null", 4);
	else if (m->user.kind == USER_NUMBER)
		put(&o, m->user.id, strlen(m->user.id));
	else
		put_text(&o, m->user.id);
	manifest_mac(m, key, mac);
	put_key(&o, "mac");
	put_text(&o, mac);
	put_key(&o, "restore_by_hand");
	put_text(&o, HOW_TO);
	put(&o, "\n}\n", 3);
	return (o.full ? 0 : o.n);
}

/* ---- believing ---- */

void
manifest_object(const struct m_manifest *m, char key[REMOTE_ID_BYTES])
{
	char	time[TIME_TEXT_BYTES];

	util_time_compact(time, m->created_ms);
	snprintf(key, REMOTE_ID_BYTES, "%s/%s-%lld.%s", m->database, time,
	    (long long)m->id, m->form);
}

static int
same_mac(const char *a, const char *b)
{
	unsigned char	differ = 0;
	size_t		i;

	if (strlen(a) != strlen(b))
		return (0);
	for (i = 0; a[i] != '\0'; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return (differ == 0);
}

int
manifest_true(const struct m_manifest *m, const uint8_t key[KEY_BYTES])
{
	char	mac[HEX_BYTES], object[REMOTE_ID_BYTES];

	manifest_mac(m, key, mac);
	manifest_object(m, object);
	return (same_mac(m->mac, mac) && m->version == MANIFEST_VERSION &&
	    m->id > 0 && m->created_ms > 0 && m->size <= INT64_MAX &&
	    m->stored_size <= INT64_MAX && strcmp(m->key, object) == 0 &&
	    m->object_size >= 0 &&
	    (uint64_t)m->object_size == m->stored_size);
}
