/*
 * Requests that must be refused, with the status that each must get.
 */
struct raw_case {
	int		 status;
	const char	*text;
	size_t		 n;
};

struct target_case {
	int		 status;
	const char	*line;		/* method and target */
};

struct body_case {
	const char	*code;		/* errorCode; the status is 400 */
	const char	*body;		/* of create, as application/json */
};

#define RAW(status, text)	{ status, text, sizeof(text) - 1 }

static const struct raw_case	raw_cases[] = {
	RAW(400, "GET\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / \r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/1.\r\nHost: localhost\r\n\r\n"),
	RAW(505, "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n"),
	RAW(505, "GET / HTTP/0.9\r\nHost: localhost\r\n\r\n"),
	RAW(505, "GET / HTTP/1.2\r\nHost: localhost\r\n\r\n"),
	RAW(505, "GET / HTTP/1.9\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/1.10\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/11.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / http/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTPS/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/1.1 \r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/1.1\t\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /  HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, " GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "\tGET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /\tHTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "G(T / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET: / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /a#b HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET \\ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /\x7f HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	/* A NUL. */
	RAW(400, "GET /\001 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET https://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET http:///healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET http://a:b@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET http://localhost?x HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(501, "TRACE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(501, "BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(501, "get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(501, "PROPFIND /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "HTTP/1.1 200 OK\r\nHost: localhost\r\n\r\n"),
	RAW(400, "\026\003\001\r\nHost: localhost\r\n\r\n"),
	RAW(400, "\x80\x2e\x01\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\n\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nX: y\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r"
	    "\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\n"
	    "\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: \t\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n X: y\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\tX: y\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n z\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX\t: y\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n: y\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX y: z\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX(: z\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\x80: z\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\001b\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\x7f\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\033[0m\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: local host\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost/\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost:\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost:x\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost:99999\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost:-1\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: user@localhost\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: [::1]x\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: []\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: evil.example:39000\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: 127.1\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: 2130706433\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: 0x7f.0.0.1\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.256\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1.\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: localhost6\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: xlocalhost\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: [1::2::3]\r\n\r\n"),
	RAW(421, "GET /healthz HTTP/1.1\r\nHost: [::ffff:1.2.3.4.5]\r\n\r\n"),
	RAW(403, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.ex"
	    "ample\r\n\r\n"),
	RAW(403, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n"),
	RAW(403, "GET /healthz HTTP/1.1\r\nHost: localhost\r\norigin: http://localho"
	    "st\r\n\r\n"),
	RAW(403, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin:\r\n\r\n"),
	RAW(417, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\n\r\n"),
	RAW(417, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nExpect:\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nC"
	    "ontent-Length: 5\r\n\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nC"
	    "ontent-Length: 6\r\n\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n"
	    "\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n"
	    "\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5 5\r"
	    "\n\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r"
	    "\n\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x5\r"
	    "\n\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5.0\r"
	    "\n\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length:\r\n\r"
	    "\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: five\r"
	    "\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999"
	    "99999999999999\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
	    "\r\nhello"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chu"
	    "nked\r\n\r\n0\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nT"
	    "ransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chu"
	    "nked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
	RAW(501, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzi"
	    "p\r\n\r\n"),
	RAW(501, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzi"
	    "p, chunked\r\n\r\n"),
	RAW(501, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chu"
	    "nked, chunked\r\n\r\n"),
	RAW(501, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xch"
	    "unked\r\n\r\n"),
	RAW(501, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: ide"
	    "ntity\r\n\r\n"),
	RAW(501, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\r\n"
	    "\r\n"),
	RAW(501, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chu"
	    "nked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	RAW(400, "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r"
	    "\n"),
	RAW(421, "GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\n"
	    "\r\n"),
	RAW(400, "POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
	    "\r\n"),
	RAW(421, "GET /healthz HTTP/1.0\r\nHost: evil.example\r\n\r\n"),
	RAW(400, "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "G"),
	RAW(400, "GET /healthz"),
	RAW(400, "GET /healthz HTTP/1.1"),
	RAW(400, "GET /healthz HTTP/1.1\r"),
	RAW(400, "GET /healthz HTTP/1.1\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: local"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"),
	RAW(400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nx\r"
	    "\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0x2"
	    "\r\n{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n-2"
	    "\r\n{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n+2"
	    "\r\n{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n 2"
	    "\r\n{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2 "
	    "\r\n{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;a"
	    "=b\r\n{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\n"
	    "{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r"
	    "\n{}0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r"
	    "\n{}\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r"
	    "\n{}x\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfff"
	    "fffffffffffff\r\n{}\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\r"
	    "\n{}\r\n0\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r"
	    "\n{}\r\n0\r\nX\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r"
	    "\n{"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r"
	    "\n{}\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r"
	    "\n{}\r\n0\r\n"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nTrans"
	    "fer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Length: 2\r\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r"
	    "\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application\r\nContent-Length: 2\r\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type:\r\nContent-Length: 2\r\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nContent-Type: application/json\r\nCon"
	    "tent-Length: 2\r\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Len"
	    "gth: 2\r\n\r\n{}"),
	RAW(415, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: multipart/form-data; boundary=x\r\nContent-Length: 2\r\n"
	    "\r\n{}"),
	RAW(413, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nContent-Length: 65537\r\n\r\n"),
	RAW(413, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nContent-Length: 9223372036854775807\r"
	    "\n\r\n"),
	RAW(413, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nContent-Length: 100000000\r\nExpect: "
	    "100-continue\r\n\r\n"),
	RAW(400, "POST /api/cloud-backup/create HTTP/1.1\r\nHost: localhost\r\nConte"
	    "nt-Type: application/json\r\nContent-Length: 3\r\n\r\n{}"),
	/* A NUL. */
	RAW(400, "GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	RAW(400, "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n"),
};

static const struct target_case	target_cases[] = {
	{ 404, "GET /" },
	{ 404, "GET /x" },
	{ 404, "GET /api" },
	{ 404, "GET /api/" },
	{ 404, "GET /api/cloud-backup" },
	{ 404, "GET /api/cloud-backup/" },
	{ 404, "GET /api/cloud-backupx/user" },
	{ 404, "GET /api/cloud-backup/users" },
	{ 404, "GET /api/cloud-backup/user/1/2" },
	{ 404, "GET /api/cloud-backup/use" },
	{ 404, "GET /API/cloud-backup/user" },
	{ 404, "GET /api/cloud-backup/stats/1/2" },
	{ 404, "GET /api/cloud-backup/download" },
	{ 404, "GET /api/cloud-backup/download/" },
	{ 404, "GET /api/cloud-backup/jobs/1/2" },
	{ 404, "GET /api/cloud-backup/events/1" },
	{ 400, "GET /api/cloud-backup/events?limit=0" },
	{ 400, "GET /api/cloud-backup/events?limit=1001" },
	{ 400, "GET /api/cloud-backup/events?after=-1" },
	{ 400, "GET /api/cloud-backup/events?after=1&after=2" },
	{ 400, "GET /api/cloud-backup/events?stream=2" },
	{ 400, "GET /api/cloud-backup/events?stream=1&after=x" },
	{ 405, "GET /api/cloud-backup/acknowledge" },
	{ 404, "GET /api/cloud-backup/health/1" },
	{ 404, "GET /api/cloud-backup/file-info/x" },
	{ 404, "GET /api/cloud-backup/healthz" },
	{ 404, "GET /healthz/x" },
	{ 404, "GET /healthzz" },
	{ 404, "POST /api/cloud-backup/nothing" },
	{ 404, "PUT /x" },
	{ 404, "DELETE /x" },
	{ 404, "OPTIONS /x" },
	{ 404, "GET /api/cloud-backup/jobs/abc" },
	{ 404, "GET /api/cloud-backup/jobs/-1" },
	{ 404, "GET /api/cloud-backup/jobs/1" },
	{ 404, "GET /api/cloud-backup/jobs/99999999999999999999999" },
	{ 404, "GET /api/cloud-backup/download/404" },
	{ 404, "GET /api/cloud-backup/download/99999999999999999999" },
	{ 404, "GET /api/cloud-backup/download/remote:" },
	{ 405, "GET /api/cloud-backup/create" },
	{ 405, "PUT /api/cloud-backup/create" },
	{ 405, "DELETE /api/cloud-backup/create" },
	{ 405, "PATCH /api/cloud-backup/create" },
	{ 405, "POST /api/cloud-backup/user" },
	{ 405, "DELETE /api/cloud-backup/user/1" },
	{ 405, "POST /api/cloud-backup/stats" },
	{ 405, "POST /api/cloud-backup/health" },
	{ 405, "PUT /api/cloud-backup/download/1" },
	{ 405, "POST /api/cloud-backup/file-info" },
	{ 405, "POST /healthz" },
	{ 405, "PATCH /api/cloud-backup/jobs/1" },
	{ 400, "GET //" },
	{ 400, "GET //evil.example/healthz" },
	{ 400, "GET /./healthz" },
	{ 400, "GET /../healthz" },
	{ 400, "GET /a/../healthz" },
	{ 400, "GET /healthz/.." },
	{ 400, "GET /%2e%2e/healthz" },
	{ 400, "GET /healthz%00" },
	{ 400, "GET /healthz%" },
	{ 400, "GET /healthz%4" },
	{ 400, "GET /healthz%zz" },
	{ 400, "GET /healthz%0a" },
	{ 400, "GET /api%2fcloud-backup/user" },
	{ 400, "GET /%ff" },
	{ 400, "GET /%c3" },
	{ 400, "GET /api//cloud-backup/user" },
	{ 400, "GET /api/cloud-backup/user?limit=0" },
	{ 400, "GET /api/cloud-backup/user?limit=-1" },
	{ 400, "GET /api/cloud-backup/user?limit=1001" },
	{ 400, "GET /api/cloud-backup/user?limit=x" },
	{ 400, "GET /api/cloud-backup/user?limit=1x" },
	{ 400, "GET /api/cloud-backup/user?limit=%201" },
	{ 400, "GET /api/cloud-backup/user?limit=1.5" },
	{ 400, "GET /api/cloud-backup/user?limit=1&limit=2" },
	{ 400, "GET /api/cloud-backup/user?limit=99999999999999999" },
	{ 400, "GET /api/cloud-backup/user?limit=%zz" },
	{ 400, "GET /api/cloud-backup/user?before=x" },
	{ 400, "GET /api/cloud-backup/user?before=l" },
	{ 400, "GET /api/cloud-backup/user?before=l1" },
	{ 400, "GET /api/cloud-backup/user?before=l1." },
	{ 400, "GET /api/cloud-backup/user?before=l1.0" },
	{ 400, "GET /api/cloud-backup/user?before=l1.x" },
	{ 400, "GET /api/cloud-backup/user?before=lx.1" },
	{ 400, "GET /api/cloud-backup/user?before=r1." },
	{ 400, "GET /api/cloud-backup/user?before=r1.0" },
	{ 400, "GET /api/cloud-backup/user?before=r1.zz" },
	{ 400, "GET /api/cloud-backup/user?before=r1.00" },
	{ 400, "GET /api/cloud-backup/user?before=r99999999999999999999.61" },
	{ 400, "GET /api/cloud-backup/user?before=l%2d.1" },
	{ 400, "GET /api/cloud-backup/user?database=%00" },
	{ 400, "GET /api/cloud-backup/stats?database=ddddddddddddddddddddddddddddd"
	    "ddddddddddddddddddddddddddddddddddddddddd" },
	{ 400, "GET /api/cloud-backup/file-info?database=a&database=b" },
	{ 400, "GET /api/cloud-backup/user/uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
	    "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
	    "uuuuuuuuuuuuuuuuuuuuuuuuu" },
	{ 400, "GET /api/cloud-backup/stats/uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
	    "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
	    "uuuuuuuuuuuuuuuuuuuuuuuuuu" },
};

static const struct body_case	body_cases[] = {
	{ "INVALID_JSON",
	    " " },
	{ "INVALID_JSON",
	    "{" },
	{ "INVALID_JSON",
	    "}" },
	{ "INVALID_JSON",
	    "[]" },
	{ "INVALID_JSON",
	    "null" },
	{ "INVALID_JSON",
	    "true" },
	{ "INVALID_JSON",
	    "1" },
	{ "INVALID_JSON",
	    "\"x\"" },
	{ "INVALID_JSON",
	    "{}{}" },
	{ "INVALID_JSON",
	    "{} x" },
	{ "INVALID_JSON",
	    "{}," },
	{ "INVALID_JSON",
	    "{'a':1}" },
	{ "INVALID_JSON",
	    "{a:1}" },
	{ "INVALID_JSON",
	    "{\"a\"}" },
	{ "INVALID_JSON",
	    "{\"a\":}" },
	{ "INVALID_JSON",
	    "{\"a\":1,}" },
	{ "INVALID_JSON",
	    "{,\"a\":1}" },
	{ "INVALID_JSON",
	    "{\"a\" 1}" },
	{ "INVALID_JSON",
	    "{\"a\":1 \"b\":2}" },
	{ "INVALID_JSON",
	    "{\"a\":[1,]}" },
	{ "INVALID_JSON",
	    "{\"a\":[1 2]}" },
	{ "INVALID_JSON",
	    "{\"a\":[1}" },
	{ "INVALID_JSON",
	    "{\"a\":01}" },
	{ "INVALID_JSON",
	    "{\"a\":1.}" },
	{ "INVALID_JSON",
	    "{\"a\":.5}" },
	{ "INVALID_JSON",
	    "{\"a\":+1}" },
	{ "INVALID_JSON",
	    "{\"a\":1e}" },
	{ "INVALID_JSON",
	    "{\"a\":-}" },
	{ "INVALID_JSON",
	    "{\"a\":0x1}" },
	{ "INVALID_JSON",
	    "{\"a\":NaN}" },
	{ "INVALID_JSON",
	    "{\"a\":Infinity}" },
	{ "INVALID_JSON",
	    "{\"a\":-Infinity}" },
	{ "INVALID_JSON",
	    "{\"a\":True}" },
	{ "INVALID_JSON",
	    "{\"a\":nul}" },
	{ "INVALID_JSON",
	    "{\"a\":undefined}" },
	{ "INVALID_JSON",
	    "{\"a\":\"" },
	{ "INVALID_JSON",
	    "{\"a\":\"\\x\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\\u12\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\\ud800\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\\udc00\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\\ud800\\u0041\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\\u0000\"}" },
	{ "INVALID_JSON",
	    "{\"user_id\\u0000\":1}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\n\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\t\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\x01\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\xff\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\xc0\x80\"}" },
	{ "INVALID_JSON",
	    "{\"a\":\"\xed\xa0\x80\"}" },
	{ "INVALID_JSON",
	    "\xef\xbb\xbf{}" },
	{ "INVALID_JSON",
	    "// x\n{}" },
	{ "INVALID_JSON",
	    "/**/{}" },
	{ "INVALID_JSON",
	    "{/**/}" },
	{ "INVALID_JSON",
	    "\v{}" },
	{ "INVALID_JSON",
	    "{\"a\":1,\"a\":1}" },
	{ "INVALID_JSON",
	    "{\"a\":1,\"\\u0061\":1}" },
	{ "INVALID_JSON",
	    "{\"x\":{\"a\":1,\"a\":2}}" },
	{ "INVALID_JSON",
	    "{\"x\":[{\"a\":1,\"a\":2}]}" },
	{ "INVALID_JSON",
	    "{\"backup_name\":\"a\",\"backup_name\":\"b\"}" },
	{ "INVALID_JSON",
	    "{\"backup_name\":\"a\",\"backupName\":\"a\"}" },
	{ "INVALID_JSON",
	    "{\"user_id\":1,\"userId\":1}" },
	{ "INVALID_JSON",
	    "{\"a\":[[[[[[[[]]]]]]]]}" },
	{ "INVALID_PARAMETER",
	    "{\"backup_name\":1}" },
	{ "INVALID_PARAMETER",
	    "{\"backupName\":true}" },
	{ "INVALID_PARAMETER",
	    "{\"backup_name\":[]}" },
	{ "INVALID_PARAMETER",
	    "{\"backup_name\":{}}" },
	{ "INVALID_PARAMETER",
	    "{\"description\":1}" },
	{ "INVALID_PARAMETER",
	    "{\"description\":false}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":1.5}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":1e3}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":true}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":[]}" },
	{ "INVALID_PARAMETER",
	    "{\"userId\":{}}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":99999999999999999999}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":-99999999999999999999}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":9223372036854775808}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":\"\"}" },
	{ "INVALID_PARAMETER",
	    "{\"database\":1}" },
	{ "INVALID_PARAMETER",
	    "{\"backup_name\":\"a\\nb\"}" },
	{ "INVALID_PARAMETER",
	    "{\"backup_name\":\"\x7f\"}" },
	{ "INVALID_PARAMETER",
	    "{\"user_id\":\"\\t\"}" },
	{ "INVALID_PARAMETER",
	    "{\"description\":\"\\u0001\"}" },
};
