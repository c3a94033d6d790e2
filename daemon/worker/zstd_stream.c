/*
 * Workers run this: zstd (RFC 8878) as a stage of a stream.  It owns the
 * library's state.  What is unpacked may be anybody's: the memory for it is
 * bounded by the library's limit on windows (128 MiB, what the zstd program
 * takes), its size by the stage behind.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "common/util.h"
#include "daemon/worker/stream.h"
#include "daemon/worker/worker.h"

#define WINDOW_LOG_MAX	27		/* of frames that are unpacked */

/*
 * What each thread compresses at once.  The library's own 8 MiB take twice
 * the memory and no less time; 1 MiB takes a seventh longer.  The high
 * levels, whose windows are larger, would lose more by small jobs.
 */
#define JOB_BYTES	(4 * 1024 * 1024)
#define JOB_LEVEL	5

struct zstd {
	struct stream	 stream;	/* first */
	struct stream	*next;
	ZSTD_CCtx	*pack;		/* one of the two */
	ZSTD_DCtx	*unpack;
	int		 whole;		/* the last frame has ended */
	uint8_t		*out;
	size_t		 out_size;	/* bytes */
};

static int
pack_step(struct zstd *z, ZSTD_inBuffer *in, ZSTD_EndDirective how,
    struct m_error *e)
{
	ZSTD_outBuffer	out;
	size_t		left;

	do {
		out.dst = z->out;
		out.size = z->out_size;
		out.pos = 0;
		left = ZSTD_compressStream2(z->pack, &out, in, how);
		if (ZSTD_isError(left))
			return (fail(e, E_WORKER_FAILED, "cannot compress: "
			    "%s", ZSTD_getErrorName(left)));
		if (out.pos > 0 &&
		    z->next->put(z->next, z->out, out.pos, e) == -1)
			return (-1);
	} while (how == ZSTD_e_end ? left > 0 : in->pos < in->size);
	return (0);
}

static int
pack_put(struct stream *s, const uint8_t *p, size_t n, struct m_error *e)
{
	ZSTD_inBuffer	in = { p, n, 0 };

	return (pack_step((struct zstd *)s, &in, ZSTD_e_continue, e));
}

static int
pack_end(struct stream *s, struct m_error *e)
{
	struct zstd	*z = (struct zstd *)s;
	ZSTD_inBuffer	 in = { NULL, 0, 0 };

	if (pack_step(z, &in, ZSTD_e_end, e) == -1)
		return (-1);
	return (z->next->end(z->next, e));
}

static struct zstd *
zstd_new(size_t out_size, struct stream *next)
{
	struct zstd	*z;

	z = xcalloc(1, sizeof(*z));
	z->next = next;
	z->out = xmalloc(out_size);
	z->out_size = out_size;
	return (z);
}

/* What is not set falls back to what works: one thread. */
static size_t
pack_set(struct zstd *z, int level, int threads, uint64_t size)
{
	size_t	rv;

	if (ZSTD_isError(rv = ZSTD_CCtx_setParameter(z->pack,
	    ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(rv = ZSTD_CCtx_setParameter(z->pack,
	    ZSTD_c_checksumFlag, 1)) ||
	    ZSTD_isError(rv = ZSTD_CCtx_setPledgedSrcSize(z->pack, size)))
		return (rv);
	if (threads > 1) {
		(void)ZSTD_CCtx_setParameter(z->pack, ZSTD_c_nbWorkers,
		    threads);
		if (level <= JOB_LEVEL)
			(void)ZSTD_CCtx_setParameter(z->pack, ZSTD_c_jobSize,
			    JOB_BYTES);
	}
	return (0);
}

struct stream *
zstd_pack(int level, int threads, uint64_t size, struct stream *next,
    struct m_error *e)
{
	struct zstd	*z = zstd_new(ZSTD_CStreamOutSize(), next);
	ZSTD_inBuffer	 none = { NULL, 0, 0 };
	size_t		 rv;

	z->stream.put = pack_put;
	z->stream.end = pack_end;
	if ((z->pack = ZSTD_createCCtx()) == NULL) {
		(void)fail(e, E_WORKER_FAILED, "no memory to compress");
		zstd_free(&z->stream);
		return (NULL);
	}
	/* Its threads begin with the first step, before the caller may
	 * forbid them. */
	if (ZSTD_isError(rv = pack_set(z, level, threads, size))) {
		(void)fail(e, E_WORKER_FAILED, "cannot compress: %s",
		    ZSTD_getErrorName(rv));
		zstd_free(&z->stream);
		return (NULL);
	}
	if (size > 0 && pack_step(z, &none, ZSTD_e_continue, e) == -1) {
		zstd_free(&z->stream);
		return (NULL);
	}
	return (&z->stream);
}

static int
unpack_put(struct stream *s, const uint8_t *p, size_t n, struct m_error *e)
{
	struct zstd	*z = (struct zstd *)s;
	ZSTD_inBuffer	 in = { p, n, 0 };
	ZSTD_outBuffer	 out;
	size_t		 left;

	do {
		out.dst = z->out;
		out.size = z->out_size;
		out.pos = 0;
		left = ZSTD_decompressStream(z->unpack, &out, &in);
		if (ZSTD_isError(left))
			return (fail(e, E_INVALID_BACKUP, "the compressed "
			    "backup is damaged: %s", ZSTD_getErrorName(left)));
		z->whole = left == 0;
		if (out.pos > 0 &&
		    z->next->put(z->next, z->out, out.pos, e) == -1)
			return (-1);
		/* A full buffer may leave more behind, within a frame. */
	} while (in.pos < in.size || (left > 0 && out.pos == out.size));
	return (0);
}

static int
unpack_end(struct stream *s, struct m_error *e)
{
	struct zstd	*z = (struct zstd *)s;

	if (!z->whole)
		return (fail(e, E_INVALID_BACKUP, "the compressed backup is "
		    "damaged: its end is missing"));
	return (z->next->end(z->next, e));
}

struct stream *
zstd_unpack(struct stream *next, struct m_error *e)
{
	struct zstd	*z = zstd_new(ZSTD_DStreamOutSize(), next);

	z->stream.put = unpack_put;
	z->stream.end = unpack_end;
	if ((z->unpack = ZSTD_createDCtx()) == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(z->unpack,
	    ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		(void)fail(e, E_WORKER_FAILED, "no memory to decompress");
		zstd_free(&z->stream);
		return (NULL);
	}
	return (&z->stream);
}

void
zstd_free(struct stream *s)
{
	struct zstd	*z = (struct zstd *)s;

	if (z == NULL)
		return;
	(void)ZSTD_freeCCtx(z->pack);
	(void)ZSTD_freeDCtx(z->unpack);
	free(z->out);
	free(z);
}
