/*
 * Faults on demand: lines given with -F, and those in DIR/fault, which is
 * read again at every request (no file: none).  A line is
 *
 *	[count N] [every N] [path PREFIX] FAULT
 *
 * and hits only the first N requests, only each Nth, only paths with this
 * prefix.  The
 * first line that fits counts, those of -F before the file's; slow and
 * shape may come on top of another.  A file that is written anew counts
 * from the start; one that cannot be read as this gives 500 to all.
 *
 *	hang			read the head, never the body, never answer
 *	hang-after-body		store the upload, never answer
 *	lost-answer		store the upload, then RST
 *	reset			RST in the middle of the body, or, without
 *				one, of the answer
 *	status N [retry-after S] [early]
 *				early: before the body is read
 *	redirect URL		307
 *	garbage, html, empty	200, and no JSON in it
 *	truncate		half of what Content-Length says, then close
 *	short-length		Content-Length says half of what is sent
 *	huge-json, deep-json	a list of a million; a million brackets
 *	id-slash [K]		ids that are paths, have a NUL, ...: all of
 *				them in a list, the Kth for an upload
 *	slow BYTES_PER_S	both ways
 *	shape WORD,...		list=backups|data|data.backups|top,
 *				at=top|data|backup, id=backupId|_id|id,
 *				name=backupName|name, size=size|fileSize,
 *				time=createdAt|uploadedAt, ms
 */
#ifndef REGRESS_REMOTE_FAULT_H
#define REGRESS_REMOTE_FAULT_H

#include <stdint.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_DEEP_JSON,
	FAULT_EMPTY,
	FAULT_GARBAGE,
	FAULT_HANG,
	FAULT_HANG_AFTER_BODY,
	FAULT_HTML,
	FAULT_HUGE_JSON,
	FAULT_ID_SLASH,
	FAULT_LOST_ANSWER,
	FAULT_REDIRECT,
	FAULT_RESET,
	FAULT_SHORT_LENGTH,
	FAULT_STATUS,
	FAULT_TRUNCATE,
	/* These two do not stand in the way of another. */
	FAULT_SHAPE,
	FAULT_SLOW
};

enum shape_list { LIST_BACKUPS, LIST_DATA, LIST_DATA_BACKUPS, LIST_TOP };
enum shape_at { AT_TOP, AT_DATA, AT_BACKUP };

/* Where an answer has what: see http-api.md's "Deployed versions differ". */
struct shape {
	enum shape_list	 list;
	enum shape_at	 at;		/* create's new id */
	const char	*id;		/* names of keys */
	const char	*name;
	const char	*size;
	const char	*time;
	int		 ms;		/* times in ms since the epoch */
};

#define FAULT_WORD_BYTES	512

/* What one request is to suffer. */
struct fault {
	enum fault_kind	 kind;
	uint64_t	 number;	/* status; id-slash's choice */
	int		 early;		/* status: before the body is read */
	char		 retry_after[32];
	char		 text[FAULT_WORD_BYTES];	/* redirect's target;
						 * status: a message or "" */
	uint64_t	 slow;		/* bytes per second, 0: no limit */
	struct shape	 shape;
};

/* fault_init: file is DIR/fault, kept by the caller. */
void	fault_init(const char *file);

/* Adds a line for good; NULL, or a sentence that says what is wrong. */
const char *fault_add(const char *line);

/* Finds what a request for path suffers, and counts it. */
void	fault_find(const char *path, struct fault *);

#endif
