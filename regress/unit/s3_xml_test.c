/*
 * XML and what S3 servers say in it, well formed and not.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "common/util.h"
#include "daemon/network/s3_xml.h"
#include "regress/unit/unit.h"

#define HEAD	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NS	" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static int
check(const char *text)
{
	struct xml	root;

	return (xml_check(text, strlen(text), &root));
}

static void
test_forms(void)
{
	static const char *const	good[] = {
		"<a/>", "<a></a>", HEAD "<a b=\"c\" d = 'e'><f/>x</a>\n",
		"\xef\xbb\xbf<a>&amp;</a>", "<!-- x --><a><!-- </a> --></a>",
		"<x:a xmlns:x='y'><x:b/></x:a>", "<a ></a >"
	};
	static const char *const	bad[] = {
		"", " ", "a", "<a>", "<a></b>", "<a/><b/>", "<a></a>x",
		"<a><b></a></b>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
		"<a b></a>", "<a b=c/>", "<a b=\"c/>", "<a b=\"<\"/>",
		"<a><![CDATA[x]]></a>", "<a", "</a>", "<a><!-- </a>", "< a/>",
		"<a b='1'c='2'/>", "<?xml", "<a/", "<a><b/"
	};
	char				 deep[512] = "";
	size_t				 i;

	for (i = 0; i < nitems(good); i++)
		ok(check(good[i]) == 0, "good: %.20s", good[i] +
		    (good[i][0] == '<' && good[i][1] == '?' ? 39 : 0));
	for (i = 0; i < nitems(bad); i++)
		ok(check(bad[i]) == -1, "bad: %s", bad[i]);
	for (i = 0; i < XML_DEPTH_MAX; i++)
		(void)strlcat(deep, "<a>", sizeof(deep));
	for (i = 0; i < XML_DEPTH_MAX; i++)
		(void)strlcat(deep, "</a>", sizeof(deep));
	ok(check(deep) == 0, "as deep as is read");
	memmove(deep + 3, deep, strlen(deep) + 1);
	memcpy(deep, "<a>", 3);
	(void)strlcat(deep, "</a>", sizeof(deep));
	ok(check(deep) == -1, "and deeper");
}

static void
test_text(void)
{
	static const struct {
		const char	*text, *want;	/* NULL: none */
	} t[] = {
		{ "<a>b</a>", "b" }, { "<a/>", "" },
		{ "<a>&lt;&#65;&#x42;&quot;&apos;&gt;&amp;</a>", "<AB\"'>&" },
		{ "<a>&#x20AC;</a>", "\xe2\x82\xac" },
		{ "<a>&nbsp;</a>", NULL }, { "<a>&</a>", NULL },
		{ "<a>&#0;</a>", NULL }, { "<a>&#1114112;</a>", NULL },
		{ "<a>x<b/></a>", NULL }, { "<a>&#xg;</a>", NULL },
		{ "<a>123456789012345</a>", "123456789012345" },
		{ "<a>1234567890123456</a>", NULL }
	};
	struct xml	root;
	char		buf[16];
	size_t		i;
	int		r;

	for (i = 0; i < nitems(t); i++) {
		if (xml_check(t[i].text, strlen(t[i].text), &root) == -1) {
			ok(0, "%s is read", t[i].text);
			continue;
		}
		r = xml_text(&root, buf, sizeof(buf));
		ok(r == (t[i].want == NULL ? -1 : 0) && strcmp(buf,
		    t[i].want == NULL ? "" : t[i].want) == 0, "text of %s",
		    t[i].text);
	}
}

