/* SPDX-License-Identifier: ISC
 *
 * Taking entries of streams as a group, from a real Redis: what each daemon gets, what is given
 * again, and what is said of entries that are no more.
 */
#include "arda/notify/intake.h"

#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"
#include "lib/test.h"

#include <stdio.h>
#include <string.h>

#define ALL "0-0" /* begins before everything */

static struct test_redis redis;
static struct test_bus bus;

/* What a take has brought of its first stream, and as a whole. */
static struct {
    bool done;
    int result;
    uint32_t others;
    uint64_t dead_ms, missed, gone;
    bool exists, more;
    size_t batches, taken_over;
    char texts[256]; /* of the envelopes, each with a blank behind it */
    char error[128];
    char id[64]; /* of the last entry */
} got;

static void on_batch(void *data, const struct arda_intake_batch *batch)
{
    (void)data;
    if (got.batches++ > 0)
        return;
    got.exists = batch->exists;
    got.more = batch->more;
    got.missed = batch->missed;
    got.gone = batch->gone;
    got.taken_over = batch->taken_over;
    snprintf(got.error, sizeof got.error, "%s", batch->error ? batch->error : "");
    for (size_t i = 0; i < batch->entry_count; i++) {
        struct base_slice text = batch->entries[i].envelope;
        size_t len = strlen(got.texts);
        snprintf(got.texts + len, sizeof got.texts - len, "%.*s ", (int)text.len,
                 text.data ? text.data : "none");
        snprintf(got.id, sizeof got.id, "%s", batch->entries[i].id);
    }
}

static void on_taken(void *data, int result, uint32_t others, uint64_t dead_ms,
                     const struct base_why *why)
{
    (void)data;
    (void)why;
    got.done = true;
    got.result = result;
    got.others = others;
    got.dead_ms = dead_ms;
}

static void take(const char *consumer, uint32_t entries, bool orphans)
{
    static const struct arda_intake_handlers handlers = {on_batch, on_taken};
    const struct arda_intake_stream stream = {"acme", orphans};
    struct arda_intake_request request = {consumer, ALL, &stream, 1, entries};
    memset(&got, 0, sizeof got);
    CHECK_INT(arda_intake_take(bus.bus, &request, &handlers, NULL), 0);
    RUN_UNTIL(got.done);
    CHECK_INT(got.result, 0);
}

static struct {
    bool done;
    int result;
} answer;

static void on_done(void *data, int result, const struct base_why *why)
{
    (void)data;
    (void)why;
    answer.done = true;
    answer.result = result;
}

static void ack(const char *id)
{
    answer.done = false;
    CHECK_INT(arda_intake_ack(bus.bus, "acme", &id, 1, on_done, NULL), 0);
    RUN_UNTIL(answer.done);
    CHECK_INT(answer.result, 0);
}

static void add(const char *text)
{
    test_redis_do(&redis, "XADD arda:stream:acme * envelope %s type x", text);
}

/* ---- cases ---- */

static void a_stream_that_is_not_there(void)
{
    test_redis_do(&redis, "FLUSHALL");
    take("one", 10, true);
    CHECK(!got.exists);
    CHECK_STR(got.error, "");
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:stream:acme"), 0);
    CHECK_INT(test_redis_number(&redis, "EXISTS arda:notifyd:start"), 1);
}

static void entries_are_given_once(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    add("b");
    add("c");
    take("one", 2, true);
    CHECK_STR(got.texts, "a b ");
    CHECK(got.more);
    take("two", 2, true);
    CHECK_STR(got.texts, "c ");
    CHECK_INT(got.others, 1);
    take("one", 2, false);
    CHECK_STR(got.texts, "");
    CHECK(!got.more);
    CHECK_INT((int)got.missed, 0);
}

