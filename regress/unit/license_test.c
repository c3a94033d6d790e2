/*
 * Tests of the front's reader of licences, with real keys.
 */
#include "common/compat.h"
#include "daemon/front/license.h"
#include "daemon/front/request.h"
#include "license_make.h"
#include "unit.h"

#define NOW_MS	INT64_C(1700000000000)	/* 2023-11-14T22:13:20Z */

#define DATA	"{\"userId\":42,\"device_id\":\"till-3\",\"type\":\"pro\"," \
		"\"features\":[\"sync\",\"s3\"],"			\
		"\"expires_at\":\"2024-01-01T00:00:00Z\"}"

static EVP_PKEY		*rsa, *ed, *other;
static char		*rsa_pem, *ed_pem;
static struct license	 l;

/* Memory that ends where the texts do. */
static void
judge_n(const char *text, size_t n, const char *pem, size_t pem_n)
{
	char	*a = xmalloc(n > 0 ? n : 1), *b = xmalloc(pem_n + 1);

	memcpy(a, text, n);
	memcpy(b, pem, pem_n);
	memset(&l, 0x5a, sizeof(l));
	license_read(a, n, b, pem_n, NOW_MS, &l);
	free(a);
	free(b);
}

static void
judge(const char *text, const char *pem)
{
	judge_n(text, strlen(text), pem, strlen(pem));
}

/* Signed as it stands, by the RSA key. */
static void
judge_data(const char *data)
{
	char	*text = make_license(rsa, data, NULL);

	judge(text, rsa_pem);
	free(text);
}

static int
refused(const char *reason)
{
	if (!l.valid && strstr(l.reason, reason) != NULL)
		return (1);
	printf("# valid %d, reason \"%s\"\n", l.valid, l.reason);
	return (0);
}

static int
claims_are_none(void)
{
	return (l.user.kind == USER_NONE && l.device_id[0] == '\0' &&
	    l.type[0] == '\0' && !l.expires && strcmp(l.features, "[]") == 0);
}

static int
claims_hold(void)
{
	return (l.user.kind == USER_NUMBER && strcmp(l.user.id, "42") == 0 &&
	    strcmp(l.device_id, "till-3") == 0 &&
	    strcmp(l.type, "pro") == 0 && l.expires &&
	    l.expires_ms == INT64_C(1704067200000) &&
	    strcmp(l.features, "[\"sync\",\"s3\"]") == 0);
}

static void
test_good(void)
{
	char	*text;

	text = make_license(rsa, DATA, NULL);
	judge(text, rsa_pem);
	ok(l.valid && l.reason[0] == '\0', "RSA");
	ok(claims_hold(), "what it says");
	free(text);
	text = make_license(ed, DATA, NULL);
	judge(text, ed_pem);
	ok(l.valid && claims_hold(), "Ed25519");
	judge(text, rsa_pem);
	ok(refused("does not match"), "Ed25519's by the RSA key");
	free(text);
	text = make_license(rsa, DATA, NULL);
	judge(text, ed_pem);
	ok(refused("does not match"), "RSA's by the Ed25519 key");
	free(text);
	text = make_license(other, DATA, NULL);
	judge(text, rsa_pem);
	ok(refused("does not match") && claims_hold(),
	    "another key's: told what it says, but not valid");
	free(text);
}

static void
test_space(void)
{
	static const char	data[] = "{\"userId\":\"a b\\/\\\" ,\","
				    "\"features\":{\"x\":[1,true,{}]},"
				    "\"expires_at\":null}";
	static const char *const	written[] = {
		"{ \"userId\" : \"a b\\/\\\" ,\" , \"features\" : { \"x\" : "
		"[ 1 , true , { } ] } , \"expires_at\" : null }",
		"{\n\t\"userId\": \"a b\\/\\\" ,\",\r\n\t\"features\": {"
		"\"x\":\n[1,\ttrue,{\n}]},\"expires_at\":\tnull\n}  ",
		"\n{\"userId\":\"a b\\/\\\" ,\",\"features\":{\"x\":[1,true,"
		"{}]},\"expires_at\":null}\n",
	};
	char	*text, *signature;
	size_t	 i;

	for (i = 0; i < nitems(written); i++) {
		text = make_license(rsa, data, written[i]);
		judge(text, rsa_pem);
		ok(l.valid && !l.expires && strcmp(l.user.id, "a b/\" ,") ==
		    0 && strcmp(l.features, "{\"x\":[1,true,{}]}") == 0,
		    "white space %zu", i);
		free(text);
	}
	text = make_license(rsa, "{\"type\":\"ab\"}", "{\"type\":\"a b\"}");
	judge(text, rsa_pem);
	ok(refused("does not match"), "white space in a string counts");
	free(text);
	signature = make_signature(ed, DATA);
	text = xasprintf(" { \"x\" : [{\"data\":1}, \"data\"], "
	    "\"signature\":\"%s\" , \"data\" : %s } \n", signature, DATA);
	judge(text, ed_pem);
	ok(l.valid && claims_hold(), "the signature first, and more keys");
	free(text);
	free(signature);
}