static void
test_answers(void)
{
	static const char	error[] = HEAD "<Error><Code>NoSuchKey</Code>"
	    "<Message>a &amp; b</Message><Region>eu-1</Region></Error>";
	static const char	created[] = HEAD
	    "<InitiateMultipartUploadResult" NS "><Bucket>b</Bucket>"
	    "<UploadId>x-1</UploadId></InitiateMultipartUploadResult>";
	static const char	spaces[] = "<InitiateMultipartUploadResult>"
	    "<UploadId>a b</UploadId></InitiateMultipartUploadResult>";
	static const char	completed[] = HEAD
	    "   <CompleteMultipartUploadResult" NS "/>";
	struct s3_error		e;
	char			id[UPLOAD_ID_BYTES];

	ok(s3_xml_error(error, strlen(error), &e) &&
	    strcmp(e.code, "NoSuchKey") == 0 && strcmp(e.message, "a & b") ==
	    0 && strcmp(e.region, "eu-1") == 0 && e.endpoint[0] == '\0',
	    "an error");
	ok(!s3_xml_error(created, strlen(created), &e) && e.code[0] == '\0',
	    "what is none");
	ok(s3_xml_upload_id(created, strlen(created), id) == 0 &&
	    strcmp(id, "x-1") == 0, "an upload's id");
	ok(s3_xml_upload_id(spaces, strlen(spaces), id) == -1 &&
	    id[0] == '\0', "one that is none");
	ok(s3_xml_completed(completed, strlen(completed)) &&
	    !s3_xml_completed(error, strlen(error)), "an end");
}

static void
test_pages(void)
{
	static const char	objects[] = HEAD "<ListBucketResult" NS ">"
	    "<Name>b</Name><IsTruncated>true</IsTruncated><Contents>"
	    "<Key>a&amp;b</Key><Size>12</Size><ETag>&quot;e1&quot;</ETag>"
	    "</Contents><CommonPrefixes/><Contents><Key>c</Key>"
	    "<Size>-1</Size></Contents><NextContinuationToken>n=="
	    "</NextContinuationToken></ListBucketResult>";
	static const char	parts[] = "<ListPartsResult><Part>"
	    "<PartNumber>3</PartNumber><ETag>\"e3\"</ETag><Size>5</Size>"
	    "</Part><Part><PartNumber>10001</PartNumber></Part>"
	    "</ListPartsResult>";
	static const char	deleted[] = "<DeleteResult><Deleted><Key>a"
	    "</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code>"
	    "</Error><Error><Key>c</Key></Error></DeleteResult>";
	static const char	endless[] = "<ListBucketResult><IsTruncated>"
	    "true</IsTruncated></ListBucketResult>";
	struct s3_page		page;
	struct s3_row		row;

	ok(s3_xml_page(S3_OBJECTS, objects, strlen(objects), &page) == 0 &&
	    page.truncated && strcmp(page.next, "n==") == 0, "a page");
	ok(s3_xml_next(&page, &row) && strcmp(row.key, "a&b") == 0 &&
	    row.size == 12 && strcmp(row.etag, "e1") == 0, "its first row");
	ok(s3_xml_next(&page, &row) && strcmp(row.key, "c") == 0 &&
	    row.size == -1 && !s3_xml_next(&page, &row), "its last");
	ok(s3_xml_page(S3_PARTS, objects, strlen(objects), &page) == -1,
	    "of another kind");
	ok(s3_xml_page(S3_PARTS, parts, strlen(parts), &page) == 0 &&
	    !page.truncated && s3_xml_next(&page, &row) && row.number == 3 &&
	    row.size == 5 && strcmp(row.etag, "e3") == 0 &&
	    s3_xml_next(&page, &row) && row.number == 0, "parts");
	ok(s3_xml_page(S3_DELETED, deleted, strlen(deleted), &page) == 0 &&
	    s3_xml_next(&page, &row) && row.code[0] == '\0' &&
	    s3_xml_next(&page, &row) && strcmp(row.code, "AccessDenied") ==
	    0 && s3_xml_next(&page, &row) && row.code[0] != '\0' &&
	    strcmp(row.key, "c") == 0, "what was deleted and what not");
	ok(s3_xml_page(S3_OBJECTS, endless, strlen(endless), &page) == -1,
	    "there is more, but not where");
}

int
main(void)
{
	test_forms();
	test_text();
	test_answers();
	test_pages();
	return (tap_end());
}
