/*
 * Any bytes as an S3 server's answer, and as a manifest.  What comes out
 * must be what s3_xml.h and msg.h promise, whatever went in.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/network/s3.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_page(enum s3_list list, const char *text, size_t n)
{
	struct s3_page	page;
	struct s3_row	row;
	size_t		rows = 0;

	if (s3_xml_page(list, text, n, &page) == -1)
		return;
	assert(!page.truncated || page.next[0] != '\0');
	while (s3_xml_next(&page, &row)) {
		assert(msg_text_ok(row.key) && msg_text_ok(row.etag) &&
		    msg_text_ok(row.upload_id) && msg_text_ok(row.code));
		assert(row.size >= -1 && row.number <= 10000);
		assert(++rows <= n);
	}
}

static void
check_manifest(const char *text, size_t n)
{
	struct m_manifest	m;

	if (s3_manifest_parse(text, n, &m) == -1)
		return;
	assert(m.id >= 0 && m.created_ms >= 0);
	assert(m.user.kind <= USER_NUMBER && msg_text_ok(m.user.id));
	assert(msg_text_ok(m.database) && msg_text_ok(m.name) &&
	    msg_text_ok(m.description) && msg_text_ok(m.checksum) &&
	    msg_text_ok(m.stored_checksum) && msg_text_ok(m.form) &&
	    msg_text_ok(m.journal_mode) && msg_text_ok(m.installation) &&
	    msg_text_ok(m.tool_version) && msg_text_ok(m.mac));
	assert(util_utf8_valid(m.name, strlen(m.name)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct s3_error	 e;
	char		*text, id[UPLOAD_ID_BYTES];
	int		 list;

	/* Exactly n bytes, so that a read behind them is seen. */
	text = xmalloc(n + (n == 0));
	memcpy(text, data, n);
	if (s3_xml_error(text, n, &e))
		assert(msg_text_ok(e.code) && msg_text_ok(e.message) &&
		    msg_text_ok(e.region) && msg_text_ok(e.endpoint));
	assert((s3_xml_upload_id(text, n, id) == 0) == (id[0] != '\0'));
	(void)s3_xml_completed(text, n);
	for (list = S3_OBJECTS; list <= S3_DELETED; list++)
		check_page((enum s3_list)list, text, n);
	check_manifest(text, n);
	free(text);
	return (0);
}
