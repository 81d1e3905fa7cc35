/* SPDX-License-Identifier: ISC */
#include "base/openmetrics.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

const char *base_metric_content_type(enum base_metric_form form)
{
    return form == BASE_METRIC_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

/* A backslash and a line end are escaped everywhere; a quote in help texts only in OpenMetrics,
 * since the older format would take the backslash for a part of the text. */
static int add_escaped(struct base_buf *out, const char *text, bool quotes)
{
    int failed = 0;
    for (; *text && !failed; text++) {
        if (*text == '\n')
            failed = base_buf_add_text(out, "\\n");
        else if (*text == '\\' || (*text == '"' && quotes))
            failed = base_buf_printf(out, "\\%c", *text);
        else
            failed = base_buf_add_byte(out, *text);
    }
    return failed;
}

static const char *sample_suffix(enum base_metric_type type)
{
    static const char *const suffixes[] = {
        [BASE_METRIC_GAUGE] = "",
        [BASE_METRIC_COUNTER] = "_total",
        [BASE_METRIC_INFO] = "_info",
    };
    return suffixes[type];
}

static const char *type_name(enum base_metric_form form, enum base_metric_type type)
{
    if (type == BASE_METRIC_COUNTER)
        return "counter";
    return type == BASE_METRIC_INFO && form == BASE_METRIC_OPENMETRICS ? "info" : "gauge";
}

int base_metric_add_family(struct base_buf *out, enum base_metric_form form,
                           const struct base_metric *metric)
{
    bool modern = form == BASE_METRIC_OPENMETRICS;
    const char *suffix = modern ? "" : sample_suffix(metric->type);
    size_t before = out->len;
    int failed = base_buf_printf(out, "# TYPE %s%s %s\n", metric->name, suffix,
                                 type_name(form, metric->type));
    if (modern && *metric->unit)
        failed |= base_buf_printf(out, "# UNIT %s %s\n", metric->name, metric->unit);
    failed |= base_buf_printf(out, "# HELP %s%s ", metric->name, suffix);
    failed |= add_escaped(out, metric->help, modern);
    failed |= base_buf_add_byte(out, '\n');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int base_metric_add_sample(struct base_buf *out, const struct base_metric *metric,
                           const char *label, const char *label_value, double value)
{
    size_t before = out->len;
    int failed = base_buf_printf(out, "%s%s", metric->name, sample_suffix(metric->type));
    if (label) {
        failed |= base_buf_printf(out, "{%s=\"", label);
        failed |= add_escaped(out, label_value, true);
        failed |= base_buf_add_text(out, "\"}");
    }
    failed |= base_buf_printf(out, " %.*f\n", (double)(int64_t)value == value ? 0 : 3, value);
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int base_metric_end(struct base_buf *out, enum base_metric_form form)
{
    return form == BASE_METRIC_OPENMETRICS ? base_buf_add_text(out, "# EOF\n") : BASE_OK;
}
