/* SPDX-License-Identifier: ISC */
#include "arda/stream_id.h"

#include "lib/test.h"

static struct arda_stream_id id(uint64_t ms, uint64_t seq)
{
    return (struct arda_stream_id){ms, seq};
}

static bool same(struct arda_stream_id a, struct arda_stream_id b)
{
    return a.ms == b.ms && a.seq == b.seq;
}

static void reads_what_it_writes(void)
{
    static const char *const texts[] = {"0-0", "1-0", "1770552000000-17",
                                        "18446744073709551615-18446744073709551615"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arda_stream_id read;
        char out[ARDA_STREAM_ID_LEN + 1];
        CHECK(arda_stream_id_parse(texts[i], strlen(texts[i]), &read));
        CHECK_INT(arda_stream_id_format(read, out), strlen(texts[i]));
        CHECK_STR(out, texts[i]);
    }
}

static void refuses_what_is_no_id(void)
{
    static const char *const texts[] = {"",
                                        "-",
                                        "1",
                                        "1-",
                                        "-1",
                                        "1-1-1",
                                        "01-1",
                                        "1-01",
                                        "+1-1",
                                        "1-+1",
                                        " 1-1",
                                        "1-1 ",
                                        "1-1x",
                                        "a-1",
                                        "2026-02",
                                        "18446744073709551616-0",
                                        "1-18446744073709551616",
                                        "1-99999999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arda_stream_id read = id(7, 7);
        CHECK(!arda_stream_id_parse(texts[i], strlen(texts[i]), &read));
        CHECK(same(read, id(7, 7)));
    }
    CHECK(arda_stream_id_parse("12-345", 4, &(struct arda_stream_id){0, 0}));
    CHECK(!arda_stream_id_parse("12-345", 3, &(struct arda_stream_id){0, 0}));
}

static void compares_milliseconds_first(void)
{
    CHECK(arda_stream_id_compare(id(1, 9), id(2, 0)) < 0);
    CHECK(arda_stream_id_compare(id(2, 0), id(1, 9)) > 0);
    CHECK(arda_stream_id_compare(id(2, 1), id(2, 2)) < 0);
    CHECK(arda_stream_id_compare(id(2, 2), id(2, 1)) > 0);
    CHECK(arda_stream_id_compare(id(2, UINT64_MAX), id(2, UINT64_MAX)) == 0);
    CHECK(arda_stream_id_is_zero(id(0, 0)));
    CHECK(!arda_stream_id_is_zero(id(0, 1)));
    CHECK(!arda_stream_id_is_zero(id(1, 0)));
}

static void has_neighbours(void)
{
    CHECK(same(arda_stream_id_next(id(0, 0)), id(0, 1)));
    CHECK(same(arda_stream_id_next(id(5, UINT64_MAX)), id(6, 0)));
    CHECK(same(arda_stream_id_next(ARDA_STREAM_ID_LAST), ARDA_STREAM_ID_LAST));
    CHECK(same(arda_stream_id_previous(id(5, 1)), id(5, 0)));
    CHECK(same(arda_stream_id_previous(id(6, 0)), id(5, UINT64_MAX)));
    CHECK(same(arda_stream_id_previous(id(0, 0)), id(0, 0)));
}

int main(void)
{
    RUN(reads_what_it_writes);
    RUN(refuses_what_is_no_id);
    RUN(compares_milliseconds_first);
    RUN(has_neighbours);
    return test_end();
}
