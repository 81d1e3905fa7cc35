/* SPDX-License-Identifier: ISC */
#include "arda/gap.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static void check(const struct arda_gap *gap, const char *want)
{
    struct base_buf line = BASE_BUF_INIT;
    CHECK_INT(arda_gap_write(&line, gap), 0);
    CHECK_BYTES(line.data, line.len, want);
    base_buf_fini(&line);
}

static void writes_what_is_known_and_null_for_the_rest(void)
{
    check(&(struct arda_gap){{"acme", 4}, {1, 2}, {3, 4}, ARDA_GAP_TRIMMED, 17},
          "{\"gap\":{\"tenantId\":\"acme\",\"from\":\"1-2\",\"to\":\"3-4\","
          "\"cause\":\"trimmed\",\"count\":17}}");
    check(&(struct arda_gap){{NULL, 0}, {0, 0}, {0, 0}, ARDA_GAP_AWAY, ARDA_GAP_UNKNOWN},
          "{\"gap\":{\"tenantId\":null,\"from\":null,\"to\":null,"
          "\"cause\":\"redis_away\",\"count\":null}}");
}

static void every_cause_has_a_name_and_a_text(void)
{
    for (int cause = ARDA_GAP_TRIMMED; cause <= ARDA_GAP_BUFFER; cause++) {
        CHECK(*arda_gap_name((enum arda_gap_cause)cause));
        CHECK(*arda_gap_text((enum arda_gap_cause)cause));
    }
}

static void without_memory_nothing_is_added(void)
{
    const struct arda_gap gap = {{"acme", 4}, {1, 2}, {3, 4}, ARDA_GAP_TRIMMED, 17};
    bool failed = true;
    for (long fail = 1; failed && fail < 100; fail++) {
        struct base_buf line = BASE_BUF_INIT;
        base_mem_fail(fail, 1);
        int result = arda_gap_write(&line, &gap);
        failed = base_mem_tries() >= fail;
        base_mem_fail(0, 0);
        CHECK_INT(result, failed ? BASE_ERR_NOMEM : BASE_OK);
        CHECK(!failed || line.len == 0);
        base_buf_fini(&line);
    }
    CHECK(!failed);
}

int main(void)
{
    RUN(writes_what_is_known_and_null_for_the_rest);
    RUN(every_cause_has_a_name_and_a_text);
    RUN(without_memory_nothing_is_added);
    return test_end();
}