static void a_group_begins_behind_the_start(void)
{
    static const struct arda_intake_handlers handlers = {on_batch, on_taken};
    const struct arda_intake_stream stream = {"acme", true};
    struct arda_intake_request request = {"one", "5-18446744073709551615", &stream, 1, 10};
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "XADD arda:stream:acme 5-0 envelope a");
    test_redis_do(&redis, "XADD arda:stream:acme 6-0 envelope b");
    memset(&got, 0, sizeof got);
    CHECK_INT(arda_intake_take(bus.bus, &request, &handlers, NULL), 0);
    RUN_UNTIL(got.done);
    CHECK_STR(got.texts, "b ");
    CHECK_INT((int)got.missed, 0);
}

static void orphans_are_given_again(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    add("b");
    take("one", 10, true);
    take("one", 10, false);
    CHECK_STR(got.texts, "");
    take("one", 10, true);
    CHECK_STR(got.texts, "a b ");
    CHECK_INT((int)got.taken_over, 2);
    ack(got.id);
    take("one", 10, true);
    CHECK_STR(got.texts, "a ");
}

static void the_dead_are_inherited_and_dismissed(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    take("one", 10, true);
    take("two", 10, true);
    CHECK_STR(got.texts, ""); /* it is alive */
    test_redis_do(&redis, "ZADD arda:notifyd:daemons 1 one");
    add("b");
    take("two", 1, true);
    CHECK(got.dead_ms > 0);
    CHECK_INT((int)got.others, 0);
    CHECK_STR(got.texts, "a ");
    CHECK_INT((int)got.taken_over, 1);
    CHECK(got.more);
    take("two", 10, false);
    CHECK_STR(got.texts, "b ");
    CHECK_INT(arda_intake_forget(bus.bus, got.dead_ms), 0);
    take("two", 10, false);
    CHECK_INT((int)got.dead_ms, 0);
    CHECK_INT(test_redis_number(&redis, "XGROUP DELCONSUMER arda:stream:acme notifyd one"), 0);
    CHECK_INT(test_redis_number(&redis, "ZCARD arda:notifyd:daemons"), 1);
}

static void a_daemon_that_leaves_is_dead_at_once(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    take("one", 10, true);
    answer.done = false;
    CHECK_INT(arda_intake_leave(bus.bus, "one", on_done, NULL), 0);
    RUN_UNTIL(answer.done);
    take("two", 10, true);
    CHECK_STR(got.texts, "a ");
}

static void what_was_trimmed_is_counted_once(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    take("one", 10, true);
    ack(got.id);
    add("b");
    add("c");
    add("d");
    test_redis_number(&redis, "XTRIM arda:stream:acme MAXLEN 1");
    take("one", 10, true);
    CHECK_STR(got.texts, "d ");
    CHECK_INT((int)got.missed, 2);
    ack(got.id);
    test_redis_number(&redis, "XTRIM arda:stream:acme MAXLEN 0");
    take("one", 10, true);
    CHECK_INT((int)got.missed, 0);
    add("e");
    add("f");
    test_redis_number(&redis, "XTRIM arda:stream:acme MAXLEN 0");
    take("one", 10, true);
    CHECK_INT((int)got.missed, 2);
    take("one", 10, true);
    CHECK_INT((int)got.missed, 0);
    add("g");
    take("one", 1, true);
    CHECK_STR(got.texts, "g ");
    CHECK_INT((int)got.missed, 0);
}

static void what_was_trimmed_while_pending_is_gone(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    add("b");
    take("one", 10, true);
    test_redis_number(&redis, "XTRIM arda:stream:acme MAXLEN 1");
    take("one", 10, true);
    CHECK_STR(got.texts, "b ");
    CHECK_INT((int)got.gone, 1);
    ack(got.id);
    take("one", 10, true);
    CHECK_INT((int)got.gone, 0);
}

static void a_lost_group_goes_back(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    take("one", 10, true);
    ack(got.id);
    test_redis_number(&redis, "XGROUP DESTROY arda:stream:acme notifyd");
    add("b");
    take("one", 10, true);
    CHECK_STR(got.texts, "a b "); /* within the hour: it is known that a has been handled */
    CHECK_INT((int)got.missed, 0);
}

static void a_key_of_another_kind(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "SET arda:stream:acme x");
    take("one", 10, true);
    CHECK(got.exists);
    CHECK(strncmp(got.error, "WRONGTYPE", 9) == 0);
}

