/* SPDX-License-Identifier: ISC */
#include "net/codec/accept.h"

#include "lib/test.h"

static unsigned weight(const char *header)
{
    return net_accept_weight((struct base_slice){header, header ? strlen(header) : 0},
                             "text/plain");
}

static void everything_is_wanted_without_a_header(void)
{
    CHECK_INT(weight(NULL), 1000);
    CHECK_INT(weight(""), 0);
}

static void ranges_name_a_type(void)
{
    CHECK_INT(weight("text/plain"), 1000);
    CHECK_INT(weight("TEXT/Plain"), 1000);
    CHECK_INT(weight("text/*"), 1000);
    CHECK_INT(weight("*/*"), 1000);
    CHECK_INT(weight("text/html"), 0);
    CHECK_INT(weight("text/plainer"), 0);
    CHECK_INT(weight("text/plai"), 0);
    CHECK_INT(weight("application/*"), 0);
    CHECK_INT(weight("text/"), 0);
    CHECK_INT(weight("text"), 0);
    CHECK_INT(weight("*"), 0);
    CHECK_INT(weight("a/b, text/plain"), 1000);
    CHECK_INT(weight(" \t text/plain\t, a/b"), 1000);
    CHECK_INT(weight(",,;,text/plain,"), 1000);
}

static void ranges_have_weights(void)
{
    CHECK_INT(weight("text/plain;q=0.5"), 500);
    CHECK_INT(weight("text/plain ; version=0.0.4 ; q=0.125"), 125);
    CHECK_INT(weight("text/plain;Q=0"), 0);
    CHECK_INT(weight("text/plain;q=0.000"), 0);
    CHECK_INT(weight("text/plain;q=1.000"), 1000);
    CHECK_INT(weight("text/plain;q=1."), 1000);
    CHECK_INT(weight("text/plain;version=q=0"), 1000);
}

static void the_closest_range_counts(void)
{
    CHECK_INT(weight("*/*;q=0.9, text/*;q=0.8, text/plain;q=0.7"), 700);
    CHECK_INT(weight("text/plain;q=0, */*"), 0);
    CHECK_INT(weight("*/*;q=0.1, text/*;q=0.2"), 200);
    CHECK_INT(weight("text/*;q=0.2, */*;q=0.9"), 200);
    CHECK_INT(weight("text/plain;version=1;q=0.3, text/plain;version=2;q=0.4"), 400);
    CHECK_INT(weight("text/plain;version=2;q=0.4, text/plain;version=1;q=0.3"), 400);
}

static void what_makes_no_sense_is_left_out(void)
{
    static const char *const bad[] = {"1.001", "2", "-1", "0.1234", ".5", "x", "", "00", "0,5"};
    char header[64];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(header, sizeof header, "text/plain;q=%s, text/*;q=0.3", bad[i]);
        CHECK_INT(weight(header), strcmp(bad[i], "0,5") == 0 ? 0 : 300);
    }
}

/* What programs send in practice: see the documentation of each. */
static void scrapers(void)
{
    struct base_slice modern = {"application/openmetrics-text;version=1.0.0,"
                                "application/openmetrics-text;version=0.0.1;q=0.75,"
                                "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                                0};
    modern.len = strlen(modern.data);
    CHECK_INT(net_accept_weight(modern, "application/openmetrics-text"), 1000);
    CHECK_INT(net_accept_weight(modern, "text/plain"), 500);
    struct base_slice old = {"text/plain;version=0.0.4;q=1,*/*;q=0.1", 0};
    old.len = strlen(old.data);
    CHECK_INT(net_accept_weight(old, "application/openmetrics-text"), 100);
    CHECK_INT(net_accept_weight(old, "text/plain"), 1000);
}

int main(void)
{
    RUN(everything_is_wanted_without_a_header);
    RUN(ranges_name_a_type);
    RUN(ranges_have_weights);
    RUN(the_closest_range_counts);
    RUN(what_makes_no_sense_is_left_out);
    RUN(scrapers);
    return test_end();
}
