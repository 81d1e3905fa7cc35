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

BASE_METRIC_TABLE(METRICS_MAP)
