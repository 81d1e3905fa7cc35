/* SPDX-License-Identifier: ISC
 *
 * Answers that are not those of Redis, given to everything that asks: each question is answered
 * once, with a failure or with what can be made of it, and nothing is read that is not there.
 */
#include "arda/bus/internal.h"
#include "arda/bus/reply_reader.h"
#include "arda/delivery/delivery.h"
#include "arda/delivery/read.h"
#include "arda/delivery/redrive.h"
#include "arda/directory.h"
#include "arda/inbox.h"
#include "arda/notify/intake.h"
#include "arda/notify_step.h"
#include "arda/replay/shadow.h"
#include "arda/stream/stream.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/cuts.h"
#include "lib/fake_redis.h"

static struct fake_redis fake;
static struct test_bus test;
static struct arda_directory_line line;
static struct cuts cuts;

/* ---- what was answered ---- */

static int calls, result;
static char why_text[256];

static void end(int code, const struct base_why *why)
{
    calls++;
    result = code;
    snprintf(why_text, sizeof why_text, "%s", code && why ? why->text : "");
}

static void on_done(void *data, int code, const struct base_why *why)
{
    (void)data;
    end(code, why);
}

static void on_flag(void *data, int code)
{
    (void)data;
    end(code < 0 ? code : 0, NULL);
}

static void on_handled(void *data, int code, bool handled)
{
    (void)data;
    (void)handled;
    end(code, NULL);
}

static void on_text(void *data, const char *text)
{
    (void)data;
    CHECK(strlen(text) < 1000);
}

static void on_tenant(void *data, const char *tenant, size_t len)
{
    (void)data;
    CHECK(len == 0 || strnlen(tenant, len) <= len); /* all of it is read */
}

static void on_slice(void *data, struct base_slice text)
{
    on_tenant(data, text.data, text.len);
}

/* ---- questions: of the directory ---- */

static int ask_loop(void)
{
    arda_directory_has_loop(test.bus, "acme", 4, "l1", 2, on_flag, NULL);
    return 0;
}

static int ask_kind(enum arda_directory_kind kind)
{
    line.kind = kind;
    strcpy(line.tenant, "acme");
    line.value.len = 0;
    CHECK_INT(arda_directory_line_set_id(&line, "u1", kind == ARDA_DIRECTORY_WEBHOOK ? 0 : 2, NULL),
              0);
    return arda_directory_get(test.bus, &line, on_done, NULL);
}

static int ask_user(void)
{
    return ask_kind(ARDA_DIRECTORY_USER);
}

static int ask_webhook(void)
{
    return ask_kind(ARDA_DIRECTORY_WEBHOOK);
}

static int ask_known_loop(void)
{
    return ask_kind(ARDA_DIRECTORY_LOOP);
}

static int ask_tenants(void)
{
    return arda_directory_tenants(test.bus, on_tenant, on_done, NULL);
}

static int ask_removal(void)
{
    line.kind = ARDA_DIRECTORY_LOOP;
    strcpy(line.tenant, "acme");
    strcpy(line.id, "l1");
    return arda_directory_remove(test.bus, &line, on_done, NULL);
}

static void on_line(void *data, const struct arda_directory_line *entry)
{
    (void)data;
    CHECK(strlen(entry->id) <= ARDA_DIRECTORY_ID_MAX);
}

static void on_bad_line(void *data, const struct base_why *why)
{
    on_text(data, why->text);
}

static void on_snapshot(void *data, int code, const struct arda_directory_state *state,
                        const struct base_why *why)
{
    (void)data;
    CHECK((code == 0) == (state != NULL));
    end(code, why);
}

static int ask_snapshot(void)
{
    const struct arda_directory_handlers handlers = {on_line, on_bad_line, on_snapshot, NULL};
    return arda_directory_snapshot(test.bus, "acme", ARDA_DIRECTORY_ALL, &handlers);
}

/* ---- of notifications ---- */

