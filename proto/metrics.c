/*
 * Engine, front and network run this: the table of what is measured.
 */
#include <string.h>

#include "common/compat.h"
#include "proto/metrics.h"

static const struct metric_desc	table[] = {
#define METRIC(token, who, name, type, unit, a, b, help)		\
	{ ROLE_##who, name, type, METRIC_UNIT_##unit, { a, b }, help },
#include "proto/metrics.def"
#undef METRIC
};

const struct metric_desc *
metric_desc(uint32_t metric)
{
	return (metric < nitems(table) ? &table[metric] : NULL);
}

int
metric_ok(const struct m_metric *m, enum role who)
{
	const struct metric_desc	*d = metric_desc(m->metric);
	size_t				 i;

	if (d == NULL || d->who != who || m->value < 0)
		return (0);
	for (i = 0; i < METRIC_LABELS; i++) {
		if (!msg_text_ok(m->labels[i]) ||
		    (d->labels[i][0] == '\0' && m->labels[i][0] != '\0'))
			return (0);
	}
	return (1);
}
