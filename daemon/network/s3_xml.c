/*
 * The network process runs this on what S3 servers sent.  It owns nothing;
 * xml.c walks the text.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/network/s3_xml.h"

#define NUMBER_BYTES	24
#define PART_MAX	10000

/* In the order of enum s3_list. */
static const struct {
	const char	*root;
	const char	*next, *next_id;	/* where the list goes on */
} lists[] = {
	{ "ListBucketResult",	"NextContinuationToken", NULL },
	{ "ListPartsResult",	"NextPartNumberMarker",	NULL },
	{ "ListMultipartUploadsResult",	"NextKeyMarker", "NextUploadIdMarker" },
	{ "DeleteResult",	NULL,	NULL }
};

int
s3_xml_error(const char *text, size_t n, struct s3_error *e)
{
	struct xml	root;

	memset(e, 0, sizeof(*e));
	if (n == 0 || xml_check(text, n, &root) == -1 ||
	    !xml_is(&root, "Error"))
		return (0);
	(void)xml_child_text(&root, "Code", e->code, sizeof(e->code));
	(void)xml_child_text(&root, "Message", e->message,
	    sizeof(e->message));
	(void)xml_child_text(&root, "Region", e->region, sizeof(e->region));
	(void)xml_child_text(&root, "Endpoint", e->endpoint,
	    sizeof(e->endpoint));
	return (1);
}

/* It goes into queries and to the engine: nothing but plain ASCII. */
static int
token_ok(const char *text)
{
	if (*text == '\0')
		return (0);
	for (; *text != '\0'; text++) {
		if (*text < 0x21 || *text > 0x7e)
			return (0);
	}
	return (1);
}

int
s3_xml_upload_id(const char *text, size_t n, char id[UPLOAD_ID_BYTES])
{
	struct xml	root;

	id[0] = '\0';
	if (n == 0 || xml_check(text, n, &root) == -1 ||
	    !xml_is(&root, "InitiateMultipartUploadResult") ||
	    xml_child_text(&root, "UploadId", id, UPLOAD_ID_BYTES) == -1 ||
	    !token_ok(id)) {
		id[0] = '\0';
		return (-1);
	}
	return (0);
}

int
s3_xml_completed(const char *text, size_t n)
{
	struct xml	root;

	return (n > 0 && xml_check(text, n, &root) == 0 &&
	    xml_is(&root, "CompleteMultipartUploadResult"));
}

int
s3_xml_page(enum s3_list list, const char *text, size_t n,
    struct s3_page *page)
{
	struct xml	root;
	char		word[8];

	memset(page, 0, sizeof(*page));
	if (n == 0 || xml_check(text, n, &root) == -1 ||
	    !xml_is(&root, lists[list].root))
		return (-1);
	page->rest = root;
	if (xml_child_text(&root, "IsTruncated", word, sizeof(word)) == -1 ||
	    strcmp(word, "true") != 0)
		return (0);
	page->truncated = 1;
	if (lists[list].next == NULL ||
	    xml_child_text(&root, lists[list].next, page->next,
	    sizeof(page->next)) == -1 || page->next[0] == '\0')
		return (-1);
	if (lists[list].next_id != NULL)
		(void)xml_child_text(&root, lists[list].next_id,
		    page->next_id, sizeof(page->next_id));
	return (0);
}

/* A whole number up to max, or -1. */
static int64_t
child_number(const struct xml *x, const char *name, int64_t max)
{
	char	buf[NUMBER_BYTES];

	if (xml_child_text(x, name, buf, sizeof(buf)) == -1 ||
	    buf[0] == '\0' || strlen(buf) > 18 ||
	    buf[strspn(buf, "0123456789")] != '\0')
		return (-1);
	return (strtoll(buf, NULL, 10) > max ? -1 : strtoll(buf, NULL, 10));
}

static void
read_row(const struct xml *x, struct s3_row *row)
{
	char	etag[S3_ETAG_BYTES + 2];
	size_t	n;

	(void)xml_child_text(x, "Key", row->key, sizeof(row->key));
	if (xml_child_text(x, "UploadId", row->upload_id,
	    sizeof(row->upload_id)) == 0 && !token_ok(row->upload_id))
		row->upload_id[0] = '\0';
	if (xml_child_text(x, "ETag", etag, sizeof(etag)) == 0) {
		n = strlen(etag);
		if (n >= 2 && etag[0] == '"' && etag[n - 1] == '"') {
			etag[n - 1] = '\0';
			(void)strlcpy(row->etag, etag + 1, sizeof(row->etag));
		} else
			(void)strlcpy(row->etag, etag, sizeof(row->etag));
	}
	row->size = child_number(x, "Size", INT64_MAX);
	n = (size_t)child_number(x, "PartNumber", PART_MAX);
	row->number = n == (size_t)-1 ? 0 : (uint32_t)n;
}

int
s3_xml_next(struct s3_page *page, struct s3_row *row)
{
	static const char *const	names[] = { "Contents", "Part",
					    "Upload", "Deleted", "Error" };
	struct xml			x;
	size_t				i;

	while (xml_next(&page->rest, &x)) {
		for (i = 0; i < nitems(names) && !xml_is(&x, names[i]); i++)
			;
		if (i == nitems(names))
			continue;
		memset(row, 0, sizeof(*row));
		read_row(&x, row);
		if (xml_is(&x, "Error") && (xml_child_text(&x, "Code",
		    row->code, sizeof(row->code)) == -1 ||
		    row->code[0] == '\0'))
			(void)strlcpy(row->code, "unknown", sizeof(row->code));
		return (1);
	}
	return (0);
}
