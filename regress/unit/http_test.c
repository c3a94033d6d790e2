/*
 * Tests of the front's parser of request heads: what it understands, and
 * what it refuses with which status.  Each head lies in memory of exactly
 * its size, and is also fed byte by byte, which must not change a thing.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/front/http.h"
#include "unit.h"

#define SUMMARY_BYTES	1024

/* A whole head with a Host; the start of one; the two ends. */
#define GET_WITH(fields)	"GET / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST_WITH(fields)	"POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define OLD_WITH(fields)	"POST / HTTP/1.0\r\n" fields "\r\n"
#define LINE_WITH(line)		line "\r\nHost: a\r\n\r\n"
#define HOST_IS(host)		"GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"

/* want: as summary() says it, from its start to where want ends. */
struct head_case {
	const char	*text;
	size_t		 n;
	const char	*want;
};

#define H(text, want)	{ text, sizeof(text) - 1, want }

static const struct head_case lines[] = {
	H(LINE_WITH("GET / HTTP/1.1"), "GET / 1.1 a cl=-1 keep"),
	H(LINE_WITH("HEAD /a HTTP/1.1"), "HEAD /a 1.1 a"),
	H(LINE_WITH("POST /a HTTP/1.1"), "POST /a 1.1 a"),
	H(LINE_WITH("PUT /a HTTP/1.1"), "PUT /a 1.1 a"),
	H(LINE_WITH("DELETE /a HTTP/1.1"), "DELETE /a 1.1 a"),
	H(LINE_WITH("OPTIONS /a HTTP/1.1"), "OPTIONS /a 1.1 a"),
	H(LINE_WITH("PATCH /a HTTP/1.1"), "PATCH /a 1.1 a"),
	H(LINE_WITH("TRACE / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("BREW / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("get / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("Get / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("GETT / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("GE / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("OTHER / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("M-SEARCH!#$%&'*+.^_`|~09 / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH(" / HTTP/1.1"), "400 The request line"),
	H(LINE_WITH(" GET / HTTP/1.1"), "400 The request line"),
	H(LINE_WITH("\tGET / HTTP/1.1"), "400 The request line"),
	H(LINE_WITH("G(T / HTTP/1.1"), "400 The request line"),
	H(LINE_WITH("GET: / HTTP/1.1"), "400 The request line"),
	H(LINE_WITH("\"GET\" / HTTP/1.1"), "400 The request line"),
	H(LINE_WITH("G\xc3\x89T / HTTP/1.1"), "400 The request line"),
	H(LINE_WITH("GET\t/ HTTP/1.1"), "400"),
	H(LINE_WITH("GET /\tHTTP/1.1"), "400"),
	H(LINE_WITH("GET  / HTTP/1.1"), "400"),
	H(LINE_WITH("GET /  HTTP/1.1"), "400"),
	H(LINE_WITH("GET / HTTP/1.1 "), "400"),
	H(LINE_WITH("GET / HTTP/1.1\t"), "400"),
	H(LINE_WITH("GET / x HTTP/1.1"), "400"),
	H(LINE_WITH("GET /a b HTTP/1.1"), "400"),
	H(LINE_WITH("GET"), "400 The request line"),
	H(LINE_WITH("GET "), "400 The request line"),
	H(LINE_WITH("GET /"), "400 The request line"),
	H(LINE_WITH("GET / "), "400"),
	H(LINE_WITH("GET  HTTP/1.1"), "400"),
	H(LINE_WITH(""), "400 The request line"),
	H(LINE_WITH("GET\0 / HTTP/1.1"), "400 The request's head"),
	H(LINE_WITH("GET /\0 HTTP/1.1"), "400 The request's head"),
	H(LINE_WITH("GET /\x01 HTTP/1.1"), "400 The request's head"),
	H(LINE_WITH("GET /\x7f HTTP/1.1"), "400 The request's head"),
	H(LINE_WITH("GET / HTTP/1.1\x0b"), "400 The request's head"),
	H(LINE_WITH("GET / HTTP/1.1\r"), "400 A line"),
	H("GET /\r HTTP/1.1\r\n", "400 A line"),
	H("GET / HTTP/1.1\n", "400 A line"),
	H("\nGET / HTTP/1.1", "400 A line"),
	H("GET /\r\n", "400 The request line"),
	H("GET /", "more"),
	H("GET / HTTP/1.1\r", "more"),
	H("GET / HTTP/1.1\r\n", "more"),
	H("\x16\x03\x01\x02", "400 The request's head"),	/* TLS */
	H("SSH-2.0-OpenSSH_9.2\r\n", "400 The request line"),
	H("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
	H("", "more"),
	H("\r", "more"),
	H("\r\n", "more"),
	H("\r\n\r", "more"),
	H("\r\n\r\n", "400 The request line"),
	H("\r\rGET / HTTP/1.1\r\n", "400 A line"),
	H("\r\n" GET_WITH(""), "GET / 1.1 a"),
	H("\r\n\r\n" GET_WITH(""), "400 The request line"),
	H("\n" GET_WITH(""), "400 A line"),
	H(" \r\n" GET_WITH(""), "400 The request line"),
};

static const struct head_case versions[] = {
	H("GET / HTTP/1.0\r\n\r\n", "GET / 1.0  cl=-1 close"),
	H(LINE_WITH("GET / HTTP/1.2"), "505"),
	H(LINE_WITH("GET / HTTP/1.9"), "505"),
	H(LINE_WITH("GET / HTTP/2.0"), "505"),
	H(LINE_WITH("GET / HTTP/3.1"), "505"),
	H(LINE_WITH("GET / HTTP/0.9"), "505"),
	H(LINE_WITH("GET / HTTP/0.0"), "505"),
	H(LINE_WITH("GET / HTTP/9.9"), "505"),
	H(LINE_WITH("GET / HTTP/2"), "400"),
	H(LINE_WITH("GET / HTTP/1"), "400"),
	H(LINE_WITH("GET / HTTP/1."), "400"),
	H(LINE_WITH("GET / HTTP/.1"), "400"),
	H(LINE_WITH("GET / HTTP/1.10"), "400"),
	H(LINE_WITH("GET / HTTP/1.1.1"), "400"),
	H(LINE_WITH("GET / HTTP/01.1"), "400"),
	H(LINE_WITH("GET / HTTP/11.1"), "400"),
	H(LINE_WITH("GET / HTTP/1,1"), "400"),
	H(LINE_WITH("GET / HTTP/-1.1"), "400"),
	H(LINE_WITH("GET / HTTP/+.1"), "400"),
	H(LINE_WITH("GET / HTTP/1.x"), "400"),
	H(LINE_WITH("GET / http/1.1"), "400"),
	H(LINE_WITH("GET / Http/1.1"), "400"),
	H(LINE_WITH("GET / HTTPS/1.1"), "400"),
	H(LINE_WITH("GET / HTTP 1.1"), "400"),
	H(LINE_WITH("GET / HTTP"), "400"),
	H(LINE_WITH("GET / ICY/1.1"), "400"),
	H(LINE_WITH("GET / RTSP/1.0"), "400"),
	H(LINE_WITH("GET / HTTP/1.1;x"), "400"),
	H(LINE_WITH("GET / HTTP/\xef\xbc\x91.1"), "400"),
};

static const struct head_case targets[] = {
	H(LINE_WITH("GET /a?b=c&d HTTP/1.1"), "GET /a?b=c&d 1.1 a"),
	H(LINE_WITH("GET //x HTTP/1.1"), "GET //x 1.1 a"),
	H(LINE_WITH("GET /%zz HTTP/1.1"), "GET /%zz 1.1 a"),
	H(LINE_WITH("GET /\"<>\\^`{|} HTTP/1.1"), "GET /\"<>\\^`{|} 1.1"),
	H(LINE_WITH("GET /http://b/ HTTP/1.1"), "GET /http://b/ 1.1 a"),
	H(LINE_WITH("GET a HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET ?a HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET ../a HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET \\a HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET /# HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET /a#b HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET /\xc3\xa9 HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET /\x80 HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET /\xff HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("GET /a?\xff HTTP/1.1"), "400 The request's target"),
	H(LINE_WITH("OPTIONS * HTTP/1.1"), "OPTIONS * 1.1 a"),
	H(LINE_WITH("GET * HTTP/1.1"), "400"),
	H(LINE_WITH("OPTIONS ** HTTP/1.1"), "400"),
	H(LINE_WITH("CONNECT a:443 HTTP/1.1"), "400"),
	H(LINE_WITH("CONNECT / HTTP/1.1"), "OTHER / 1.1 a"),
	H(LINE_WITH("GET http://a/x?y HTTP/1.1"), "GET /x?y 1.1 a@a"),
	H(LINE_WITH("GET HTTP://A/x HTTP/1.1"), "GET /x 1.1 a@A"),
	H(LINE_WITH("GET http://a HTTP/1.1"), "GET / 1.1 a@a"),
	H(LINE_WITH("GET http://a/ HTTP/1.1"), "GET / 1.1 a@a"),
	H(LINE_WITH("GET http://a//b HTTP/1.1"), "GET //b 1.1 a@a"),
	H(LINE_WITH("GET http://a?x HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://b/ HTTP/1.1"), "400 The Host"),
	H(LINE_WITH("GET http://ab/ HTTP/1.1"), "400 The Host"),
	H(LINE_WITH("GET http://a:80/ HTTP/1.1"), "400 The Host"),
	H(LINE_WITH("GET http:/// HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http:// HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http:///a HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://u@a/ HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://u:p@a/ HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://a@/ HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://a:/ HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://a:99999/ HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://%61/ HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http://a\\b/ HTTP/1.1"), "400 The URL"),
	H(LINE_WITH("GET http:a HTTP/1.1"), "400"),
	H(LINE_WITH("GET http:/a HTTP/1.1"), "400"),
	H(LINE_WITH("GET https://a/ HTTP/1.1"), "400"),
	H(LINE_WITH("GET ftp://a/ HTTP/1.1"), "400"),
	H(LINE_WITH("GET file:///etc/passwd HTTP/1.1"), "400"),
	H(LINE_WITH("GET http://a/#x HTTP/1.1"), "400"),
	H("GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
	    "GET / 1.1 [::1]:80@[::1]:80"),
	H("GET http://b/ HTTP/1.0\r\n\r\n", "GET / 1.0 @b"),
};

static const struct head_case hosts[] = {
	H(HOST_IS("localhost"), "GET / 1.1 localhost cl"),
	H(HOST_IS("localhost:39000"), "GET / 1.1 localhost:39000 cl"),
	H(HOST_IS("127.0.0.1:1"), "GET / 1.1 127.0.0.1:1 cl"),
	H(HOST_IS("A-b_c.example."), "GET / 1.1 A-b_c.example. cl"),
	H(HOST_IS("a:65535"), "GET / 1.1 a:65535 cl"),
	H(HOST_IS("[::1]"), "GET / 1.1 [::1] cl"),
	H(HOST_IS("[::ffff:1.2.3.4]:80"), "GET / 1.1 [::ffff:1.2.3.4]:80 cl"),
	H(HOST_IS("  a\t "), "GET / 1.1 a cl"),
	H("GET / HTTP/1.1\r\nhOsT:a\r\n\r\n", "GET / 1.1 a cl"),
	H("GET / HTTP/1.1\r\n\r\n", "400 The request has no Host"),
	H("GET / HTTP/1.1\r\nHosts: a\r\n\r\n", "400 The request has no Host"),
	H("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", "400 The request has no Host"),
	H(GET_WITH("Host: a\r\n"), "400 The request has two Host"),
	H(GET_WITH("hOST: b\r\n"), "400 The request has two Host"),
	H("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400 The request"),
	H("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / 1.0 a cl"),
	H("GET / HTTP/1.0\r\nHost: @\r\n\r\n", "400 The Host"),
	H(HOST_IS(""), "400 The Host"),
	H(HOST_IS(" "), "400 The Host"),
	H(HOST_IS(":80"), "400 The Host"),
	H(HOST_IS("a:"), "400 The Host"),
	H(HOST_IS("a:65536"), "400 The Host"),
	H(HOST_IS("a:000080"), "400 The Host"),
	H(HOST_IS("a:80:80"), "400 The Host"),
	H(HOST_IS("a:+80"), "400 The Host"),
	H(HOST_IS("a:8x"), "400 The Host"),
	H(HOST_IS("a b"), "400 The Host"),
	H(HOST_IS("a,b"), "400 The Host"),
	H(HOST_IS("a, a"), "400 The Host"),
	H(HOST_IS("a/b"), "400 The Host"),
	H(HOST_IS("a?b"), "400 The Host"),
	H(HOST_IS("a#b"), "400 The Host"),
	H(HOST_IS("u@a"), "400 The Host"),
	H(HOST_IS("a%00"), "400 The Host"),
	H(HOST_IS("http://a"), "400 The Host"),
	H(HOST_IS("\xc3\xa9"), "400 The Host"),
	H(HOST_IS("["), "400 The Host"),
	H(HOST_IS("[]"), "400 The Host"),
	H(HOST_IS("[::1"), "400 The Host"),
	H(HOST_IS("::1"), "400 The Host"),
	H(HOST_IS("[::1]x"), "400 The Host"),
	H(HOST_IS("[::1]]"), "400 The Host"),
	H(HOST_IS("[::1]:"), "400 The Host"),
	H(HOST_IS("[a]"), "400 The Host"),
	H(HOST_IS("[1.2.3.4]"), "400 The Host"),
	H(HOST_IS("[v1.a:b:c]"), "400 The Host"),
	H(HOST_IS("[fe80::1%25eth0]"), "400 The Host"),
	H(HOST_IS("x[::1]"), "400 The Host"),
};

static const struct head_case fields[] = {
	H(GET_WITH("A:b\r\n"), "GET / 1.1 a cl=-1 keep n=2 A=b"),
	H(GET_WITH("A:\r\n"), "GET / 1.1 a cl=-1 keep n=2 A="),
	H(GET_WITH("A: \t \r\n"), "GET / 1.1 a cl=-1 keep n=2 A="),
	H(GET_WITH("A: b c \t\r\n"), "GET / 1.1 a cl=-1 keep n=2 A=b c"),
	H(GET_WITH("A:\tb\tc\r\n"), "GET / 1.1 a cl=-1 keep n=2 A=b\tc"),
	H(GET_WITH("A: b: c:\r\n"), "GET / 1.1 a cl=-1 keep n=2 A=b: c:"),
	H(GET_WITH("A: \xe9\xff\x80\r\n"),
	    "GET / 1.1 a cl=-1 keep n=2 A=\xe9\xff\x80"),
	H(GET_WITH("!#$%&'*+-.^_`|~09: x\r\n"),
	    "GET / 1.1 a cl=-1 keep n=2 !#$%&'*+-.^_`|~09=x"),
	H(GET_WITH("A: 1\r\nA: 2\r\n"), "GET / 1.1 a cl=-1 keep n=3 A=2"),
	H(GET_WITH("A : b\r\n"), "400 The name"),
	H(GET_WITH("A\t: b\r\n"), "400 The name"),
	H(GET_WITH("A b: c\r\n"), "400 The name"),
	H(GET_WITH(": b\r\n"), "400 The name"),
	H(GET_WITH(":\r\n"), "400 The name"),
	H(GET_WITH("A(b): c\r\n"), "400 The name"),
	H(GET_WITH("A/b: c\r\n"), "400 The name"),
	H(GET_WITH("\"A\": c\r\n"), "400 The name"),
	H(GET_WITH("\xc3\xa9: c\r\n"), "400 The name"),
	H(GET_WITH("\xef\xbb\xbf" "A: c\r\n"), "400 The name"),
	H(GET_WITH("A\r\n"), "400 A header field has no colon"),
	H(GET_WITH("A b\r\n"), "400 A header field has no colon"),
	H(GET_WITH("A: b\r\n c\r\n"), "400 A header field must"),
	H(GET_WITH("A: b\r\n\tc\r\n"), "400 A header field must"),
	H(GET_WITH(" A: b\r\n"), "400 A header field must"),
	H(GET_WITH("\tA: b\r\n"), "400 A header field must"),
	H(GET_WITH(" \r\n"), "400 A header field must"),
	H("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 A header field must"),
	H("GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", "400 A header field must"),
	H(GET_WITH("A: b\nC: d\r\n"), "400 A line"),
	H(GET_WITH("A: b\n"), "400 A line"),
	H(GET_WITH("\n"), "400 A line"),
	H(GET_WITH("A: b\rC: d\r\n"), "400 A line"),
	H(GET_WITH("A: b\r\r\n"), "400 A line"),
	H(GET_WITH("A\r: b\r\n"), "400 A line"),
	H(GET_WITH("A\n: b\r\n"), "400 A line"),
	H(GET_WITH("A: b\n\r\n"), "400 A line"),
	H(GET_WITH("A: b\n\n"), "400 A line"),
	H("GET / HTTP/1.1\r\nHost: a\n\nGET /x HTTP/1.1\r\n", "400 A line"),
	H("GET / HTTP/1.1\r\nHost: a\r\n\nX", "400 A line"),
	H("GET / HTTP/1.1\r\nHost: a\r\n\rX", "400 A line"),
	H(GET_WITH("A: b\0c\r\n"), "400 The request's head"),
	H(GET_WITH("A\0: b\r\n"), "400 The request's head"),
	H(GET_WITH("\0A: b\r\n"), "400 The request's head"),
	H(GET_WITH("A: \x1b[0m\r\n"), "400 The request's head"),
	H(GET_WITH("A: \x0c\r\n"), "400 The request's head"),
	H(GET_WITH("A: \x7f\r\n"), "400 The request's head"),
	H("GET / HTTP/1.1\r\nHost: a\r\n", "more"),
	H("GET / HTTP/1.1\r\nHost: a\r\n\r", "more"),
	H("GET / HTTP/1.1\r\nHost: a\r\nA", "more"),
};

static const struct head_case framing[] = {
	H(POST_WITH("Content-Length: 0\r\n"), "POST / 1.1 a cl=0 keep"),
	H(POST_WITH("Content-Length: 5\r\n"), "POST / 1.1 a cl=5 keep"),
	H(POST_WITH("content-length:5 \r\n"), "POST / 1.1 a cl=5 keep"),
	H(POST_WITH("Content-Length: 007\r\n"), "POST / 1.1 a cl=7 keep"),
	H(POST_WITH("Content-Length: 9223372036854775807\r\n"),
	    "POST / 1.1 a cl=9223372036854775807"),
	H(POST_WITH("Content-Length: 9223372036854775808\r\n"), "400 The Con"),
	H(POST_WITH("Content-Length: 18446744073709551616\r\n"), "400 The Con"),
	H(POST_WITH("Content-Length: 18446744073709551621\r\n"), "400 The Con"),
	H(POST_WITH("Content-Length: 99999999999999999999999\r\n"), "400 The "),
	H(POST_WITH("Content-Length:\r\n"), "400 The Content-Length is empty"),
	H(POST_WITH("Content-Length: +5\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: -5\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: -0\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 0x5\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 5.0\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 5e1\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 5 5\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 1 \t2\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 5,5\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 5, 6\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: ,5\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: 5;\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: \"5\"\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: five\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length: \xb2\r\n"), "400 The Content-Length"),
	H(POST_WITH("Content-Length : 5\r\n"), "400 The name"),
	H(POST_WITH("Content-Length: 5\r\nContent-Length: 5\r\n"),
	    "400 The request has two Content-Length"),
	H(POST_WITH("Content-Length: 5\r\ncontent-LENGTH: 6\r\n"),
	    "400 The request has two Content-Length"),
	H(POST_WITH("Content-Length: 5\r\n 6\r\n"), "400 A header field"),
	H(GET_WITH("Content-Length: 5\r\n"), "GET / 1.1 a cl=5 keep"),
	H(OLD_WITH("Content-Length: 5\r\n"), "POST / 1.0  cl=5 close"),
	H(POST_WITH("Transfer-Encoding: chunked\r\n"),
	    "POST / 1.1 a cl=-1 chunked keep"),
	H(POST_WITH("transfer-encoding:\tCHUNKED \r\n"),
	    "POST / 1.1 a cl=-1 chunked keep"),
	H(POST_WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
	    "400 The request has both"),
	H(POST_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
	    "400 The request has both"),
	H(POST_WITH("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
	    "400 The request has both"),
	H(POST_WITH("Content-Length: 5\r\nTransfer-Encoding: identity\r\n"),
	    "400 The request has both"),
	H(POST_WITH("Content-Length: 5\r\nTransfer-Encoding:\r\n"),
	    "400 The request has both"),
	H(POST_WITH("Content-Length: x\r\nTransfer-Encoding: x\r\n"),
	    "400 The request has both"),
	H(OLD_WITH("Transfer-Encoding: chunked\r\n"), "400 HTTP/1.0"),
	H(OLD_WITH("Transfer-Encoding: gzip\r\n"), "400 HTTP/1.0"),
	H(POST_WITH("Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunked\r\n"
	    "Transfer-encoding: cow\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: gzip\r\n"
	    "Transfer-Encoding: chunked\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: gzip\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: identity\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: gzip, chunked\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunked, gzip\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunked, chunked\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunked,\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: ,chunked\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunked;q=1\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: xchunked\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunkedx\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunk\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: \"chunked\"\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: 'chunked'\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: chunked\xa0\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding:\r\n"), "501"),
	H(POST_WITH("Transfer-Encoding: \x0b" "chunked\r\n"), "400"),
	H(POST_WITH("Transfer-Encoding: chunked\0\r\n"), "400"),
	H(POST_WITH("Transfer-Encoding: chunked\r\r\n"), "400"),
	H(POST_WITH("Transfer-Encoding:\r\n chunked\r\n"), "400"),
	H(POST_WITH("Transfer-Encoding : chunked\r\n"), "400"),
	H(POST_WITH(" Transfer-Encoding: chunked\r\n"), "400"),
	H(POST_WITH("X: y\nTransfer-Encoding: chunked\r\n"), "400"),
	H(POST_WITH("X: y\rTransfer-Encoding: chunked\r\n"), "400"),
	H(POST_WITH("Transfer_Encoding: chunked\r\n"),
	    "POST / 1.1 a cl=-1 keep"),
};

static const struct head_case manners[] = {
	H(GET_WITH("Connection: close\r\n"), "GET / 1.1 a cl=-1 close"),
	H(GET_WITH("Connection: CLOSE\r\n"), "GET / 1.1 a cl=-1 close"),
	H(GET_WITH("Connection: keep-alive\r\n"), "GET / 1.1 a cl=-1 keep"),
	H(GET_WITH("Connection: keep-alive, close\r\n"),
	    "GET / 1.1 a cl=-1 close"),
	H(GET_WITH("Connection: close, keep-alive\r\n"),
	    "GET / 1.1 a cl=-1 close"),
	H(GET_WITH("Connection: keep-alive\r\nConnection: x , close\r\n"),
	    "GET / 1.1 a cl=-1 close"),
	H(GET_WITH("Connection: upgrade\r\n"), "GET / 1.1 a cl=-1 keep"),
	H(GET_WITH("Connection: closed\r\n"), "GET / 1.1 a cl=-1 keep"),
	H(GET_WITH("Connection:\r\n"), "GET / 1.1 a cl=-1 keep"),
	H(GET_WITH("Proxy-Connection: close\r\n"), "GET / 1.1 a cl=-1 keep"),
	H(OLD_WITH(""), "POST / 1.0  cl=-1 close"),
	H(OLD_WITH("Connection: Keep-Alive\r\n"), "POST / 1.0  cl=-1 keep"),
	H(OLD_WITH("Connection: x,keep-alive\r\n"), "POST / 1.0  cl=-1 keep"),
	H(OLD_WITH("Connection: close, keep-alive\r\n"),
	    "POST / 1.0  cl=-1 close"),
	H(OLD_WITH("Proxy-Connection: keep-alive\r\n"),
	    "POST / 1.0  cl=-1 close"),
	H(POST_WITH("Expect: 100-continue\r\nContent-Length: 1\r\n"),
	    "POST / 1.1 a cl=1 keep expect"),
	H(POST_WITH("Transfer-Encoding: chunked\r\nexpect: 100-Continue\r\n"),
	    "POST / 1.1 a cl=-1 chunked keep expect"),
	H(POST_WITH("Expect: 100-continue\r\nContent-Length: 0\r\n"),
	    "POST / 1.1 a cl=0 keep n"),
	H(POST_WITH("Expect: 100-continue\r\n"), "POST / 1.1 a cl=-1 keep n"),
	H(OLD_WITH("Expect: 100-continue\r\nContent-Length: 1\r\n"),
	    "POST / 1.0  cl=1 close n"),
	H(POST_WITH("Expect:\r\n"), "417"),
	H(POST_WITH("Expect: 200-ok\r\n"), "417"),
	H(POST_WITH("Expect: 100-continue, x\r\n"), "417"),
	H(POST_WITH("Expect: 100-continue;x\r\n"), "417"),
	H(POST_WITH("Expect: 100-continue\r\nExpect: y\r\n"), "417"),
	H(POST_WITH("Expect: x\r\nContent-Length: x\r\n"), "400"),
	H(POST_WITH("Expect: x\r\nTransfer-Encoding: x\r\n"), "501"),
};

static void
summary(char *dst, int rc, int status, const char *why,
    const struct http_request *r)
{
	const struct http_field	*f;

	if (rc == 0)
		snprintf(dst, SUMMARY_BYTES, "more");
	else if (rc == -1)
		snprintf(dst, SUMMARY_BYTES, "%d %s", status, why);
	if (rc != 1)
		return;
	f = &r->fields[r->nfields == 0 ? 0 : r->nfields - 1];
	snprintf(dst, SUMMARY_BYTES,
	    "%s %.*s 1.%d %.*s%s%.*s cl=%lld%s %s%s n=%zu %.*s=%.*s",
	    http_method_name(r->method), (int)r->target.n, r->target.at,
	    r->minor, (int)r->host.n, r->host.n != 0 ? r->host.at : "",
	    r->authority.n != 0 ? "@" : "", (int)r->authority.n,
	    r->authority.n != 0 ? r->authority.at : "",
	    (long long)r->content_length, r->chunked ? " chunked" : "",
	    r->keep_alive ? "keep" : "close",
	    r->expect_continue ? " expect" : "", r->nfields,
	    (int)f->name.n, f->name.n != 0 ? f->name.at : "",
	    (int)f->value.n, f->value.n != 0 ? f->value.at : "");
}

/* Parses a copy that ends where the memory does. */
static int
parse_copy(const char *text, size_t n, char *sum, size_t *head_bytes)
{
	struct http_request	 r;
	const char		*why = "";
	char			*p;
	int			 rc, status = 0;

	if ((p = malloc(n != 0 ? n : 1)) == NULL)
		exit(1);
	memcpy(p, text, n);
	rc = http_parse_head(p, n, &r, &status, &why);
	summary(sum, rc, status, why, &r);
	*head_bytes = r.head_bytes;
	free(p);
	return (rc);
}

/* What the first prefix that is decided says; the whole if none is. */
static int
parse_bytewise(const char *text, size_t n, char *sum, size_t *head_bytes)
{
	size_t	k;
	int	rc;

	for (k = 0; k < n; k++)
		if ((rc = parse_copy(text, k, sum, head_bytes)) != 0)
			return (rc);
	return (parse_copy(text, n, sum, head_bytes));
}

/* 1 when all three ways to give the head have the same good result. */
static int
head_is(const char *text, size_t n, const char *want, char *got)
{
	char	 slow[SUMMARY_BYTES], more[SUMMARY_BYTES];
	char	*p;
	size_t	 used, used_slow, used_more;
	int	 rc;

	rc = parse_copy(text, n, got, &used);
	if (strncmp(got, want, strlen(want)) != 0)
		return (0);
	if (parse_bytewise(text, n, slow, &used_slow) != rc ||
	    strcmp(slow, got) != 0 || used_slow != used)
		return (0);
	if (rc == 0)
		return (1);
	/* What comes behind a decided head changes nothing. */
	if ((p = malloc(n + 7)) == NULL)
		exit(1);
	memcpy(p, text, n);
	memcpy(p + n, "\r\n\r\nXX", 7);
	if (parse_copy(p, n + 7, more, &used_more) != rc)
		rc = -2;
	free(p);
	return (rc != -2 && strcmp(more, got) == 0 && used_more == used &&
	    (rc == -1 || used == n));
}

static void
run_heads(const char *what, const struct head_case *c, size_t n)
{
	char	got[SUMMARY_BYTES];
	size_t	i;
	int	good;

	for (i = 0; i < n; i++) {
		good = head_is(c[i].text, c[i].n, c[i].want, got);
		if (!good)
			printf("# wanted: %s\n# got: %s\n", c[i].want, got);
		ok(good, "%s %zu: %.40s", what, i + 1, c[i].want);
	}
}

/* A head whose target, number of fields or size is as wanted. */
static size_t
big_head(char *dst, size_t target, size_t nfields, size_t total)
{
	size_t	n, i;

	n = (size_t)sprintf(dst, "GET /");
	memset(dst + n, 'a', target - 1);
	n += target - 1;
	n += (size_t)sprintf(dst + n, " HTTP/1.1\r\nHost: a\r\n");
	for (i = 1; i < nfields; i++)
		n += (size_t)sprintf(dst + n, "A%zu: b\r\n", i);
	if (total != 0) {
		n += (size_t)sprintf(dst + n, "Big: ");
		memset(dst + n, 'x', total - n - 4);
		n = total - 4;
		n += (size_t)sprintf(dst + n, "\r\n");
	}
	n += (size_t)sprintf(dst + n, "\r\n");
	return (n);
}

static void
test_limits(void)
{
	static const struct {
		size_t		 target, nfields, total;
		const char	*want;
	} cases[] = {
		{ HTTP_TARGET_MAX, 1, 0, "GET /aaa" },
		{ HTTP_TARGET_MAX + 1, 1, 0, "414" },
		{ HTTP_HEAD_MAX, 1, 0, "414" },
		{ 1, HTTP_FIELDS_MAX, 0, "GET / 1.1 a cl=-1 keep n=64 A63=b" },
		{ 1, HTTP_FIELDS_MAX + 1, 0, "431 The request has too many" },
		{ 1, 1, HTTP_HEAD_MAX - 1, "GET / 1.1 a cl=-1 keep n=2 Big=" },
		{ 1, 1, HTTP_HEAD_MAX, "GET / 1.1 a cl=-1 keep n=2 Big=" },
		{ 1, 1, HTTP_HEAD_MAX + 1, "431 The request's head" },
		{ 1, 1, HTTP_HEAD_MAX + 2, "431 The request's head" },
		{ 1, 1, HTTP_HEAD_MAX + 3, "431 The request's head" },
		{ 1, 1, 2 * HTTP_HEAD_MAX, "431 The request's head" },
		{ 1, HTTP_FIELDS_MAX - 1, HTTP_HEAD_MAX, "GET / 1.1" },
		{ 1, HTTP_FIELDS_MAX, HTTP_HEAD_MAX, "431 The request has" },
		{ HTTP_TARGET_MAX, 1, HTTP_HEAD_MAX, "GET /aaa" },
	};
	static char	text[3 * HTTP_HEAD_MAX];
	char		got[SUMMARY_BYTES];
	size_t		i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = big_head(text, cases[i].target, cases[i].nfields,
		    cases[i].total);
		ok(head_is(text, n, cases[i].want, got), "limit %zu: %s",
		    i + 1, cases[i].want);
	}
	memset(text, 'A', sizeof(text));
	ok(head_is(text, HTTP_HEAD_MAX - 1, "more", got),
	    "a method without end: more is waited for");
	ok(head_is(text, HTTP_HEAD_MAX, "431", got),
	    "a method without end: until the head is full");
	memcpy(text, "GET ", 4);
	ok(head_is(text, 4 + HTTP_TARGET_MAX, "more", got),
	    "a target as long as can be, without end");
	ok(head_is(text, 5 + HTTP_TARGET_MAX, "414", got),
	    "a target too long is refused before it ends");
	memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nB: ", 28);
	ok(head_is(text, HTTP_HEAD_MAX, "431", got), "a field without end");
}

/* Every byte, put where the '@' of a head stands. */
static void
test_every_byte(void)
{
	static const struct {
		const char	*what, *text, *good;
	} places[] = {
		{ "a method", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
		    "!#$%&'*+-.^_`|~" },
		{ "a target", "GET /@ HTTP/1.1\r\nHost: a\r\n\r\n",
		    "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~" },
		{ "a field's name", "GET / HTTP/1.1\r\nHost: a\r\nA@b: x\r\n"
		    "\r\n", "!#$%&'*+-.^_`|~:" },
		{ "a host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "-._" },
		{ "a field's value", "GET / HTTP/1.1\r\nHost: a\r\nA: b@c\r\n"
		    "\r\n", NULL },
		{ "a version", "GET / HTTP/1.@\r\nHost: a\r\n\r\n", NULL },
		{ "a length", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1@"
		    "\r\n\r\n", NULL },
	};
	char		text[128], got[SUMMARY_BYTES];
	const char	*good;
	size_t		i, at;
	int		b, may, alnum, wrong;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		wrong = 0;
		at = (size_t)(strchr(places[i].text, '@') - places[i].text);
		good = places[i].good;
		for (b = 0; b < 256; b++) {
			alnum = (b >= '0' && b <= '9') ||
			    (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
			if (good != NULL)
				may = alnum || (b != 0 && strchr(good, b));
			else if (places[i].what[2] == 'v')
				may = b == '0' || b == '1';
			else if (places[i].what[2] == 'l')
				may = (b >= '0' && b <= '9') || b == ' ' ||
				    b == '\t';
			else
				may = b == '\t' || (b >= 0x20 && b != 0x7f);
			snprintf(text, sizeof(text), "%s", places[i].text);
			text[at] = (char)b;
			if (head_is(text, strlen(places[i].text),
			    may ? "" : "400", got) && may == (got[0] != '4'))
				continue;
			if (places[i].what[2] == 'v' && got[0] == '5')
				continue;	/* another digit: 505 */
			wrong++;
			printf("# byte %#x: %s\n", (unsigned int)b, got);
		}
		ok(wrong == 0, "every byte in %s", places[i].what);
	}
}

static void
test_fields(void)
{
	static const char	text[] = GET_WITH("X-A: 1\r\nx-a: 2\r\nX: 3\r\n");
	struct http_request	r;
	const char		*why;
	int			status;

	ok(http_parse_head(text, sizeof(text) - 1, &r, &status, &why) == 1,
	    "a head with three more fields");
	ok(http_field_count(&r, "X-A") == 2, "two have the same name");
	ok(http_field_count(&r, "X-") == 0, "none has the start of it");
	ok(http_field_count(&r, "X-AB") == 0, "none has a longer one");
	ok(http_field(&r, "x-A") == &r.fields[1], "the first is found");
	ok(http_field(&r, "X") == &r.fields[3], "and the last");
	ok(http_field(&r, "Y") == NULL, "and none that is not there");
	ok(http_slice_is(&r.fields[2].name, "x-a"), "names are as they came");
	ok(http_slice_is(&r.fields[2].value, "2"), "values are trimmed");
	ok(r.head_bytes == sizeof(text) - 1, "the head took all there was");
}

#define RUN(what, table)	\
	run_heads(what, table, sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	RUN("request line", lines);
	RUN("version", versions);
	RUN("target", targets);
	RUN("host", hosts);
	RUN("field", fields);
	RUN("framing", framing);
	RUN("manners", manners);
	test_limits();
	test_every_byte();
	test_fields();
	return (tap_end());
}