static void
test_claims(void)
{
	judge_data("{}");
	ok(l.valid && claims_are_none(), "an empty licence never expires");
	judge_data("{\"userId\":\"42\",\"device_id\":null,\"features\":null}");
	ok(l.valid && l.user.kind == USER_TEXT && l.device_id[0] == '\0' &&
	    strcmp(l.features, "[]") == 0, "a user of text, and nulls");
	judge_data("{\"userId\":\"J\\u00fcrgen \\ud83d\\ude00 \xc3\xa9\","
	    "\"type\":\"\\u0070ro\"}");
	ok(l.valid && strcmp(l.user.id, "J\xc3\xbcrgen \xf0\x9f\x98\x80 "
	    "\xc3\xa9") == 0 && strcmp(l.type, "pro") == 0,
	    "escapes and characters of Unicode");
	judge_data("{\"features\":{\"seats\":5,\"a\":{\"b\":[\"}\\\"]\"]}}}");
	ok(l.valid && strcmp(l.features,
	    "{\"seats\":5,\"a\":{\"b\":[\"}\\\"]\"]}}") == 0,
	    "features as an object");
	judge_data("{\"features\":\"all\"}");
	ok(refused("\"features\" must be"), "features as a string");
	judge_data("{\"userId\":4.5}");
	ok(refused("\"userId\" must be a string or an integer"),
	    "a fraction of a user");
	judge_data("{\"userId\":\"\"}");
	ok(refused("\"userId\" is empty"), "an empty user");
	judge_data("{\"userId\":1,\"device_id\":7}");
	ok(refused("\"device_id\" must be a string") && claims_are_none(),
	    "a number for a device, and nothing is told");
	judge_data("{\"type\":\"a\\nb\"}");
	ok(refused("control character"), "a control character");
	judge_data("{\"type\":\"0123456789012345678901234567890123456789"
	    "012345678901234567890123\"}");
	ok(refused("longer than 63 bytes"), "a long type");
}

static void
test_expiry(void)
{
	static const struct {
		const char	*text;
		int		 valid;
	} cases[] = {
		{ "2023-11-14T22:13:20Z", 0 }, { "2023-11-14T22:13:21Z", 1 },
		{ "2023-11-14T22:13:20.001Z", 1 },
		{ "2023-11-14T23:13:20+01:00", 0 },
		{ "2023-11-14T22:13:21+01:00", 0 },
		{ "2023-11-14T21:13:21-01:00", 1 },
		{ "9999-12-31T23:59:59Z", 1 }, { "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T23:59:59Z", 0 },
	};
	static const char *const	bad[] = { "tomorrow", "2030-01-01",
	    "2030-13-01T00:00:00Z", "2030-01-01T00:00:00", "1893456000",
	    "2030-01-01T00:00:00Zx", " 2030-01-01T00:00:00Z" };
	char	*data;
	size_t	 i;

	for (i = 0; i < nitems(cases); i++) {
		data = xasprintf("{\"expires_at\":\"%s\"}", cases[i].text);
		judge_data(data);
		ok(l.expires && (cases[i].valid ? l.valid :
		    refused("It expired at ")), "%s is%s valid",
		    cases[i].text, cases[i].valid ? "" : " not");
		free(data);
	}
	for (i = 0; i < nitems(bad); i++) {
		data = xasprintf("{\"expires_at\":\"%s\"}", bad[i]);
		judge_data(data);
		ok(refused("not a time by RFC 3339"), "\"%s\" is no time",
		    bad[i]);
		free(data);
	}
	judge_data("{\"expires_at\":\"\"}");
	ok(refused("\"expires_at\" is empty"), "an empty time");
	judge_data("{\"expires_at\":1893456000}");
	ok(refused("\"expires_at\" must be a string"), "a number for a time");
	judge_data("{\"expires_at\":false}");
	ok(refused("\"expires_at\" must be a string"), "no time at all");
}

