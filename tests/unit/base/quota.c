/* SPDX-License-Identifier: ISC */
#include "base/quota.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static void counts_each_key_by_itself(void)
{
    struct base_quota quota;
    base_quota_init(&quota, 2);
    CHECK_INT(base_quota_take(&quota, "a", 1), 0);
    CHECK_INT(base_quota_take(&quota, "a", 1), 0);
    CHECK_INT(base_quota_take(&quota, "a", 1), BASE_ERR_LIMIT);
    CHECK_INT(base_quota_take(&quota, "b", 1), 0);
    base_quota_give(&quota, "a", 1);
    CHECK_INT(base_quota_take(&quota, "a", 1), 0);
    CHECK_INT(base_quota_take(&quota, "a", 1), BASE_ERR_LIMIT);
    base_quota_fini(&quota);
}

static void forgets_a_key_that_has_none(void)
{
    struct base_quota quota;
    base_quota_init(&quota, 3);
    for (int i = 0; i < 3; i++)
        CHECK_INT(base_quota_take(&quota, "key", 3), 0);
    for (int i = 0; i < 3; i++)
        base_quota_give(&quota, "key", 3);
    CHECK_INT(quota.keys.count, 0);
    base_quota_fini(&quota);
}

static void without_a_bound_nothing_is_counted(void)
{
    struct base_quota quota;
    base_quota_init(&quota, 0);
    for (int i = 0; i < 100; i++)
        CHECK_INT(base_quota_take(&quota, "key", 3), 0);
    base_quota_give(&quota, "key", 3);
    CHECK_INT(quota.keys.count, 0);
    base_quota_fini(&quota);
}

static void survives_every_failing_allocation(void)
{
    int failed = BASE_ERR_NOMEM;
    for (long n = 1; failed; n++) {
        struct base_quota quota;
        base_quota_init(&quota, 1);
        base_mem_fail(n, 1);
        failed = base_quota_take(&quota, "key", 3);
        base_mem_fail(0, 0);
        CHECK(failed == 0 || failed == BASE_ERR_NOMEM);
        CHECK_INT(quota.keys.count, failed ? 0 : 1);
        base_quota_fini(&quota);
    }
}

int main(void)
{
    RUN(counts_each_key_by_itself);
    RUN(forgets_a_key_that_has_none);
    RUN(without_a_bound_nothing_is_counted);
    RUN(survives_every_failing_allocation);
    return test_end();
}
