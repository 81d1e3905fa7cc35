/* SPDX-License-Identifier: ISC */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "metrics.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

const char *notifyd_skip_name(enum notifyd_skip skip)
{
    static const char *const names[] = {
#define NAME_(code, name, text) name,
        NOTIFYD_SKIP_MAP(NAME_)
#undef NAME_
    };
    return names[skip];
}

const char *notifyd_skip_text(enum notifyd_skip skip)
{
    static const char *const texts[] = {
#define TEXT_(code, name, text) text,
        NOTIFYD_SKIP_MAP(TEXT_)
#undef TEXT_
    };
    return texts[skip];
}

BASE_METRIC_TABLE(METRICS_MAP)
