/*
 * The table of what is measured (metrics.def).
 */
#ifndef PROTO_METRICS_H
#define PROTO_METRICS_H

#include <stdint.h>

#include "proto/msg.h"

enum metric {
#define METRIC(token, who, name, type, unit, a, b, help)	METRIC_##token,
#include "proto/metrics.def"
#undef METRIC
	METRIC_COUNT
};

/* What one of a value stands for: a second has so many. */
enum metric_unit {
	METRIC_UNIT_ONE = 1,
	METRIC_UNIT_MS = 1000,
	METRIC_UNIT_US = 1000000
};

struct metric_desc {
	enum role	 who;		/* measures it */
	const char	*name;		/* without "cloudbackupd_" */
	const char	*type;		/* "gauge", "counter", "summary"; "":
					 * it belongs to the one before */
	enum metric_unit unit;
	const char	*labels[METRIC_LABELS];	/* "": none */
	const char	*help;
};

/* The description of metric, or NULL if there is none.  Static. */
const struct metric_desc	*metric_desc(uint32_t metric);

/* May a process of this role say it?  Labels end, those that the metric
 * has not are empty, and the value is not negative. */
int	metric_ok(const struct m_metric *, enum role);

#endif