static const struct arda_notify_user users[] = {{"ann", 1}, {"bob", 1}, {"cid", 7}};

static void on_step(void *data, int code, const struct arda_notify_result *got,
                    const struct base_why *why)
{
    (void)data;
    (void)got;
    end(code, why);
}

static int ask_step_of(size_t count)
{
    static const char key[] = "019c3d5e-8a00-7abc-8def-0123456789ab";
    struct arda_notify_step step = {
        .tenant = "acme",
        .notification = {.type = test_slice("po_created"), .title = test_slice("New")},
        .users = users,
        .user_count = count,
        .version = 7,
        .now_ms = 1770552000123,
        .chunk = 2,
        .on_row = on_slice,
    };
    memcpy(step.cause.key, key, sizeof key);
    return arda_notify_step(test.bus, &step, on_step, NULL);
}

static int ask_step(void)
{
    return ask_step_of(3);
}

static int ask_step_of_nobody(void)
{
    return ask_step_of(0);
}

static void on_batch(void *data, const struct arda_intake_batch *batch)
{
    (void)data;
    CHECK(batch->stream < 2);
    CHECK(batch->entry_count <= 4);
    for (size_t i = 0; i < batch->entry_count; i++)
        on_text(NULL, batch->entries[i].id);
}

static void on_taken(void *data, int code, uint32_t others, uint64_t dead_ms,
                     const struct base_why *why)
{
    (void)data;
    (void)others;
    (void)dead_ms;
    end(code, why);
}

static int ask_intake(void)
{
    static const struct arda_intake_stream streams[] = {{"acme", false}, {"other", true}};
    static const struct arda_intake_handlers handlers = {on_batch, on_taken};
    const struct arda_intake_request request = {"me", "0-0", streams, 2, 4};
    return arda_intake_take(test.bus, &request, &handlers, NULL);
}

static void on_start(void *data, int code, const char *start, const struct base_why *why)
{
    (void)data;
    (void)start;
    end(code, why);
}

static int ask_start(void)
{
    return arda_intake_start(test.bus, NULL, on_start, NULL);
}

static int ask_whether_handled(void)
{
    return arda_intake_handled(test.bus, "acme", "e1", on_handled, NULL);
}

static int ask_scan(void)
{
    const struct arda_intake_scan scan = {on_tenant, on_done, NULL};
    return arda_intake_scan(test.bus, &scan);
}

static void on_letters(void *data, int code, const struct arda_dead_letter *letters, size_t count,
                       const struct base_why *why)
{
    (void)data;
    for (size_t i = 0; i < count; i++)
        on_text(NULL, letters[i].id);
    end(code, why);
}

static int ask_letters(void)
{
    return arda_dead_read(test.bus, "0-0", 100, on_letters, NULL);
}

static int ask_shadow(void)
{
    return arda_shadow_add(test.bus, "acme", 4, on_done, NULL);
}

/* ---- of inboxes ---- */

static const struct arda_inbox inbox = {"acme", "ann"};

static void on_row(void *data, struct base_slice row, bool is_read)
{
    (void)is_read;
    on_slice(data, row);
}

static void on_listed(void *data, int code, bool more, const struct base_why *why)
{
    (void)data;
    (void)more;
    end(code, why);
}

static const struct arda_inbox_reader rows = {on_row, on_text, on_listed, NULL};

static int ask_rows(void)
{
    const struct arda_inbox_query query = {.limit = 10};
    return arda_inbox_list(test.bus, &inbox, &query, &rows);
}

static int ask_row(void)
{
    return arda_inbox_get(test.bus, &inbox, "n1", &rows);
}

static void on_inbox_counts(void *data, int code, const struct arda_inbox_counts *counts,
                            const struct base_why *why)
{
    (void)data;
    (void)counts;
    end(code, why);
}

static int ask_inbox_counts(void)
{
    return arda_inbox_count(test.bus, &inbox, on_inbox_counts, NULL);
}

static void on_changed(void *data, int code, uint64_t changed, const struct base_why *why)
{
    (void)data;
    (void)changed;
    end(code, why);
}

