/*
 * Workers and the looker run this: the sentence that an order failed with.
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
