/*
 * What to make of an exchange that has ended.
 */
#ifndef NETWORK_OUTCOME_H
#define NETWORK_OUTCOME_H

#include <curl/curl.h>

struct exchange;

/* Why an exchange was ended by us. */
enum stop {
	STOP_NONE,
	STOP_LOCAL,		/* reading or writing the file failed */
	STOP_SHORT,		/* the file ended before its size */
	STOP_TOO_LONG,		/* an answer without end */
	STOP_TOO_LARGE,		/* more bytes than the file may have */
	STOP_ENCODED,		/* the bytes are not the backup's own */
	STOP_IDLE,
	STOP_TOTAL,
	STOP_DRIP		/* too few bytes a second */
};

/*
 * Fills x->result from libcurl's code and the answer's status: NET_OK for
 * any 2xx (200 for bytes to a file).
 */
void	outcome_judge(struct exchange *x, CURLcode);

#endif
