/*
 * The front runs this.  It owns what each listener speaks TLS with: a
 * context, made from files that the engine read and sent, and replaced
 * when they have changed.  Connections keep the context that they began
 * with, and end when those who vouch for clients are others in the new
 * one.  It can open no file and asks nobody for a passphrase.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <event2/bufferevent_ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "daemon/front/front.h"

#define CIPHERS		"ECDHE+AESGCM:ECDHE+CHACHA20"	/* of TLS 1.2 */
#define SESSION_ID	"cloudbackupd"
#define WHY_BYTES	256

/* A file, as far as it has come. */
struct blob {
	char	*data;
	size_t	 n;
};

struct tls {
	SSL_CTX		*ctx;		/* NULL: none yet */
	struct blob	 files[TLS_USE];	/* by enum tls_part */
	struct blob	 clients;	/* ctx's file of TLS_CLIENT_CA */
};

static struct tls	listeners[LISTENERS_MAX];

static void
blob_free(struct blob *b)
{
	if (b->data != NULL)
		freezero(b->data, b->n);
	b->data = NULL;
	b->n = 0;
}

static void
blob_add(struct blob *b, const struct m_front_tls *m)
{
	char	*p;

	if (m->size > sizeof(m->bytes) || m->size > TLS_FILE_BYTES - b->n)
		fatalx("engine sent a file that is too large");
	p = xmalloc(b->n + m->size + 1);
	if (b->n > 0)
		memcpy(p, b->data, b->n);
	memcpy(p + b->n, m->bytes, m->size);
	if (b->data != NULL)
		freezero(b->data, b->n);
	b->data = p;
	b->n += m->size;
}

/* What OpenSSL found wrong, behind what we wanted. */
static int
failure(char *why, const char *what)
{
	unsigned long	 code = ERR_peek_last_error();
	const char	*reason = ERR_reason_error_string(code);

	snprintf(why, WHY_BYTES, "%s%s%s", what, reason == NULL ? "" : ": ",
	    reason == NULL ? "" : reason);
	ERR_clear_error();
	return (-1);
}

static BIO *
blob_bio(const struct blob *b)
{
	BIO	*bio;

	if ((bio = BIO_new_mem_buf(b->data == NULL ? "" : b->data,
	    (int)b->n)) == NULL)
		fatalx("no memory for a certificate");
	return (bio);
}

