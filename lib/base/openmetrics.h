/* SPDX-License-Identifier: ISC
 *
 * openmetrics: metrics as text for Prometheus and its relatives.
 *
 * In two forms: OpenMetrics 1.0.0, and for readers that ask for it the older text format of
 * Prometheus (0.0.4), which has no units, no info type and no end mark, and in which a counter's
 * family bears the name of its samples. Functions that add return 0 or BASE_ERR_NOMEM. Threads: one
 * at a time per text.
 */
#ifndef BASE_OPENMETRICS_H
#define BASE_OPENMETRICS_H

#include "base/buf.h"

enum base_metric_form { BASE_METRIC_OPENMETRICS, BASE_METRIC_PROMETHEUS };

enum base_metric_type {
    BASE_METRIC_GAUGE,
    BASE_METRIC_COUNTER, /* its samples end in _total */
    BASE_METRIC_INFO,    /* its sample ends in _info and has the value 1 */
};

/* The Content-Type of a text. */
const char *base_metric_content_type(enum base_metric_form form);

struct base_metric {
    const char *name; /* of the family, without _total or _info; with a unit it ends in _unit */
    enum base_metric_type type;
    const char *unit; /* "seconds", "bytes"; empty: none */
    const char *help;
};

/* The lines that begin a family; its samples come next, before another family. */
int base_metric_add_family(struct base_buf *out, enum base_metric_form form,
                           const struct base_metric *metric);
/* One sample. `label` NULL: without labels; else `label_value`, any UTF-8, is escaped. `value` must
 * lie between -2^63 and 2^63; whole ones are written as such, others with three decimals. */
int base_metric_add_sample(struct base_buf *out, const struct base_metric *metric,
                           const char *label, const char *label_value, double value);
/* What a text ends with. */
int base_metric_end(struct base_buf *out, enum base_metric_form form);

#endif
