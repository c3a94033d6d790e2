/*
 * Manifests: what the engine writes, network reads; and whatever is changed
 * in one, it is not believed (H21).
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/engine/manifest.h"
#include "daemon/network/s3.h"
#include "regress/unit/unit.h"

static uint8_t	key[KEY_BYTES] = { 1, 2, 3, 0xff };

static void
fill(struct m_manifest *m)
{
	memset(m, 0, sizeof(*m));
	m->version = MANIFEST_VERSION;
	m->page_size = 4096;
	m->id = 7;
	m->created_ms = INT64_C(1795383000000);
	m->size = 8192;
	m->stored_size = 512;
	m->page_count = 2;
	m->object_size = 512;
	m->uid = 33;
	m->gid = 33;
	m->mode = 0640;
	m->application_id = 0xffffffff;
	m->user_version = 3;
	m->named = 1;
	m->user.kind = USER_NUMBER;
	strlcpy(m->user.id, "42", sizeof(m->user.id));
	strlcpy(m->database, "shop", sizeof(m->database));
	strlcpy(m->name, "a \"till\" \\ \xc3\xa4", sizeof(m->name));
	strlcpy(m->description, "two\nlines\t\x01", sizeof(m->description));
	strlcpy(m->checksum, "sha256:00", sizeof(m->checksum));
	strlcpy(m->stored_checksum, "sha256:11", sizeof(m->stored_checksum));
	strlcpy(m->form, "sqlite.zst", sizeof(m->form));
	strlcpy(m->journal_mode, "wal", sizeof(m->journal_mode));
	strlcpy(m->installation, "01234567-89ab-4cde-8f01-23456789abcd",
	    sizeof(m->installation));
	strlcpy(m->tool_version, "0.1.0", sizeof(m->tool_version));
	strlcpy(m->type, "manual", sizeof(m->type));
	strlcpy(m->verdict, "sound", sizeof(m->verdict));
	manifest_object(m, m->key);
}

/* As network does it: from text, with what the listing says. */
static int
read_back(const char *text, size_t n, struct m_manifest *m)
{
	struct m_manifest	like;

	memset(m, 0, sizeof(*m));
	if (s3_manifest_parse(text, n, m) == -1)
		return (-1);
	fill(&like);
	strlcpy(m->key, like.key, sizeof(m->key));
	m->object_size = like.object_size;
	return (0);
}

static void
test_whole(void)
{
	struct m_manifest	m, back;
	char			text[MANIFEST_BYTES];
	size_t			n;

	fill(&m);
	ok(strcmp(m.key, "shop/20261122T213000Z-7.sqlite.zst") == 0,
	    "the object's key: %s", m.key);
	n = manifest_write(&m, key, text, sizeof(text));
	ok(n > 0 && read_back(text, n, &back) == 0, "network reads it");
	manifest_mac(&m, key, m.mac);
	ok(memcmp(&m, &back, sizeof(m)) == 0, "to the same, in every byte");
	ok(manifest_true(&back, key), "and it is believed");
	key[31] ^= 1;
	ok(!manifest_true(&back, key), "with another key it is not");
	key[31] ^= 1;
	m.user.kind = USER_TEXT;
	n = manifest_write(&m, key, text, sizeof(text));
	ok(read_back(text, n, &back) == 0 && back.user.kind == USER_TEXT &&
	    manifest_true(&back, key), "a user id that is text");
	m.user.kind = USER_NONE;
	m.user.id[0] = '\0';
	n = manifest_write(&m, key, text, sizeof(text));
	ok(read_back(text, n, &back) == 0 && back.user.kind == USER_NONE &&
	    manifest_true(&back, key), "no user at all");
	memset(m.description, 1, sizeof(m.description) - 1);
	ok(manifest_write(&m, key, text, 4096) == 0, "one that does not fit");
}

/* Each byte of the record that a listing cannot set is covered. */
static void
test_changed(void)
{
	struct m_manifest	m, changed;
	size_t			i, believed = 0, where = 0;
	char			*p;

	fill(&m);
	manifest_mac(&m, key, m.mac);
	for (i = 0; i < sizeof(m); i++) {
		changed = m;
		p = (char *)&changed + i;
		/* What stands behind the end of a text says nothing. */
		if (*p == '\0' && (i < offsetof(struct m_manifest, user) ?
		    0 : i == 0 || p[-1] == '\0'))
			continue;
		*p ^= 1;
		if (manifest_true(&changed, key)) {
			believed++;
			where = i;
		}
	}
	ok(believed == 0, "no byte can be changed (%zu, last %zu)", believed,
	    where);
	changed = m;
	strlcpy(changed.name, "a", sizeof(changed.name));
	strlcpy(changed.description, "b", sizeof(changed.description));
	manifest_mac(&changed, key, m.mac);
	strlcpy(changed.mac, m.mac, sizeof(changed.mac));
	strlcpy(changed.name, "", sizeof(changed.name));
	strlcpy(changed.description, "ab", sizeof(changed.description));
	ok(!manifest_true(&changed, key),
	    "nothing can move from one field to the next");
	fill(&m);
	manifest_mac(&m, key, m.mac);
	strlcpy(m.key, "shop/20261122T213000Z-8.sqlite.zst", sizeof(m.key));
	ok(!manifest_true(&m, key), "nor an object from one name to another");
	fill(&m);
	manifest_mac(&m, key, m.mac);
	m.object_size = -1;
	ok(!manifest_true(&m, key), "without its object it is no backup");
	m.object_size = 511;
	ok(!manifest_true(&m, key), "nor with half of it");
}

int
main(void)
{
	test_whole();
	test_changed();
	return (tap_end());
}
