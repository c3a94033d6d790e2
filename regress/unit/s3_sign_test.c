/*
 * Signature Version 4 against the vectors that its makers published: the
 * examples of the S3 manual, and those of the general test suite.
 */
#include <stdlib.h>
#include <string.h>

#include "common/compat.h"
#include "daemon/network/s3_sign.h"
#include "regress/unit/unit.h"

#define EMPTY	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define WELCOME	"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define HEADERS	6

struct vector {
	const char	*what, *method, *path;
	struct pair	 query[4];
	struct pair	 headers[HEADERS];
	const char	*payload, *names, *signature;
};

static const struct vector s3[] = {
	{ "an object's range", "GET", "/test.txt", { { NULL, NULL } },
	    { { "host", "examplebucket.s3.amazonaws.com" },
	    { "range", "bytes=0-9" }, { "x-amz-content-sha256", EMPTY },
	    { "x-amz-date", "20130524T000000Z" } }, EMPTY,
	    "host;range;x-amz-content-sha256;x-amz-date",
	    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
	{ "putting an object", "PUT", "/test$file.text", { { NULL, NULL } },
	    { { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
	    { "host", "examplebucket.s3.amazonaws.com" },
	    { "date", "Fri, 24 May 2013 00:00:00 GMT" },
	    { "x-amz-date", "20130524T000000Z" },
	    { "x-amz-content-sha256", WELCOME } }, WELCOME,
	    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
	{ "a query without value", "GET", "/", { { "lifecycle", "" } },
	    { { "host", "examplebucket.s3.amazonaws.com" },
	    { "x-amz-content-sha256", EMPTY },
	    { "x-amz-date", "20130524T000000Z" } }, EMPTY,
	    "host;x-amz-content-sha256;x-amz-date",
	    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
	{ "a listing", "GET", "/", { { "prefix", "J" }, { "max-keys", "2" } },
	    { { "x-amz-date", "20130524T000000Z" },
	    { "x-amz-content-sha256", EMPTY },
	    { "host", "examplebucket.s3.amazonaws.com" } }, EMPTY,
	    "host;x-amz-content-sha256;x-amz-date",
	    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" }
};

#define HOST	{ "host", "example.amazonaws.com" }
#define DATE	{ "x-amz-date", "20150830T123600Z" }

static const struct vector suite[] = {
	{ "get-vanilla", "GET", "/", { { NULL, NULL } }, { HOST, DATE }, EMPTY,
	    "host;x-amz-date",
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "post-vanilla", "POST", "/", { { NULL, NULL } }, { HOST, DATE },
	    EMPTY, "host;x-amz-date",
	    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "get-vanilla-query-order-key-case", "GET", "/",
	    { { "Param2", "value2" }, { "Param1", "value1" } },
	    { DATE, HOST }, EMPTY, "host;x-amz-date",
	    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-query-unreserved", "GET", "/",
	    { { "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz", "-._~0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" } },
	    { HOST, DATE }, EMPTY, "host;x-amz-date",
	    "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
	{ "get-utf8", "GET", "/\xe1\x88\xb4", { { NULL, NULL } },
	    { HOST, DATE }, EMPTY, "host;x-amz-date",
	    "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-header-value-trim", "GET", "/", { { NULL, NULL } },
	    { HOST, { "my-header1", " value1" },
	    { "my-header2", " \"a   b   c\"" }, DATE }, EMPTY,
	    "host;my-header1;my-header2;x-amz-date",
	    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "post-header-key-sort", "POST", "/", { { NULL, NULL } },
	    { { "my-header1", "value1" }, DATE, HOST }, EMPTY,
	    "host;my-header1;x-amz-date",
	    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" }
};

static void
same(const char *got, const char *want, const char *what)
{
	ok(strcmp(got, want) == 0, "%s", what);
	if (strcmp(got, want) != 0)
		printf("# %s\n# %s\n", got, want);
}

static char *
sign(const struct vector *v, int general)
{
	struct sign	 s;
	char		*path, *query, *result;
	size_t		 n;

	memset(&s, 0, sizeof(s));
	path = sign_encode(v->path, 1);
	for (n = 0; n < nitems(v->query) && v->query[n].name != NULL; n++)
		;
	query = sign_query(v->query, n);
	for (n = 0; n < HEADERS && v->headers[n].name != NULL; n++)
		;
	s.method = v->method;
	s.path = path;
	s.query = query;
	s.headers = v->headers;
	s.nheaders = n;
	s.payload = v->payload;
	s.time = general ? "20150830T123600Z" : "20130524T000000Z";
	s.access_key = general ? "AKIDEXAMPLE" : "AKIAIOSFODNN7EXAMPLE";
	s.secret_key = general ? "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" :
	    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
	s.region = "us-east-1";
	s.service = general ? "service" : "s3";
	result = sign_authorization(&s);
	free(path);
	free(query);
	return (result);
}

static void
test_vectors(const struct vector *v, size_t n, int general)
{
	char	*got, want[512];

	for (; n-- > 0; v++) {
		snprintf(want, sizeof(want), "AWS4-HMAC-SHA256 "
		    "Credential=%s/us-east-1/%s/aws4_request, "
		    "SignedHeaders=%s, Signature=%s",
		    general ? "AKIDEXAMPLE/20150830" :
		    "AKIAIOSFODNN7EXAMPLE/20130524",
		    general ? "service" : "s3", v->names, v->signature);
		got = sign(v, general);
		same(got, want, v->what);
		free(got);
	}
}

static void
test_encoding(void)
{
	static const struct pair	order[] = { { "a1", "x" }, { "a", "z" },
	    { "a", "y" }, { "uploads", "" }, { "p", "a/b +%\xc3\xa9" } };
	char				 all[256], *text;
	uint8_t				 md5[MD5_BYTES];
	char				 base64[25], when[SIGN_TIME_BYTES];
	int				 i, good = 1;

	text = sign_query(order, nitems(order));
	same(text, "a=y&a=z&a1=x&p=a%2Fb%20%2B%25%C3%A9&uploads=",
	    "a query is sorted by name, then value, and encoded");
	free(text);
	for (i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	text = sign_encode(all, 1);
	for (i = 0; text[i] != '\0'; i++)
		good &= strchr("%/-_.~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz", text[i]) != NULL;
	ok(good && i == 67 + (255 - 67) * 3,
	    "of 255 bytes, 66 and the slash stay as they are");
	free(text);
	sign_md5(md5, "hello", 5);
	sign_base64(base64, md5);
	same(base64, "XUFAKrxLKna5cZ2REBfFkg==", "MD5 in base64");
	sign_time(when, 1369353600);
	same(when, "20130524T000000Z", "a time");
}

int
main(void)
{
	test_vectors(s3, nitems(s3), 0);
	test_vectors(suite, nitems(suite), 1);
	test_encoding();
	return (tap_end());
}
