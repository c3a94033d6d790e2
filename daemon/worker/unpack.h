/*
 * The way back from any form to the image, as a stream.
 */
#ifndef WORKER_UNPACK_H
#define WORKER_UNPACK_H

#include "daemon/worker/age.h"

/*
 * form: FORM_* or FORM_UNKNOWN; identities: n of them, or none.  The
 * result is the first stage, to be freed with unpack_free, which wipes;
 * last stays the caller's.
 */
struct stream	*unpack_new(uint32_t form,
		    const uint8_t (*identities)[AGE_KEY_BYTES], size_t n,
		    struct stream *last);
void		 unpack_free(struct stream *);	/* NULL is fine */

#endif
