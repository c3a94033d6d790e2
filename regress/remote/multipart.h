/*
 * multipart/form-data (RFC 7578), read from a connection as it comes.
 */
#ifndef REGRESS_REMOTE_MULTIPART_H
#define REGRESS_REMOTE_MULTIPART_H

#include <stddef.h>

#include "regress/remote/conn.h"

#define PART_WORD_BYTES	256

struct part {
	char	name[PART_WORD_BYTES];
	char	filename[PART_WORD_BYTES];	/* "": not a file */
	char	type[PART_WORD_BYTES];		/* "": not given */
};

/*
 * Called for each part: once with data NULL at its start, then with its
 * content in pieces.  Returns NULL, or a sentence that ends the reading.
 */
typedef const char *part_cb(void *arg, const struct part *, const char *data,
    size_t size);

/*
 * Takes the boundary from a Content-Type; 0, or -1 when it is not a
 * multipart/form-data with a boundary.  dst must have 80 bytes.
 */
#define BOUNDARY_BYTES	80
int	multipart_boundary(char *dst, const char *content_type);

/*
 * Reads the whole body.  NULL, or a sentence about what is wrong with it;
 * a connection that broke has c->broken set as well.
 */
const char *multipart_read(struct conn *, const char *boundary, part_cb *,
    void *arg);

#endif
