/* SPDX-License-Identifier: ISC
 *
 * metric_table: the metrics of a program as one table.
 *
 * A program lists its rows as `#define METRICS_MAP(ONE, SOME)`, with
 *
 *     ONE(name, type, unit, help, value)
 *     SOME(name, type, unit, help, count, label, label's value, value)
 *
 * the second for several samples: how many, the name of their label (NULL: none), and, of sample
 * `i`, the label's value and the value. `s` is the `struct metrics_snapshot` they are taken from.
 * BASE_METRIC_TABLE(METRICS_MAP), in one file, makes metrics_format of it. Threads: any.
 */
#ifndef BASE_METRIC_TABLE_H
#define BASE_METRIC_TABLE_H

#include "base/err.h"
#include "base/openmetrics.h"

#include <stddef.h>

struct metrics_snapshot;

struct base_metric_row {
    struct base_metric metric;
    const char *label;
    int (*count)(const struct metrics_snapshot *s);
    const char *(*label_value)(int i);
    double (*value)(const struct metrics_snapshot *s, int i);
};

/* Appends all of them. BASE_ERR_NOMEM. */
int metrics_format(const struct metrics_snapshot *snapshot, enum base_metric_form form,
                   struct base_buf *out);

#define BASE_METRIC_SOME_FUNCTIONS_(name, type, unit, help, how_many, label, label_text, number)   \
    static int count_##name(const struct metrics_snapshot *s)                                      \
    {                                                                                              \
        (void)s;                                                                                   \
        return how_many;                                                                           \
    }                                                                                              \
    static const char *label_##name(int i)                                                         \
    {                                                                                              \
        (void)i;                                                                                   \
        return label_text;                                                                         \
    }                                                                                              \
    static double value_##name(const struct metrics_snapshot *s, int i)                            \
    {                                                                                              \
        (void)s;                                                                                   \
        (void)i;                                                                                   \
        return (double)(number);                                                                   \
    }
#define BASE_METRIC_ONE_FUNCTIONS_(name, type, unit, help, number)                                 \
    BASE_METRIC_SOME_FUNCTIONS_(name, type, unit, help, 1, NULL, NULL, number)

#define BASE_METRIC_SOME_ROW_(name, type, unit, help, how_many, label, label_text, number)         \
    {{#name, BASE_METRIC_##type, unit, help}, label, count_##name, label_##name, value_##name},
#define BASE_METRIC_ONE_ROW_(name, type, unit, help, number)                                       \
    BASE_METRIC_SOME_ROW_(name, type, unit, help, 1, NULL, NULL, number)

#define BASE_METRIC_TABLE(map)                                                                     \
    map(BASE_METRIC_ONE_FUNCTIONS_,                                                                \
        BASE_METRIC_SOME_FUNCTIONS_) static const struct base_metric_row base_metric_rows_[] = {   \
        map(BASE_METRIC_ONE_ROW_, BASE_METRIC_SOME_ROW_)};                                         \
    int metrics_format(const struct metrics_snapshot *snapshot, enum base_metric_form form,        \
                       struct base_buf *out)                                                       \
    {                                                                                              \
        int failed = 0;                                                                            \
        for (size_t at = 0; at < sizeof base_metric_rows_ / sizeof base_metric_rows_[0]; at++) {   \
            const struct base_metric_row *row = &base_metric_rows_[at];                            \
            int count = row->count(snapshot);                                                      \
            failed |= base_metric_add_family(out, form, &row->metric);                             \
            for (int i = 0; i < count; i++)                                                        \
                failed |= base_metric_add_sample(out, &row->metric, row->label,                    \
                                                 row->label_value(i), row->value(snapshot, i));    \
        }                                                                                          \
        failed |= base_metric_end(out, form);                                                      \
        return failed ? BASE_ERR_NOMEM : BASE_OK;                                                  \
    }

#endif