static const struct arda_inbox_changer changer = {on_text, on_changed, NULL};

static int ask_change(void)
{
    static const char *const ids[] = {"n1", "n2"};
    return arda_inbox_change(test.bus, &inbox, ARDA_INBOX_READ, ids, 2, 0, &changer);
}

static int ask_change_of_all(void)
{
    return arda_inbox_change(test.bus, &inbox, ARDA_INBOX_UNREAD, NULL, 0, 0, &changer);
}

/* ---- of deliveries ---- */

static void on_delivery(void *data, struct arda_delivery *delivery)
{
    (void)data;
    arda_delivery_free(delivery);
}

static void on_claimed(void *data, int code, int64_t next_ms, const struct base_why *why)
{
    (void)data;
    (void)next_ms;
    end(code, why);
}

static int ask_claim(void)
{
    const struct arda_delivery_claimer claimer = {on_delivery, on_claimed, NULL};
    const struct arda_delivery_claim claim = {.now_ms = 1770552000123,
                                              .lease_ms = 60000,
                                              .channels = 6,
                                              .max = 10,
                                              .per_lane = 10,
                                              .lease = "019c3d5e-8a00-7abc-8def-0123456789ab"};
    return arda_delivery_claim(test.bus, &claim, &claimer);
}

static void on_settled(void *data, int code, const struct arda_delivery_settled *settled,
                       const struct base_why *why)
{
    (void)data;
    (void)settled;
    end(code, why);
}

static int ask_release(void)
{
    static const struct arda_delivery delivery = {
        .tenant = "acme", .user = "ann", .id = "d1", .channel = ARDA_NOTIFY_WEBHOOK};
    return arda_delivery_release(test.bus, &delivery, 0, on_settled, NULL);
}

static void on_alert(void *data, const char *tenant, int64_t since_ms, const char *why)
{
    (void)since_ms;
    on_text(data, tenant);
    on_text(data, why);
}

static int ask_alerts(void)
{
    const struct arda_delivery_alerts alerts = {on_alert, on_done, NULL};
    return arda_delivery_alerts(test.bus, &alerts);
}

static void on_delivery_counts(void *data, int code, const struct arda_delivery_counts *counts)
{
    (void)data;
    (void)counts;
    end(code, NULL);
}

static int ask_delivery_counts(void)
{
    return arda_delivery_count(test.bus, 0, on_delivery_counts, NULL);
}

static void on_record(void *data, const struct arda_delivery_record *record)
{
    on_slice(data, record->id);
    on_slice(data, record->attempts);
}

static const struct arda_delivery_reader records = {on_record, on_text, on_listed, NULL};
static const struct arda_delivery_filter any = {.channel = -1, .since_ms = -1, .until_ms = -1};
static struct arda_delivery_position position;

static int ask_record(void)
{
    return arda_delivery_get(test.bus, "acme", "d1", &records);
}

static int ask_records(void)
{
    return arda_delivery_list(test.bus, "acme", &any, 10, &position, &records);
}

static void on_tally(void *data, int code, const struct arda_delivery_tally *tally, bool more,
                     const struct base_why *why)
{
    (void)data;
    (void)tally;
    (void)more;
    end(code, why);
}

static int ask_tally(void)
{
    return arda_delivery_tally(test.bus, "acme", &any, &position, on_tally, NULL);
}

static void on_facts(void *data, int code, const struct arda_delivery_facts *facts,
                     const struct base_why *why)
{
    on_slice(data, facts->disabled_why);
    end(code, why);
}

static int ask_facts(void)
{
    return arda_delivery_facts(test.bus, "acme", "e1", "ann", "n1", on_facts, NULL);
}

static void on_redriven(void *data, int code, enum arda_delivery_redriven redriven,
                        const struct base_why *why)
{
    (void)data;
    (void)redriven;
    end(code, why);
}

