/*
 * What the engine measures for GET /metrics.
 */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include <stdint.h>

struct engine;

/* A job has spent so long in the phase; first: it had not been in it. */
void	metrics_phase(enum phase, uint64_t us, int first);

/* The configuration was read; or an error in it was found. */
void	metrics_reloaded(int ok);

/* Answers REQ_METRICS: every value, then the end. */
void	metrics_request(struct engine *, uint64_t request);

#endif
