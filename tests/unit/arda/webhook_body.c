/* SPDX-License-Identifier: ISC */
#include "arda/webhook/body.h"

#include "base/mem.h"
#include "lib/test.h"

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static void check(const char *notification, const char *event, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(arda_webhook_body_add(&out, slice(notification), slice(event), 1770552000123), 0);
    CHECK_BYTES(out.data, out.len, want);
    base_buf_fini(&out);
}

static void texts_go_out_as_they_are(void)
{
    check("{\"id\": 1.50}", " {\"type\":\"x\"} ",
          "{\"type\":\"notification.created\",\"timestamp\":\"2026-02-08T12:00:00.123Z\","
          "\"notification\":{\"id\": 1.50},\"event\": {\"type\":\"x\"} }");
}

static void what_is_no_object_is_null(void)
{
    check("", "[1]",
          "{\"type\":\"notification.created\",\"timestamp\":\"2026-02-08T12:00:00.123Z\","
          "\"notification\":null,\"event\":null}");
    check("{\"a\":", "{}x",
          "{\"type\":\"notification.created\",\"timestamp\":\"2026-02-08T12:00:00.123Z\","
          "\"notification\":null,\"event\":null}");
}

static void memory_may_be_short(void)
{
    struct base_buf out = BASE_BUF_INIT;
    base_mem_fail(1, 1);
    CHECK(arda_webhook_body_add(&out, slice("{}"), slice("{}"), 0) < 0);
    base_mem_fail(0, 0);
    base_buf_fini(&out);
}

int main(void)
{
    RUN(texts_go_out_as_they_are);
    RUN(what_is_no_object_is_null);
    RUN(memory_may_be_short);
    return test_end();
}