static int ask_redrive(void)
{
    return arda_delivery_redrive(test.bus, "acme", "d1", 0, on_redriven, NULL);
}

/* ---- of streams, and publications ---- */

static void on_page(void *data, int code, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    (void)data;
    for (size_t i = 0; !code && i < page->count; i++)
        on_slice(NULL, page->entries[i].envelope);
    end(code, why);
}

static int ask_page(void)
{
    const struct arda_stream_range range = {
        .tenant = test_slice("acme"), .last = {UINT64_MAX, UINT64_MAX}, .max_entries = 10};
    return arda_stream_read(test.bus, &range, on_page, NULL);
}

static void on_info(void *data, int code, const struct arda_stream_info *info,
                    const struct base_why *why)
{
    (void)data;
    (void)info;
    end(code, why);
}

static int ask_info(void)
{
    return arda_stream_info(test.bus, test_slice("acme"), on_info, NULL);
}

static void on_time(void *data, int code, uint64_t ms, const struct base_why *why)
{
    (void)data;
    (void)ms;
    end(code, why);
}

static int ask_time(void)
{
    return arda_stream_time(test.bus, on_time, NULL);
}

static int ask_streams(void)
{
    return arda_stream_scan(test.bus, on_slice, on_done, NULL);
}

static void on_published(void *data, int code, const char *stream_id, const struct base_why *why)
{
    (void)data;
    (void)stream_id;
    end(code < 0 ? code : 0, why);
}

static int ask_publication(void)
{
    const struct arda_publication publication = {.tenant = test_slice("acme"),
                                                 .message = test_slice("{}"),
                                                 .envelope = test_slice("{}"),
                                                 .event_id = test_slice("e1")};
    return arda_bus_publish(test.bus, &publication, on_published, NULL);
}

static int ask_publication_once(void)
{
    const struct arda_publication publication = {.tenant = test_slice("acme"),
                                                 .message = test_slice("{}"),
                                                 .envelope = test_slice("{}"),
                                                 .event_id = test_slice("e1"),
                                                 .dedupe_for_ms = 1000};
    return arda_bus_publish(test.bus, &publication, on_published, NULL);
}

static const struct {
    const char *name;
    int (*ask)(void);
} questions[] = {
    {"loop", ask_loop},
    {"user", ask_user},
    {"webhook", ask_webhook},
    {"known loop", ask_known_loop},
    {"tenants", ask_tenants},
    {"removal", ask_removal},
    {"snapshot", ask_snapshot},
    {"step", ask_step},
    {"step of nobody", ask_step_of_nobody},
    {"intake", ask_intake},
    {"start", ask_start},
    {"handled", ask_whether_handled},
    {"scan", ask_scan},
    {"letters", ask_letters},
    {"shadow", ask_shadow},
    {"rows", ask_rows},
    {"row", ask_row},
    {"inbox counts", ask_inbox_counts},
    {"change", ask_change},
    {"change of all", ask_change_of_all},
    {"claim", ask_claim},
    {"release", ask_release},
    {"alerts", ask_alerts},
    {"delivery counts", ask_delivery_counts},
    {"record", ask_record},
    {"records", ask_records},
    {"tally", ask_tally},
    {"facts", ask_facts},
    {"redrive", ask_redrive},
    {"page", ask_page},
    {"info", ask_info},
    {"time", ask_time},
    {"streams", ask_streams},
    {"publication", ask_publication},
    {"publication once", ask_publication_once},
};

enum { QUESTIONS = sizeof questions / sizeof questions[0] };

/* Whether it was answered, once. */
static bool ask(size_t number, const char *answer)
{
    fake_redis_answer(&fake, answer);
    RUN_UNTIL(arda_bus_is_up(test.bus));
    calls = 0;
    position = (struct arda_delivery_position){0};
    CHECK_INT(questions[number].ask(), 0);
    RUN_UNTIL(calls > 0);
    if (calls != 1)
        printf("# %s: %d calls for %s\n", questions[number].name, calls, answer);
    CHECK_INT(calls, 1);
    return calls == 1;
}