/* A bit of each byte, and each length. */
static void
test_tampered(EVP_PKEY *key, const char *pem, const char *name)
{
	char	*text = make_license(key, "{\"userId\":7,\"type\":\"a\"}",
		    NULL), *p;
	size_t	 i, n = strlen(text), valid = 0, told = 0;

	for (i = 0; i < n; i++) {
		text[i] ^= 1;
		judge(text, pem);
		valid += l.valid;
		told += l.valid || l.reason[0] != '\0';
		text[i] ^= 1;
	}
	ok(valid == 0 && told == n, "%s: none of %zu changes is valid", name,
	    n);
	valid = told = 0;
	for (i = 0; i < n; i++) {
		judge_n(text, i, pem, strlen(pem));
		valid += l.valid;
		told += l.valid || l.reason[0] != '\0';
	}
	ok(valid == 1 && told == n, "%s: cut anywhere before its last "
	    "newline it is none", name);
	p = strstr(text, "\"userId\":7");
	p[9] = '8';
	judge(text, pem);
	ok(refused("does not match") && strcmp(l.user.id, "8") == 0,
	    "%s: another user", name);
	free(text);
}

static void
test_shape(void)
{
	static const struct {
		const char	*text, *reason;
	} cases[] = {
		{ "", "not one JSON object: it ends too early" },
		{ "null", "another kind" }, { "[]", "another kind" },
		{ "{", "not one JSON object" }, { "{}", "no \"signature\"" },
		{ "{}{}", "something follows" }, { "\xef\xbb\xbf{}", "JSON" },
		{ "{'data':{}}", "JSON" }, { "{\"data\":{},}", "JSON" },
		{ "{\"a\":\"\xff\"}", "not UTF-8" },
		{ "{\"data\":{}}", "no \"signature\"" },
		{ "{\"data\":{},\"signature\":null}", "no \"signature\"" },
		{ "{\"data\":{},\"signature\":\"\"}", "no \"signature\"" },
		{ "{\"data\":{},\"signature\":5}", "must be a string" },
		{ "{\"signature\":\"AAAA\"}", "no object \"data\"" },
		{ "{\"data\":[],\"signature\":\"AAAA\"}", "no object" },
		{ "{\"data\":\"{}\",\"signature\":\"AAAA\"}", "no object" },
		{ "{\"d\\u0061ta\":{},\"signature\":\"AAAA\"}", "no object" },
		{ "{\"data\":{},\"signature\":\"AAA\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"A\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"====\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"A===\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"AA=A\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"AB==\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"AAB=\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"AA-_\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"AAAA\\nAAAA\"}",
		    "not base64" },
		{ "{\"data\":{},\"signature\":\" AAAA\"}", "not base64" },
		{ "{\"data\":{},\"signature\":\"AAAA\"}", "does not match" },
		{ "{\"data\":{},\"signature\":\"AA==\"}", "does not match" },
	};
	static const char *const	twice[] = {
		"{\"data\":{},\"data\":{},\"signature\":\"%s\"}",
		"{\"data\":{},\"d\\u0061ta\":{},\"signature\":\"%s\"}",
		"{\"data\":{},\"signature\":\"%s\",\"signature\":\"AAAA\"}",
		"{\"x\":1,\"data\":{},\"signature\":\"%s\",\"x\":1}",
	};
	static const char *const	data[] = {
		"{\"userId\":1,\"userId\":2}", "{\"a\":1,\"a\":1}",
		"{\"userId\":1,\"user\\u0049d\":2}",
		"{\"features\":{\"a\":1,\"a\":2}}",
	};
	char	*signature = make_signature(rsa, "{}"), *text;
	size_t	 i;

	for (i = 0; i < nitems(cases); i++) {
		judge(cases[i].text, rsa_pem);
		ok(refused(cases[i].reason) && claims_are_none(),
		    "shape %zu: %s", i, cases[i].reason);
	}
	for (i = 0; i < nitems(twice); i++) {
		text = xmalloc(1024);
		strlcpy(text, twice[i], 1024);
		*strchr(text, '%') = '\0';
		strlcat(text, signature, 1024);
		strlcat(text, strstr(twice[i], "%s") + 2, 1024);
		judge(text, rsa_pem);
		ok(refused("a key is there twice"), "twice %zu", i);
		free(text);
	}
	for (i = 0; i < nitems(data); i++) {
		judge_data(data[i]);
		ok(refused("a key is there twice"), "twice in data %zu", i);
	}
	free(signature);
}

