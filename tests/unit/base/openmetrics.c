/* SPDX-License-Identifier: ISC */
#include "base/openmetrics.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static const struct base_metric sent = {
    .name = "x_sent_bytes",
    .type = BASE_METRIC_COUNTER,
    .unit = "bytes",
    .help = "Bytes \"sent\"\nback\\forth.",
};
static const struct base_metric version = {"x_build", BASE_METRIC_INFO, "", "Its version."};
static const struct base_metric clients = {"x_clients", BASE_METRIC_GAUGE, "", "Clients now."};

static struct base_buf out;

/* Compares what has been added since the last time. */
#define CHECK_OUT(want)                                                                            \
    do {                                                                                           \
        CHECK_BYTES(out.data, out.len, want);                                                      \
        out.len = 0;                                                                               \
    } while (0)

static void families(void)
{
    CHECK_INT(base_metric_add_family(&out, BASE_METRIC_OPENMETRICS, &sent), 0);
    CHECK_OUT("# TYPE x_sent_bytes counter\n# UNIT x_sent_bytes bytes\n"
              "# HELP x_sent_bytes Bytes \\\"sent\\\"\\nback\\\\forth.\n");
    CHECK_INT(base_metric_add_family(&out, BASE_METRIC_PROMETHEUS, &sent), 0);
    CHECK_OUT("# TYPE x_sent_bytes_total counter\n"
              "# HELP x_sent_bytes_total Bytes \"sent\"\\nback\\\\forth.\n");
    CHECK_INT(base_metric_add_family(&out, BASE_METRIC_OPENMETRICS, &version), 0);
    CHECK_OUT("# TYPE x_build info\n# HELP x_build Its version.\n");
    CHECK_INT(base_metric_add_family(&out, BASE_METRIC_PROMETHEUS, &version), 0);
    CHECK_OUT("# TYPE x_build_info gauge\n# HELP x_build_info Its version.\n");
    CHECK_INT(base_metric_add_family(&out, BASE_METRIC_PROMETHEUS, &clients), 0);
    CHECK_OUT("# TYPE x_clients gauge\n# HELP x_clients Clients now.\n");
}

static void values(void)
{
    base_metric_add_sample(&out, &clients, NULL, NULL, 0);
    base_metric_add_sample(&out, &clients, NULL, NULL, 12);
    base_metric_add_sample(&out, &clients, NULL, NULL, 9007199254740991.0);
    base_metric_add_sample(&out, &clients, NULL, NULL, 1700000000.25);
    CHECK_OUT("x_clients 0\nx_clients 12\nx_clients 9007199254740991\nx_clients 1700000000.250\n");
}

static void labels_are_escaped(void)
{
    base_metric_add_sample(&out, &sent, "to", "plain", 1);
    CHECK_OUT("x_sent_bytes_total{to=\"plain\"} 1\n");
    base_metric_add_sample(&out, &sent, "to", "", 1);
    CHECK_OUT("x_sent_bytes_total{to=\"\"} 1\n");
    base_metric_add_sample(&out, &sent, "to", "a\"b\\c\nd\\n{}=,\t\xc3\xa4", 1);
    CHECK_OUT("x_sent_bytes_total{to=\"a\\\"b\\\\c\\nd\\\\n{}=,\t\xc3\xa4\"} 1\n");
    base_metric_add_sample(&out, &version, "version", "\\", 1);
    CHECK_OUT("x_build_info{version=\"\\\\\"} 1\n");
}

static void ends(void)
{
    base_metric_end(&out, BASE_METRIC_PROMETHEUS);
    CHECK_INT(out.len, 0);
    base_metric_end(&out, BASE_METRIC_OPENMETRICS);
    CHECK_OUT("# EOF\n");
    CHECK_STR(base_metric_content_type(BASE_METRIC_OPENMETRICS),
              "application/openmetrics-text; version=1.0.0; charset=utf-8");
    CHECK_STR(base_metric_content_type(BASE_METRIC_PROMETHEUS),
              "text/plain; version=0.0.4; charset=utf-8");
}

/* Every allocation fails in turn; what was there before stays. */
static void without_memory(void)
{
    for (long nth = 1; nth < 4; nth++) {
        struct base_buf buf = BASE_BUF_INIT;
        base_buf_add_text(&buf, "x");
        base_mem_fail(nth, 1);
        int failed = 0;
        while (!failed && buf.len < 100000)
            failed = nth % 2 ? base_metric_add_family(&buf, BASE_METRIC_OPENMETRICS, &sent)
                             : base_metric_add_sample(&buf, &sent, "to", "\n\n\n", 0.5);
        base_mem_fail(0, 0);
        CHECK_INT(failed, BASE_ERR_NOMEM);
        CHECK(buf.len > 0 && (buf.len == 1 || buf.data[buf.len - 1] == '\n'));
        base_buf_fini(&buf);
    }
}

int main(void)
{
    RUN(families);
    RUN(values);
    RUN(labels_are_escaped);
    RUN(ends);
    RUN(without_memory);
    base_buf_fini(&out);
    return test_end();
}
