/*
 * libcurl's multi interface on libevent's loop.  One per process.
 */
#ifndef NETWORK_CURL_LOOP_H
#define NETWORK_CURL_LOOP_H

#include <curl/curl.h>

struct event_base;

/* Called once when a transfer has ended by itself; the handle is out of
 * the loop by then. */
typedef void	curl_loop_done(CURL *, CURLcode, void *arg);

void	curl_loop_open(struct event_base *);
void	curl_loop_close(void);

struct event_base *curl_loop_base(void);

/*
 * Lets a transfer run.  The handle stays the caller's; its private pointer
 * (CURLOPT_PRIVATE) belongs to the loop.  curl_loop_stop ends it early, without
 * a call of done; never from within one of libcurl's own callbacks.
 */
struct curl_loop_job;
struct curl_loop_job	*curl_loop_start(CURL *, curl_loop_done *, void *arg);
void			 curl_loop_stop(struct curl_loop_job *);

#endif
