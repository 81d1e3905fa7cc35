/* SPDX-License-Identifier: ISC */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "metrics.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* What the bus drops comes first, without the one that stands for none. */
static const char *drop_name(int i)
{
    int of_gateway = i - (ARDA_DROP_COUNT - 1);
    return of_gateway < 0 ? arda_drop_name((enum arda_drop)(i + 1))
                          : gateway_drop_name((enum gateway_drop)of_gateway);
}

static uint64_t drop_count(const struct metrics_snapshot *s, int i)
{
    int of_gateway = i - (ARDA_DROP_COUNT - 1);
    return of_gateway < 0 ? s->events.dropped[i + 1] : s->gateway->dropped[of_gateway];
}

/* ---- the table ---- */

struct row {
    struct base_metric metric;
    const char *label;
    int (*count)(const struct metrics_snapshot *s);
    const char *(*label_value)(int i);
    double (*value)(const struct metrics_snapshot *s, int i);
};

#define SOME_FUNCTIONS_(name, type, unit, help, how_many, label, label_text, number)               \
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
#define ONE_FUNCTIONS_(name, type, unit, help, number)                                             \
    SOME_FUNCTIONS_(name, type, unit, help, 1, NULL, NULL, number)
METRICS_MAP(ONE_FUNCTIONS_, SOME_FUNCTIONS_)

#define SOME_ROW_(name, type, unit, help, how_many, label, label_text, number)                     \
    {{#name, BASE_METRIC_##type, unit, help}, label, count_##name, label_##name, value_##name},
#define ONE_ROW_(name, type, unit, help, number)                                                   \
    SOME_ROW_(name, type, unit, help, 1, NULL, NULL, number)
static const struct row rows[] = {METRICS_MAP(ONE_ROW_, SOME_ROW_)};

int metrics_format(const struct metrics_snapshot *snapshot, enum base_metric_form form,
                   struct base_buf *out)
{
    int failed = 0;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        const struct row *row = &rows[at];
        int count = row->count(snapshot);
        failed |= base_metric_add_family(out, form, &row->metric);
        for (int i = 0; i < count; i++)
            failed |= base_metric_add_sample(out, &row->metric, row->label, row->label_value(i),
                                             row->value(snapshot, i));
    }
    failed |= base_metric_end(out, form);
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}
