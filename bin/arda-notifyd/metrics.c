/* SPDX-License-Identifier: ISC */
#ifdef HAVE_CONFIG_H
#include "config.h"

#include "base/names.h"
#endif

#include "metrics.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

BASE_NAME_FUNCTION(notifyd_skip_name, enum notifyd_skip, NOTIFYD_SKIP_MAP, BASE_NAME_SECOND,
                   "unknown")

BASE_NAME_FUNCTION(notifyd_skip_text, enum notifyd_skip, NOTIFYD_SKIP_MAP, BASE_NAME_THIRD,
                   "unknown")

BASE_METRIC_TABLE(METRICS_MAP)
