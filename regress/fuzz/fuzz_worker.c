/*
 * What worker.c gives the other parts of a worker, for the fuzz targets:
 * nobody listens.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/worker/worker.h"

int
fail(struct m_error *e, enum err code, const char *fmt, ...)
{
	va_list	ap;

	memset(e, 0, sizeof(*e));
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return (-1);
}

int
worker_stopping(void)
{
	return (0);
}

void
worker_spent(enum phase phase, uint64_t us)
{
	(void)phase;
	(void)us;
}

uint64_t
worker_lap(enum phase phase, uint64_t since_us)
{
	(void)phase;
	return (since_us);
}

uint64_t
worker_spent_us(enum phase phase)
{
	(void)phase;
	return (0);
}

void
worker_progress(const char *phase, uint64_t done, uint64_t total)
{
	(void)phase;
	(void)done;
	(void)total;
}

void
worker_table(const struct m_w_table *row)
{
	(void)row;
}