static size_t find(int (*wanted)(void))
{
    size_t number = 0;
    while (questions[number].ask != wanted)
        number++;
    return number;
}

/* ---- answers that once went wrong ---- */

#define STEP(word, row) "*5\r\n+" word "\r\n:1\r\n:0\r\n:0\r\n*1\r\n" row "\r\n"
#define ROW             "+{\"id\":\"n1\",\"body\":null}"

static const struct {
    int (*ask)(void);
    const char *answer;
    int result;
} cases[] = {
    {ask_step, STEP("next", "$-1"), BASE_ERR_INTERNAL},
    {ask_step, STEP("next", ROW), BASE_ERR_INTERNAL}, /* after the last chunk, too */
    {ask_step, STEP("done", ROW), BASE_ERR_INTERNAL}, /* not yet */
    {ask_step_of_nobody, STEP("next", ROW), BASE_ERR_INTERNAL},
    {ask_step_of_nobody, STEP("done", ROW), 0},
    {ask_step, "*2\r\n+at\r\n+ann\r\n", BASE_ERR_INTERNAL}, /* again and again */
    {ask_step, "*2\r\n+ab\r\n+ann\r\n", BASE_ERR_INTERNAL},
    {ask_intake, "*3\r\n:0\r\n:0\r\n*0\r\n", BASE_ERR_INTERNAL},
    {ask_intake, "*3\r\n:0\r\n:0\r\n*3\r\n*1\r\n+none\r\n*1\r\n+none\r\n*1\r\n+none\r\n",
     BASE_ERR_INTERNAL},
    {ask_intake, "*3\r\n:0\r\n:0\r\n*2\r\n*1\r\n+none\r\n*1\r\n+none\r\n", 0},
    {ask_intake,
     "*3\r\n:0\r\n:0\r\n*2\r\n*1\r\n+none\r\n*6\r\n+ok\r\n:0\r\n:0\r\n:0\r\n:0\r\n*5\r\n"
     "*2\r\n+1-1\r\n*0\r\n*2\r\n+1-2\r\n*0\r\n*2\r\n+1-3\r\n*0\r\n*2\r\n+1-4\r\n*0\r\n"
     "*2\r\n+1-5\r\n*0\r\n",
     0}, /* that stream cannot be read */
    {ask_snapshot, "*0\r\n", BASE_ERR_INTERNAL},
    {ask_snapshot, "+OK\r\n", BASE_ERR_INTERNAL},
    {ask_snapshot, "*9\r\n:1\r\n:0\r\n*1\r\n$-1\r\n*1\r\n+x\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n",
     BASE_ERR_INTERNAL}, /* half a pair */
    {ask_snapshot, "*9\r\n:1\r\n:0\r\n*1\r\n$-1\r\n*0\r\n*1\r\n$-1\r\n*0\r\n*0\r\n*0\r\n*0\r\n",
     BASE_ERR_INTERNAL}, /* a loop without an id */
    {ask_snapshot, "*9\r\n:1\r\n:0\r\n*1\r\n$-1\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n", 0},
    {ask_tenants, ":1\r\n", BASE_ERR_INTERNAL},
    {ask_tenants, "*1\r\n$-1\r\n", BASE_ERR_INTERNAL},
    {ask_webhook, "*2\r\n:1\r\n:2\r\n", BASE_ERR_INTERNAL},
    {ask_user, ":1\r\n", BASE_ERR_INTERNAL},
    {ask_removal, "+OK\r\n", BASE_ERR_INTERNAL},
    {ask_change, "*2\r\n:0\r\n*1\r\n$-1\r\n", BASE_ERR_INTERNAL},
    {ask_change_of_all, "*5\r\n:1\r\n:1\r\n+1\r\n+1\r\n+n1\r\n", BASE_ERR_INTERNAL},
    {ask_rows, "*3\r\n:0\r\n*2\r\n$-1\r\n$-1\r\n*1\r\n$-1\r\n", BASE_ERR_INTERNAL},
    {ask_inbox_counts, "*2\r\n+1\r\n+2\r\n", BASE_ERR_INTERNAL},
    {ask_letters, "*1\r\n:1\r\n", BASE_ERR_INTERNAL},
    {ask_letters, "*1\r\n*2\r\n+1-1\r\n$-1\r\n", BASE_ERR_INTERNAL},
    {ask_letters, "+OK\r\n", BASE_ERR_INTERNAL},
    {ask_scan, "*2\r\n+7\r\n*0\r\n", BASE_ERR_INTERNAL}, /* again and again */
    {ask_streams, "*2\r\n+7\r\n*0\r\n", BASE_ERR_SYNTAX},
    {ask_alerts, "*1\r\n+x\r\n", BASE_ERR_INTERNAL},
    {ask_delivery_counts, "*3\r\n+1\r\n+2\r\n+3\r\n", BASE_ERR_INTERNAL},
    {ask_whether_handled, "+OK\r\n", BASE_ERR_INTERNAL},
    {ask_publication, "+OK\r\n", BASE_ERR_INTERNAL},
    {ask_publication, "*-1\r\n", BASE_ERR_INTERNAL},
};