/* ---- dead letters ---- */

static struct {
    bool done;
    size_t count;
    char letters[256], id[64];
} dead;

static void on_letters(void *data, int result, const struct arda_dead_letter *letters, size_t count,
                       const struct base_why *why)
{
    (void)data;
    (void)why;
    CHECK_INT(result, 0);
    dead.done = true;
    dead.count = count;
    for (size_t i = 0; i < count; i++) {
        const struct arda_dead_letter *letter = &letters[i];
        size_t len = strlen(dead.letters);
        snprintf(dead.letters + len, sizeof dead.letters - len, "%.*s %.*s %.*s;",
                 (int)letter->reason.len, letter->reason.data, (int)letter->tenant.len,
                 letter->tenant.data, (int)letter->envelope.len,
                 letter->envelope.data ? letter->envelope.data : "");
        snprintf(dead.id, sizeof dead.id, "%s", letter->id);
    }
}

static void read_letters(void)
{
    memset(&dead, 0, sizeof dead);
    CHECK_INT(arda_dead_read(bus.bus, "0-0", 10, on_letters, NULL), 0);
    RUN_UNTIL(dead.done);
}

static void the_dead_letter_is_written_once(void)
{
    const struct arda_intake_field fields[] = {{test_slice("reason"), test_slice("theirs")},
                                               {test_slice("envelope"), test_slice("text")}};
    char id[64];
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    take("one", 10, true);
    strcpy(id, got.id);
    for (int i = 0; i < 2; i++) {
        answer.done = false;
        CHECK_INT(arda_intake_bury(bus.bus, "acme", "no good", id, fields, 2, on_done, NULL), 0);
        RUN_UNTIL(answer.done);
        CHECK_INT(answer.result, 0);
    }
    read_letters();
    CHECK_STR(dead.letters, "no good acme text;");
    take("one", 10, true);
    CHECK_STR(got.texts, "");
    answer.done = false;
    CHECK_INT(arda_dead_remove(bus.bus, dead.id, on_done, NULL), 0);
    RUN_UNTIL(answer.done);
    read_letters();
    CHECK_INT((int)dead.count, 0);
}

/* ---- memory ---- */

/* Whatever fails: the call does, or it is told, and nothing is lost but time. */
static void memory_may_run_out(void)
{
    static const struct arda_intake_handlers handlers = {on_batch, on_taken};
    const struct arda_intake_stream stream = {"acme", true};
    struct arda_intake_request request = {"one", ALL, &stream, 1, 10};
    bool whole = false;
    int troubles = 0;
    test_redis_do(&redis, "FLUSHALL");
    add("a");
    for (long nth = 1; !whole; nth++) {
        memset(&got, 0, sizeof got);
        base_mem_fail(nth, 1);
        int failed = arda_intake_take(bus.bus, &request, &handlers, NULL);
        if (!failed)
            RUN_UNTIL(got.done);
        whole = base_mem_tries() < nth;
        base_mem_fail(0, 0);
        troubles += failed || got.result;
        CHECK(failed || got.result || strcmp(got.texts, "a ") == 0);
        RUN_UNTIL(arda_bus_is_up(bus.bus));
    }
    CHECK(troubles > 0);
    take("one", 10, true);
    CHECK_STR(got.texts, "a ");
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_redis_init(&redis);
    test_redis_start(&redis);
    test_loop_init();
    test_bus_up(&bus, redis.url);
    RUN(a_stream_that_is_not_there);
    RUN(entries_are_given_once);
    RUN(a_group_begins_behind_the_start);
    RUN(orphans_are_given_again);
    RUN(the_dead_are_inherited_and_dismissed);
    RUN(a_daemon_that_leaves_is_dead_at_once);
    RUN(what_was_trimmed_is_counted_once);
    RUN(what_was_trimmed_while_pending_is_gone);
    RUN(a_lost_group_goes_back);
    RUN(a_key_of_another_kind);
    RUN(the_dead_letter_is_written_once);
    RUN(memory_may_run_out);
    test_bus_close(&bus);
    test_loop_fini();
    test_redis_fini(&redis);
    return test_end();
}
