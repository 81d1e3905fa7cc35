/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

#include <stdint.h>

static void grows_and_keeps_its_bytes(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    for (int i = 0; i < 5000; i++)
        CHECK_INT(base_buf_add_byte(&buf, (char)(i % 251)), 0);
    CHECK_INT(buf.len, 5000);
    CHECK(buf.cap >= buf.len);
    for (int i = 0; i < 5000; i++)
        CHECK_INT(buf.data[i], (char)(i % 251));
    base_buf_fini(&buf);
    CHECK(buf.data == NULL && buf.len == 0 && buf.cap == 0);
}

static void an_empty_buffer_takes_nothing_and_gives_nothing(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    CHECK_INT(base_buf_add(&buf, NULL, 0), 0);
    CHECK_INT(base_buf_reserve(&buf, 0), 0);
    base_buf_consume(&buf, 0);
    CHECK_INT(buf.cap, 0);
    CHECK(base_buf_take(&buf, NULL) == NULL);
    CHECK_STR(base_buf_cstr(&buf), "");
    CHECK_INT(buf.len, 0);
    base_buf_fini(&buf);
    base_buf_fini(&buf);
}

static void writes_behind_a_reservation_do_not_move_the_bytes(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&buf, "head"), 0);
    CHECK_INT(base_buf_reserve(&buf, 1000), 0);
    const char *before = buf.data;
    for (int i = 0; i < 1000; i++)
        CHECK_INT(base_buf_add_byte(&buf, 'x'), 0);
    CHECK(buf.data == before);
    base_buf_fini(&buf);
}

static void formats_behind_what_is_there(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    char text[300];
    memset(text, 'x', sizeof text);
    CHECK_INT(base_buf_add_text(&buf, "n="), 0);
    CHECK_INT(base_buf_printf(&buf, "%d,%s", 42, "x"), 0);
    CHECK_INT(base_buf_printf(&buf, "%s", ""), 0);
    CHECK_BYTES(buf.data, buf.len, "n=42,x");
    CHECK_INT(base_buf_printf(&buf, "%1000s", "y"), 0);
    CHECK_INT(buf.len, 1006);
    CHECK_INT(buf.data[1005], 'y');
    base_buf_fini(&buf);
    for (int len = 0; len < 300; len++) {
        CHECK_INT(base_buf_printf(&buf, "%.*s", len, text), 0);
        CHECK_INT(buf.len, len);
        base_buf_fini(&buf);
    }
}

static void consumes_from_the_front(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&buf, "abcdef"), 0);
    base_buf_consume(&buf, 2);
    CHECK_BYTES(buf.data, buf.len, "cdef");
    base_buf_consume(&buf, 0);
    base_buf_consume(&buf, 4);
    CHECK_INT(buf.len, 0);
    CHECK_INT(base_buf_add_text(&buf, "gh"), 0);
    CHECK_BYTES(buf.data, buf.len, "gh");
    base_buf_fini(&buf);
}

static void the_nul_of_a_c_string_is_not_counted(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&buf, "abc"), 0);
    CHECK_STR(base_buf_cstr(&buf), "abc");
    CHECK_INT(buf.len, 3);
    CHECK_INT(base_buf_add_text(&buf, "def"), 0);
    CHECK_STR(base_buf_cstr(&buf), "abcdef");
    base_buf_fini(&buf);
}

static void hands_its_bytes_over(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    size_t len = 0;
    CHECK_INT(base_buf_add_text(&buf, "mine"), 0);
    char *data = base_buf_take(&buf, &len);
    CHECK_BYTES(data, len, "mine");
    CHECK(buf.data == NULL && buf.len == 0 && buf.cap == 0);
    base_free(data);
}

static void refuses_sizes_that_cannot_be(void)
{
    struct base_buf buf = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&buf, "abc"), 0);
    CHECK_INT(base_buf_reserve(&buf, SIZE_MAX), BASE_ERR_NOMEM);
    CHECK_INT(base_buf_reserve(&buf, SIZE_MAX - 2), BASE_ERR_NOMEM);
    CHECK_INT(base_buf_reserve(&buf, SIZE_MAX / 2), BASE_ERR_NOMEM);
    CHECK_BYTES(buf.data, buf.len, "abc");
    base_buf_fini(&buf);
}

/* Adds in every way; what fails must leave the bytes as they were. Returns the failures. */
static int fill(struct base_buf *buf)
{
    int failed = 0;
    size_t before = buf->len;
    for (int i = 0; i < 6; i++) {
        int result = i % 3 == 0   ? base_buf_add(buf, "0123456789abcdefghijklmnopqrstuvwxyz", 36)
                     : i % 3 == 1 ? base_buf_printf(buf, "%40d", i)
                                  : base_buf_add_byte(buf, 'z');
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        CHECK(result == 0 ? buf->len > before : buf->len == before);
        failed += result < 0;
        before = buf->len;
    }
    failed += base_buf_cstr(buf) == NULL;
    CHECK_INT(buf->len, before);
    return failed;
}

static void survives_every_failing_allocation(void)
{
    for (long repeat = 1; repeat <= 3; repeat++)
        for (long n = 1, failed = 1; failed; n++) {
            struct base_buf buf = BASE_BUF_INIT;
            base_mem_fail(n, repeat);
            failed = fill(&buf);
            base_mem_fail(0, 0);
            CHECK(failed || n > 2);
            base_buf_fini(&buf);
        }
}

int main(void)
{
    RUN(grows_and_keeps_its_bytes);
    RUN(an_empty_buffer_takes_nothing_and_gives_nothing);
    RUN(writes_behind_a_reservation_do_not_move_the_bytes);
    RUN(formats_behind_what_is_there);
    RUN(consumes_from_the_front);
    RUN(the_nul_of_a_c_string_is_not_counted);
    RUN(hands_its_bytes_over);
    RUN(refuses_sizes_that_cannot_be);
    RUN(survives_every_failing_allocation);
    return test_end();
}