static void what_is_no_answer_is_refused(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask(find(cases[i].ask), cases[i].answer);
        if (result != cases[i].result)
            printf("# case %zu: %s\n", i, why_text);
        CHECK_INT(result, cases[i].result);
    }
}

/* ---- any answer ---- */

static void add_answer(struct base_buf *out, int depth)
{
    static const char *const words[] = {
        "done", "next",    "at", "before", "stale",      "ok",    "none",    "0",    "1",
        "-1",   "7",       "x",  "1-1",    "sent",       "email", "webhook", "ann",  "bob",
        "cid",  "pending", "id", "url",    "{\"id\":1}", "1 x",   "enabled", "acme", "reason"};
    static const char *const errors[] = {"ERR x", "WRONGTYPE x", "NOSCRIPT x", "READONLY x"};
    uint64_t kind = cuts_random(&cuts) % (depth > 0 ? 10 : 6);
    const char *word = words[cuts_random(&cuts) % (sizeof words / sizeof words[0])];
    if (kind == 0)
        base_buf_add_text(out, "$-1\r\n");
    else if (kind == 1)
        base_buf_printf(out, ":%d\r\n", (int)(cuts_random(&cuts) % 5) - 1);
    else if (kind == 2)
        base_buf_printf(out, "+%s\r\n", word);
    else if (kind == 3 && depth < 3)
        base_buf_printf(out, "-%s\r\n", errors[cuts_random(&cuts) % 4]);
    else if (kind < 6)
        base_buf_printf(out, "$%zu\r\n%s\r\n", strlen(word), word);
    else {
        static const int usual[] = {0, 1, 2, 3, 4, 5, 9, 11, 21, 22};
        int count = usual[cuts_random(&cuts) % (sizeof usual / sizeof usual[0])];
        base_buf_printf(out, "*%d\r\n", count);
        for (int i = 0; i < count; i++)
            add_answer(out, depth - 1);
    }
}

static void any_answer_is_survived(void)
{
    struct base_buf answer = BASE_BUF_INIT;
    bool good = true;
    cuts = cuts_of(0, cuts_seed());
    for (int round = 0; good && round < 30; round++)
        for (size_t i = 0; good && i < QUESTIONS; i++) {
            answer.len = 0;
            add_answer(&answer, 3);
            good = ask(i, base_buf_cstr(&answer));
        }
    base_buf_fini(&answer);
}

/* ---- answers that are too large ---- */

static void what_announces_too_much_is_not_waited_for(void)
{
    static const char *const answers[] = {"*2147483647\r\n", "*16777217\r\n",
                                          "*1\r\n*1\r\n*2147483647\r\n", "$536870913\r\n",
                                          "*2\r\n:1\r\n$2147483647\r\nx"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        ask(find(ask_user), answers[i]);
        CHECK_INT(result, BASE_ERR_CLOSED);
    }
}