static void
test_size(void)
{
	char	*data = xmalloc(LICENSE_BYTES * 2), *text;
	size_t	 fill;

	/* The largest that is taken, then one more byte. */
	text = make_license(ed, "{\"x\":\"\"}", NULL);
	fill = LICENSE_BYTES - strlen(text);
	free(text);
	for (; fill <= LICENSE_BYTES; fill++) {
		snprintf(data, LICENSE_BYTES * 2, "{\"x\":\"%0*d\"}",
		    (int)fill, 0);
		text = make_license(ed, data, NULL);
		judge(text, ed_pem);
		if (strlen(text) > LICENSE_BYTES)
			break;
		ok(l.valid && strlen(text) == LICENSE_BYTES, "8192 bytes");
		free(text);
	}
	ok(strlen(text) == LICENSE_BYTES + 1 && refused("larger than 8192"),
	    "8193 bytes");
	free(text);
	memset(data, '[', LICENSE_BYTES);
	judge_n(data, LICENSE_BYTES, ed_pem, strlen(ed_pem));
	ok(refused("nested too deeply"), "8192 brackets");
	memset(data, ' ', LICENSE_BYTES);
	judge_n(data, LICENSE_BYTES, ed_pem, strlen(ed_pem));
	ok(refused("ends too early"), "8192 spaces");
	memset(data, '"', LICENSE_BYTES);
	judge_n(data, LICENSE_BYTES, ed_pem, strlen(ed_pem));
	ok(refused("JSON"), "8192 quotes");
	/* Features that fill it. */
	memset(data, 0, LICENSE_BYTES);
	snprintf(data, LICENSE_BYTES * 2, "{\"features\":[\"%07000d\"]}", 0);
	text = make_license(ed, data, NULL);
	judge(text, ed_pem);
	ok(l.valid && strlen(l.features) == 7004, "features of 7 KB");
	free(text);
	free(data);
}

static void
test_keys(void)
{
	static const char	encrypted[] = "-----BEGIN PUBLIC KEY-----\n"
	    "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
	    "00000000000000000000000000000000\n\nAAAA\n"
	    "-----END PUBLIC KEY-----\n";
	EVP_PKEY	*key;
	char		*text = make_license(rsa, DATA, NULL), *pem, *two;
	size_t		 i, n = strlen(rsa_pem), valid = 0;

	judge(text, "");
	ok(refused("not one in PEM") && claims_hold(), "no key");
	judge(text, "rubbish");
	ok(refused("not one in PEM"), "a key that is none");
	judge(text, encrypted);
	ok(refused("not one in PEM"), "an encrypted key: nobody is asked");
	for (i = 0; i < n - 1; i++) {
		judge_n(text, strlen(text), rsa_pem, i);
		valid += l.valid;
	}
	ok(valid == 0, "a key that is cut, at %zu places", n - 1);
	two = xasprintf("A comment.\n%s%s", rsa_pem, ed_pem);
	judge(text, two);
	ok(l.valid, "a comment before the key");
	free(two);
	free(text);

	key = make_key(EVP_PKEY_EC, 0);
	pem = make_pem(key);
	text = make_license(key, DATA, NULL);
	judge(text, pem);
	ok(refused("neither an RSA nor an Ed25519"), "a key of EC");
	free(text);
	free(pem);
	EVP_PKEY_free(key);
	key = make_key(EVP_PKEY_RSA, 1024);
	pem = make_pem(key);
	text = make_license(key, DATA, NULL);
	judge(text, pem);
	ok(refused("less than 2048 bits"), "RSA of 1024 bits");
	free(text);
	free(pem);
	EVP_PKEY_free(key);
}

static void
test_padding(void)
{
	unsigned char	 raw[1024];
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*how;
	char		 b64[2048], *text;
	size_t		 n = sizeof(raw);

	if (ctx == NULL || EVP_DigestSignInit(ctx, &how, EVP_sha256(), NULL,
	    rsa) != 1 || EVP_PKEY_CTX_set_rsa_padding(how,
	    RSA_PKCS1_PSS_PADDING) != 1 || EVP_DigestSign(ctx, raw, &n,
	    (const unsigned char *)"{}", 2) != 1)
		errx(1, "cannot sign");
	EVP_MD_CTX_free(ctx);
	EVP_EncodeBlock((unsigned char *)b64, raw, (int)n);
	text = xasprintf("{\"data\":{},\"signature\":\"%s\"}", b64);
	judge(text, rsa_pem);
	ok(refused("does not match"), "PSS is another padding");
	free(text);
}

int
main(void)
{
	rsa = make_key(EVP_PKEY_RSA, 2048);
	ed = make_key(EVP_PKEY_ED25519, 0);
	other = make_key(EVP_PKEY_RSA, 2048);
	rsa_pem = make_pem(rsa);
	ed_pem = make_pem(ed);
	test_good();
	test_space();
	test_claims();
	test_expiry();
	test_tampered(rsa, rsa_pem, "RSA");
	test_tampered(ed, ed_pem, "Ed25519");
	test_shape();
	test_size();
	test_keys();
	test_padding();
	free(rsa_pem);
	free(ed_pem);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(other);
	return (tap_end());
}
