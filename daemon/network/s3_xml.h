/*
 * What S3 servers answer, read strictly and believed not at all: whatever
 * is given out here is bounded.
 */
#ifndef NETWORK_S3_XML_H
#define NETWORK_S3_XML_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/network/xml.h"
#include "proto/msg.h"

#define S3_KEY_BYTES	1025		/* 1024, as S3 has it, and the NUL */
#define S3_TOKEN_BYTES	2048
#define S3_ETAG_BYTES	72		/* without quotes */

/* An Error document; "" where it does not tell. */
struct s3_error {
	char	code[64];
	char	message[256];	/* as sent: to be cleaned */
	char	region[REGION_BYTES];
	char	endpoint[256];
};

/* 1 when the answer is one, whatever its status was. */
int	s3_xml_error(const char *text, size_t n, struct s3_error *);

/* The id of a multipart upload that was begun: 0, or -1. */
int	s3_xml_upload_id(const char *text, size_t n,
	    char id[UPLOAD_ID_BYTES]);

/* Is it the answer to a multipart upload that is complete? */
int	s3_xml_completed(const char *text, size_t n);

/* A page of a list. */
struct s3_page {
	struct xml	 rest;		/* into the text */
	int		 truncated;	/* there is more: ask with these */
	char		 next[S3_TOKEN_BYTES];
	char		 next_id[UPLOAD_ID_BYTES];	/* uploads only */
};

enum s3_list { S3_OBJECTS, S3_PARTS, S3_UPLOADS, S3_DELETED };

/*
 * Opens a page; text must stay as long as it is read.  0, or -1 when it
 * is none, or says that there is more but not how to ask.
 */
int	s3_xml_page(enum s3_list, const char *text, size_t n,
	    struct s3_page *);

struct s3_row {
	char		key[S3_KEY_BYTES];
	char		upload_id[UPLOAD_ID_BYTES];
	char		etag[S3_ETAG_BYTES];
	char		code[64];	/* S3_DELETED: an error's, or "" */
	int64_t		size;		/* bytes, -1: not told */
	uint32_t	number;		/* of a part, 0: not told */
};

/* 1 and the next row, or 0 at the end. */
int	s3_xml_next(struct s3_page *, struct s3_row *);

#endif
