/* SPDX-License-Identifier: ISC */
#include "arda/notify/inbox_row.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static struct base_buf row;

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static int write_row(const char *stored, const char *read_at)
{
    row.len = 0;
    return arda_inbox_row_write(&row, slice(stored), slice(read_at));
}

static void read_and_unread_rows(void)
{
    CHECK_INT(write_row("{\"title\":\"a\",\"body\":\"b\",\"actionUrl\":null}", ""), 0);
    CHECK_BYTES(row.data, row.len,
                "{\"title\":\"a\",\"body\":\"b\",\"isRead\":false,\"readAt\":null,"
                "\"actionUrl\":null}");
    CHECK_INT(write_row("{\"body\":null}", "2026-02-08T12:00:00.000Z"), 0);
    CHECK_BYTES(row.data, row.len,
                "{\"body\":null,\"isRead\":true,\"readAt\":\"2026-02-08T12:00:00.000Z\"}");
    CHECK_INT(write_row("{\"body\":{},\"x\":{\"body\":5}}", "\"\n"), 0);
    CHECK_BYTES(row.data, row.len,
                "{\"body\":{},\"isRead\":true,\"readAt\":\"\\\"\\u000a\",\"x\":{\"body\":5}}");
}

static void what_is_no_row_is_told(void)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "{\"body\":",
                                        "{\"title\":\"body\"}",
                                        "7",
                                        "{\"body\":1}x",
                                        "{\"body\":\n1}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_INT(write_row(texts[i], ""), BASE_ERR_SYNTAX);
        CHECK_INT(row.len, 0);
    }
    CHECK_INT(write_row("{\"body\":1}", "\xff"), BASE_ERR_SYNTAX);
}

static void survives_every_failing_allocation(void)
{
    base_buf_fini(&row);
    base_mem_fail(1, 1);
    int result = write_row("{\"body\":1}", "x");
    base_mem_fail(0, 0);
    CHECK_INT(result, BASE_ERR_NOMEM);
    CHECK_INT(row.len, 0);
}

int main(void)
{
    RUN(read_and_unread_rows);
    RUN(what_is_no_row_is_told);
    RUN(survives_every_failing_allocation);
    base_buf_fini(&row);
    return test_end();
}