/* A key with a passphrase is refused; nobody is there to be asked. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return (-1);
}

/* The next certificate: 1, 0 at the end, -1. */
static int
next_certificate(BIO *bio, X509 **x)
{
	unsigned long	code;

	if ((*x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL)
		return (1);
	code = ERR_peek_last_error();
	if (ERR_GET_LIB(code) == ERR_LIB_PEM &&
	    ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return (0);
	}
	return (-1);
}

/* The server's own certificate first, then those between it and a root. */
static int
chain_load(SSL_CTX *ctx, const struct blob *b, char *why)
{
	BIO	*bio = blob_bio(b);
	X509	*x;
	int	 n = 0, r;

	while ((r = next_certificate(bio, &x)) == 1) {
		if (n++ == 0) {
			r = SSL_CTX_use_certificate(ctx, x);
			X509_free(x);
		} else if ((r = (int)SSL_CTX_add0_chain_cert(ctx, x)) != 1)
			X509_free(x);
		if (r != 1) {
			r = -1;
			break;
		}
	}
	BIO_free(bio);
	if (r == -1)
		return (failure(why, "the certificate file is no good"));
	if (n == 0)
		return (failure(why, "the certificate file holds none"));
	return (0);
}

static int
key_load(SSL_CTX *ctx, const struct blob *b, char *why)
{
	EVP_PKEY	*key;
	BIO		*bio = blob_bio(b);
	int		 r;

	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (key == NULL)
		return (failure(why, "the key file holds no key in PEM "
		    "without a passphrase"));
	r = SSL_CTX_use_PrivateKey(ctx, key);
	EVP_PKEY_free(key);
	if (r != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return (failure(why, "the key does not belong to the "
		    "certificate"));
	return (0);
}

/* Who has no good certificate, where none is required, is a stranger like
 * one who has none at all. */
static int
verified(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return (1);
}

static int
clients_load(SSL_CTX *ctx, const struct blob *b, uint32_t flags, char *why)
{
	X509_STORE	*store = SSL_CTX_get_cert_store(ctx);
	BIO		*bio = blob_bio(b);
	X509		*x;
	int		 n = 0, r;

	while ((r = next_certificate(bio, &x)) == 1) {
		r = X509_STORE_add_cert(store, x) == 1 &&
		    SSL_CTX_add_client_CA(ctx, x) == 1 ? 1 : -1;
		X509_free(x);
		if (r == -1)
			break;
		n++;
	}
	BIO_free(bio);
	if (r == -1)
		return (failure(why, "the client ca file is no good"));
	if (n == 0)
		return (failure(why, "the client ca file holds none"));
	/* Who was verified once is verified again, each time. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	if (flags & TLS_CLIENT_REQUIRED)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
		    SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	else
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verified);
	return (0);
}

/* We speak one protocol; who offers only others may try it all the same. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned int in_n, void *arg)
{
	static const unsigned char	ours[] = "\x08http/1.1";
	unsigned char			*chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof(ours) - 1, in,
	    in_n) != OPENSSL_NPN_NEGOTIATED)
		return (SSL_TLSEXT_ERR_NOACK);
	*out = chosen;
	return (SSL_TLSEXT_ERR_OK);
}

static int
context_settle(SSL_CTX *ctx, char *why)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1 ||
	    SSL_CTX_set_session_id_context(ctx,
	    (const unsigned char *)SESSION_ID, sizeof(SESSION_ID) - 1) != 1)
		return (failure(why, "TLS cannot be set up"));
	return (0);
}

/* NULL and why. */
static SSL_CTX *
context_new(const struct tls *t, uint32_t flags, char *why)
{
	SSL_CTX	*ctx;

	ERR_clear_error();
	if ((ctx = SSL_CTX_new(TLS_server_method())) == NULL)
		fatalx("no memory for TLS");
	if (context_settle(ctx, why) == 0 &&
	    chain_load(ctx, &t->files[TLS_CERTIFICATE], why) == 0 &&
	    key_load(ctx, &t->files[TLS_KEY], why) == 0 &&
	    (t->files[TLS_CLIENT_CA].data == NULL || clients_load(ctx,
	    &t->files[TLS_CLIENT_CA], flags, why) == 0))
		return (ctx);
	SSL_CTX_free(ctx);
	return (NULL);
}

static int
expired(const SSL_CTX *ctx)
{
	return (X509_cmp_current_time(X509_get0_notAfter(
	    SSL_CTX_get0_certificate(ctx))) < 0);
}

static void
context_tell(const SSL_CTX *ctx, uint64_t id)
{
	X509	*x = SSL_CTX_get0_certificate(ctx);
	char	 until[64] = "";
	BIO	*bio;
	int	 n = 0;

	if ((bio = BIO_new(BIO_s_mem())) == NULL)
		fatalx("no memory for TLS");
	if (ASN1_TIME_print(bio, X509_get0_notAfter(x)) == 1)
		n = BIO_read(bio, until, sizeof(until) - 1);
	until[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
	if (expired(ctx))	/* backups go on all the same */
		log_warnx("listener %llu: the certificate has expired: %s",
		    (unsigned long long)id, until);
	else
		log_info("listener %llu: certificate valid until %s",
		    (unsigned long long)id, until);
}

static void
files_free(struct tls *t)
{
	size_t	i;

	for (i = 0; i < nitems(t->files); i++)
		blob_free(&t->files[i]);
}

/* 1 when those that vouched for clients until now are not as they were. */
static int
clients_take(struct tls *t, struct blob *ca)
{
	int	other = t->ctx != NULL && (t->clients.n != ca->n ||
		    (ca->n > 0 && memcmp(t->clients.data, ca->data,
		    ca->n) != 0));

	blob_free(&t->clients);
	t->clients = *ca;
	memset(ca, 0, sizeof(*ca));
	return (other);
}

static void
tls_use(struct tls *t, uint64_t id, uint32_t flags)
{
	SSL_CTX	*ctx;
	char	 why[WHY_BYTES];
	int	 other;

	ctx = context_new(t, flags, why);
	if (ctx != NULL && t->ctx != NULL && expired(ctx) &&
	    !expired(t->ctx)) {
		SSL_CTX_free(ctx);
		ctx = NULL;
		strlcpy(why, "the new certificate has expired", sizeof(why));
	}
	if (ctx == NULL && t->ctx == NULL && !front.running)
		fatalx("listener %llu: %s", (unsigned long long)id, why);
	if (ctx == NULL) {
		log_warnx("listener %llu: %s%s", (unsigned long long)id, why,
		    t->ctx != NULL ? "; it goes on with the old one" : "");
		files_free(t);
		return;
	}
	other = clients_take(t, &t->files[TLS_CLIENT_CA]);
	files_free(t);
	SSL_CTX_free(t->ctx);
	t->ctx = ctx;
	context_tell(ctx, id);
	if (other)
		conn_unvouch(id);
}

void
tls_take(uint64_t id, const struct m_front_tls *m)
{
	if (id >= nitems(listeners) || m->part > TLS_USE)
		fatalx("engine sent a certificate for no listener");
	if (m->part == TLS_USE)
		tls_use(&listeners[id], id, m->flags);
	else
		blob_add(&listeners[id].files[m->part], m);
	chan_wipe(front.engine);
}

void
tls_init(void)
{
	/* The system's policy is a file: it is read while there are any. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		fatalx("OpenSSL does not start");
}

int
tls_ready(size_t listener)
{
	return (listener < nitems(listeners) &&
	    listeners[listener].ctx != NULL);
}

void
tls_forget(size_t listener)
{
	struct tls	*t = &listeners[listener];

	SSL_CTX_free(t->ctx);
	t->ctx = NULL;
	files_free(t);
	blob_free(&t->clients);
}

struct bufferevent *
tls_accept(size_t listener, int fd)
{
	struct bufferevent	*bev;
	SSL			*ssl;

	if ((ssl = SSL_new(listeners[listener].ctx)) == NULL)
		return (NULL);
	bev = bufferevent_openssl_socket_new(front.base, fd, ssl,
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	return (bev);
}

void
tls_goodbye(struct bufferevent *bev)
{
	SSL	*ssl = bufferevent_openssl_get_ssl(bev);

	if (SSL_is_init_finished(ssl))
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

const char *
tls_failure(struct bufferevent *bev)
{
	unsigned long	code = bufferevent_get_openssl_error(bev);

	return (code == 0 ? NULL : ERR_reason_error_string(code));
}

/* ---- whose certificate it is ---- */

/* Adds a name, unless it is odd, or there already, or does not fit. */
static void
name_add(char *dst, size_t size, const char *name, size_t n)
{
	const char	*p;
	size_t		 i, used = strlen(dst);

	for (i = 0; i < n; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return;		/* a NUL, or our separator */
	}
	for (p = dst; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n') {
		if (strcspn(p, "\n") == n && memcmp(p, name, n) == 0)
			return;
	}
	if (n == 0 || used + 1 + n >= size)
		return;
	if (used > 0)
		dst[used++] = '\n';
	memcpy(dst + used, name, n);
	dst[used + n] = '\0';
}

static void
names_of_subject(X509 *x, char *dst, size_t size)
{
	X509_NAME	*subject = X509_get_subject_name(x);
	unsigned char	*text;
	int		 at = -1, n;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName,
	    at)) >= 0) {
		n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(subject, at)));
		if (n < 0)
			continue;
		name_add(dst, size, (const char *)text, (size_t)n);
		OPENSSL_free(text);
	}
}

static void
names_of_extension(X509 *x, char *dst, size_t size)
{
	GENERAL_NAMES		*names;
	const GENERAL_NAME	*g;
	const ASN1_STRING	*s;
	int			 i;

	names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		g = sk_GENERAL_NAME_value(names, i);
		if (g->type != GEN_DNS && g->type != GEN_EMAIL &&
		    g->type != GEN_URI)
			continue;
		s = g->d.ia5;
		name_add(dst, size, (const char *)ASN1_STRING_get0_data(s),
		    (size_t)ASN1_STRING_length(s));
	}
	GENERAL_NAMES_free(names);
}

void
tls_names(struct bufferevent *bev, char *dst, size_t size)
{
	SSL	*ssl = bufferevent_openssl_get_ssl(bev);
	X509	*x;

	dst[0] = '\0';
	if ((x = SSL_get1_peer_certificate(ssl)) == NULL)
		return;
	if (SSL_get_verify_result(ssl) == X509_V_OK) {
		names_of_subject(x, dst, size);
		names_of_extension(x, dst, size);
	} else
		log_debug("a client's certificate: %s",
		    X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	X509_free(x);
	ERR_clear_error();
}