/* On the connection for subscriptions nothing is built, and yet it must not wait for ever. */
static void subscriptions_are_bounded_too(void)
{
    static const char *const answers[] = {"*2147483647\r\n", "*17\r\n",
                                          "*3\r\n+message\r\n$536870913\r\n"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct test_bus fresh;
        struct test_ear ear;
        int before = fake.answers;
        fake_redis_answer(&fake, answers[i]);
        test_bus_up(&fresh, fake.url);
        test_ear_open(&ear, fresh.bus, "acme");
        RUN_UNTIL(fake.answers > before + 1); /* it has come back, and asks again */
        CHECK(strstr(fresh.why, "the answer makes no sense") != NULL);
        test_bus_close(&fresh);
    }
}

/* A number and a line of digits look like the length of a text as long as their line ends with a
 * carriage return alone. */
static void large_numbers_may_come_in_two_pieces(void)
{
    static const char *const answers[] = {":1759300000000\r\n", "+1759300000000\r\n",
                                          "*2\r\n:1759300000000\r\n$13\r\n1759300000000\r\n"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        for (size_t cut = 1; cut < strlen(answers[i]); cut++) {
            struct reply_reader reader;
            void *reply = NULL;
            CHECK_INT(arda_reply_reader_open(&reader, NULL, NULL), 0);
            CHECK_INT(arda_reply_reader_feed(&reader, answers[i], cut), 0);
            CHECK_INT(arda_reply_reader_next(&reader, &reply), 0);
            CHECK(reply == NULL);
            CHECK_INT(arda_reply_reader_feed(&reader, answers[i] + cut, strlen(answers[i]) - cut),
                      0);
            CHECK_INT(arda_reply_reader_next(&reader, &reply), 0);
            CHECK(reply != NULL);
            if (reply)
                freeReplyObject(reply);
            arda_reply_reader_close(&reader);
        }
}

static void an_answer_is_bounded_as_a_whole(void)
{
    struct reply_reader reader;
    void *reply = NULL;
    int failed = arda_reply_reader_open(&reader, NULL, NULL), fed = 0;
    CHECK_INT(failed, 0);
    reader.max_bytes = 1000;
    for (int i = 0; i < 100; i++) { /* many that are small are none of its business */
        CHECK_INT(arda_reply_reader_feed(&reader, "$50\r\n", 5), 0);
        CHECK_INT(arda_reply_reader_feed(
                      &reader, "01234567890123456789012345678901234567890123456789\r\n", 52),
                  0);
        CHECK_INT(arda_reply_reader_next(&reader, &reply), 0);
        CHECK(reply != NULL);
        freeReplyObject(reply);
    }
    CHECK_INT(arda_reply_reader_feed(&reader, "*1000\r\n", 7), 0);
    for (; !failed && fed < 1000; fed++) {
        failed = arda_reply_reader_feed(&reader, ":1000\r\n", 7);
        if (!failed)
            failed = arda_reply_reader_next(&reader, &reply);
    }
    CHECK_INT(failed, BASE_ERR_LIMIT);
    CHECK(fed < 200);
    arda_reply_reader_close(&reader);
    arda_reply_reader_close(&reader);
}

static void ends_without_an_open_handle(void)
{
    arda_directory_line_fini(&line);
    test_bus_close(&test);
    fake_redis_close(&fake);
    test_loop_fini();
}

int main(void)
{
    test_loop_init();
    fake_redis_open(&fake);
    test_bus_up(&test, fake.url);
    RUN(what_is_no_answer_is_refused);
    RUN(any_answer_is_survived);
    RUN(what_announces_too_much_is_not_waited_for);
    RUN(subscriptions_are_bounded_too);
    RUN(large_numbers_may_come_in_two_pieces);
    RUN(an_answer_is_bounded_as_a_whole);
    RUN(ends_without_an_open_handle);
    return test_end();
}
