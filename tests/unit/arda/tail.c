/* SPDX-License-Identifier: ISC
 *
 * Tails on a real Redis: the seam between past and live, gaps, dead subscriptions.
 */
#include "arda/tail.h"

#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"

#define SEAMS     1000
#define AT_ONCE   20 /* seams that are crossed at the same time */
#define PER_SEAM  60 /* events of each */
#define BURST     5
#define NAME_SIZE 24

static struct test_redis redis;
static struct test_bus test, publisher;

/* ---- what a tail says ---- */

struct heard {
    struct arda_tail *tail;
    int events, with_id, moves, gaps, lives, ends, result;
    bool close_at_end, free_at_end;
    bool trims;      /* whenever a gap is announced, the entry that would be read next is trimmed */
    char text[2048]; /* the letters of the events' ids, in order; for small tests */
    char positions[512];
    char gap[512];
    char why[256];
    int seen[PER_SEAM]; /* by number, for the seams */
    int out_of_order, last;
};

static int number_of(const struct arda_message *message)
{
    struct base_json_member n = BASE_JSON_WANT("n");
    double number = -1;
    if (base_json_pick(message->event.data, message->event.len, &n, 1, NULL, NULL) == 0)
        base_json_double(&n.value, &number);
    return (int)number;
}

static void on_event(void *data, struct arda_tail *tail, const struct arda_tail_event *event)
{
    (void)data;
    struct heard *heard = arda_tail_data(tail);
    struct base_slice id = {"", 0};
    bool in_stream = !arda_stream_id_is_zero(event->id);
    heard->events++;
    heard->with_id += in_stream;
    int number = number_of(event->message);
    if (number >= 0 && number < PER_SEAM) {
        heard->seen[number]++;
        heard->out_of_order += number <= heard->last;
        heard->last = number;
    }
    base_json_plain(&event->message->id, &id);
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%.*s%s ", (int)id.len, id.data,
             in_stream ? "" : "!");
}

static void on_moved(void *data, struct arda_tail *tail)
{
    (void)data;
    struct heard *heard = arda_tail_data(tail);
    heard->moves++;
}

static void on_gap(void *data, struct arda_tail *tail, const struct arda_gap *gap)
{
    (void)data;
    struct heard *heard = arda_tail_data(tail);
    struct base_buf line = BASE_BUF_INIT;
    heard->gaps++;
    CHECK_INT(arda_gap_write(&line, gap), 0);
    snprintf(heard->gap, sizeof heard->gap, "%.*s", (int)line.len, line.data);
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "gap ");
    base_buf_fini(&line);
    if (heard->trims) {
        test_redis_do(&redis, "XADD arda:stream:t1 * envelope {\"type\":\"x\",\"eventId\":\"z%d\"}",
                      heard->gaps);
        test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 2");
    }
}

static void on_live(void *data, struct arda_tail *tail)
{
    (void)data;
    ((struct heard *)arda_tail_data(tail))->lives++;
}

static struct arda_tails *tails;

static void on_end(void *data, struct arda_tail *tail, int result, const struct base_why *why)
{
    (void)data;
    struct heard *heard = arda_tail_data(tail);
    heard->ends++;
    heard->result = result;
    snprintf(heard->why, sizeof heard->why, "%s", result ? why->text : "");
    if (heard->close_at_end) {
        arda_tail_close(tail);
        heard->tail = NULL;
    }
    if (heard->free_at_end)
        arda_tails_free(tails);
}

static void open_tails(void)
{
    const struct arda_tail_handlers handlers = {on_event, on_moved, on_gap, on_live,
                                                on_end,   NULL,     NULL};
    tails = arda_tails_new(test.bus, &handlers);
    CHECK(tails);
}

static void add_tail(struct heard *heard, const char *tenant, const struct arda_tail_start *start)
{
    *heard = (struct heard){.last = -1};
    CHECK_INT(arda_tails_add(tails, test_slice(tenant), start, heard, &heard->tail), 0);
}

static struct arda_when when(const char *text)
{
    struct arda_when when = {.kind = ARDA_WHEN_NONE};
    CHECK_INT(arda_when_parse(text, 0, &when, NULL), 0);
    return when;
}

static void add_entry(const char *tenant, const char *id, const char *event_id)
{
    test_redis_do(&redis, "XADD arda:stream:%s %s envelope {\"type\":\"x\",\"eventId\":\"%s\"}",
                  tenant, id, event_id);
}

static void say(const char *tenant, const char *event_id)
{
    test_redis_do(&redis, "PUBLISH arda:events:%s {\"type\":\"x\",\"eventId\":\"%s\"}", tenant,
                  event_id);
}

/* ---- the seam ---- */

static int unanswered;

static void on_published(void *data, int result, const char *stream_id, const struct base_why *why)
{
    (void)data;
    (void)stream_id;
    (void)why;
    CHECK_INT(result, 0);
    unanswered--;
}

/* One in ten is not in the stream, one in ten comes twice. */
static void publish(const char *tenant, int number)
{
    char message[128];
    snprintf(message, sizeof message, "{\"type\":\"x\",\"n\":%d,\"eventId\":\"%s-%d\"}", number,
             tenant, number);
    const struct arda_publication publication = {
        .tenant = test_slice(tenant),
        .message = test_slice(message),
        .envelope = test_slice(number % 10 == 7 ? "" : message),
        .type = test_slice("x"),
        .source = test_slice("tests"),
        .timestamp = test_slice("t"),
    };
    for (int i = 0; i <= (number % 10 == 3); i++) {
        CHECK_INT(arda_bus_publish(publisher.bus, &publication, on_published, NULL), 0);
        unanswered++;
    }
}

/* How many there are when the tail starts is different from seam to seam, and how many while the
 * subscription is being made is up to Redis. Those without an entry can only be heard once it
 * stands: each of them at most once, and every one that was published after on_live. */
static int check_seam(const struct heard *heard, int published_at_live)
{
    int wrong = heard->gaps;
    for (int i = 0; i < PER_SEAM; i++) {
        bool must = i % 10 != 7 || i >= published_at_live;
        if (heard->seen[i] > 1 || (must && heard->seen[i] != 1)) {
            printf("# event %d came %d times\n", i, heard->seen[i]);
            wrong++;
        }
    }
    return wrong;
}

static bool all_seen(const struct heard *heard, const int *at_live)
{
    for (int s = 0; s < AT_ONCE; s++)
        for (int i = 0; i < PER_SEAM; i++)
            if (heard[s].seen[i] == 0 && (i % 10 != 7 || i >= at_live[s]))
                return false;
    return true;
}

static bool all_live(const struct heard *heard)
{
    for (int s = 0; s < AT_ONCE; s++)
        if (!heard[s].lives)
            return false;
    return true;
}

static int cross_seams(int round)
{
    static struct heard heard[AT_ONCE];
    char names[AT_ONCE][NAME_SIZE];
    int next[AT_ONCE] = {0}, at_live[AT_ONCE], wrong = 0;
    for (int s = 0; s < AT_ONCE; s++) {
        snprintf(names[s], NAME_SIZE, "seam-%d-%d", round, s);
        at_live[s] = PER_SEAM;
        for (; next[s] < (round * 7 + s) % (PER_SEAM - 10); next[s]++)
            publish(names[s], next[s]);
    }
    RUN_UNTIL(unanswered == 0);
    const struct arda_tail_start start = {.since = when("start"), .follow = true};
    for (int s = 0; s < AT_ONCE; s++)
        add_tail(&heard[s], names[s], &start);
    /* At full speed: as much as Redis takes, until everybody has everything. */
    test_loop_begin();
    bool more = true;
    while (more) {
        more = false;
        for (int s = 0; s < AT_ONCE; s++) {
            if (heard[s].lives && at_live[s] == PER_SEAM)
                at_live[s] = next[s];
            /* The last ones are kept until it is live, so that some come after. */
            int to = heard[s].lives ? PER_SEAM : PER_SEAM - 10;
            for (int i = 0; i < BURST && next[s] < to && unanswered < 1000; i++)
                publish(names[s], next[s]++);
            more |= next[s] < PER_SEAM;
        }
        if (!test_loop_turn())
            break;
    }
    test_loop_end();
    RUN_UNTIL(all_live(heard) && unanswered == 0);
    RUN_UNTIL(all_seen(heard, at_live));
    for (int s = 0; s < AT_ONCE; s++) {
        wrong += check_seam(&heard[s], at_live[s]);
        arda_tail_close(heard[s].tail);
    }
    return wrong;
}

static void a_thousand_seams_have_no_hole_and_no_duplicate(void)
{
    int wrong = 0;
    test_redis_do(&redis, "FLUSHALL");
    open_tails();
    for (int round = 0; round < SEAMS / AT_ONCE; round++)
        wrong += cross_seams(round);
    CHECK_INT(wrong, 0);
    arda_tails_free(tails);
}

/* ---- past ---- */

static struct heard past(const struct arda_tail_start *start)
{
    static struct heard heard;
    add_tail(&heard, "t1", start);
    RUN_UNTIL(heard.ends == 1);
    arda_tail_close(heard.tail);
    return heard;
}

static void prints_the_past_between_two_positions(void)
{
    test_redis_do(&redis, "FLUSHALL");
    open_tails();
    CHECK_STR(past(&(struct arda_tail_start){.since = when("start")}).text, "");
    add_entry("t1", "1000-0", "a");
    add_entry("t1", "2000-0", "b");
    add_entry("t1", "2000-1", "b"); /* the same event once more */
    test_redis_do(&redis, "XADD arda:stream:t1 2500-0 other o");
    add_entry("t1", "3000-0", "c");
    add_entry("t1", "4000-0", "d");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("start")}).text, "a b c d ");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("2")}).text, "b c d ");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("2.001")}).text, "c d ");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("3000-0")}).text, "c d ");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("3000-1")}).text, "d ");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("4000-1")}).text, "");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("1"), .until = when("3")}).text, "a b ");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("1"), .until = when("3000-0")}).text,
              "a b c ");
    CHECK_STR(past(&(struct arda_tail_start){.since = when("1"), .until = when("end")}).text,
              "a b c d ");
    CHECK_STR(past(&(struct arda_tail_start){.last = 2}).text, "c d ");
    CHECK_STR(past(&(struct arda_tail_start){.last = 9}).text, "a b c d ");
    CHECK_STR(past(&(struct arda_tail_start){.last = 1, .until = when("3")}).text, "b ");
    struct arda_tail_start cursor = {.has_position = true, .position = {3000, 0}};
    CHECK_STR(past(&cursor).text, "d ");
    arda_tails_free(tails);
}

static void an_event_that_is_not_there_is_said(void)
{
    open_tails();
    struct arda_tail_start start = {.since = {.kind = ARDA_WHEN_EVENT}};
    strcpy(start.since.event_id, "c");
    CHECK_STR(past(&start).text, "c d ");
    start.until = start.since;
    CHECK_STR(past(&start).text, "c ");
    strcpy(start.until.event_id, "nobody");
    struct heard heard = past(&start);
    CHECK_INT(heard.result, BASE_ERR_NOTFOUND);
    CHECK_STR(heard.why, "t1: no event nobody in the stream of t1");
    test_redis_do(&redis, "SET arda:stream:t1 x");
    CHECK_INT(past(&start).result, BASE_ERR_SYNTAX);
    arda_tails_free(tails);
}

/* ---- gaps ---- */

static void five_entries(void)
{
    test_redis_do(&redis, "FLUSHALL");
    add_entry("t1", "1-0", "a");
    add_entry("t1", "2-0", "b");
    add_entry("t1", "3-0", "c");
    add_entry("t1", "4-0", "d");
    add_entry("t1", "5-0", "e");
}

static void a_cursor_behind_what_was_trimmed_has_a_gap(void)
{
    open_tails();
    five_entries();
    struct arda_tail_start start = {.has_position = true, .position = {2, 0}, .number = 2};
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 3");
    CHECK_STR(past(&start).text, "c d e "); /* c is the first: nothing is missing */
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 1");
    struct heard heard = past(&start);
    CHECK_STR(heard.text, "gap e ");
    CHECK_STR(heard.gap, "{\"gap\":{\"tenantId\":\"t1\",\"from\":\"2-0\",\"to\":\"5-0\","
                         "\"cause\":\"trimmed\",\"count\":2}}");
    start.number = 0; /* how many there were is not known */
    heard = past(&start);
    CHECK_STR(heard.gap, "{\"gap\":{\"tenantId\":\"t1\",\"from\":\"2-0\",\"to\":\"5-0\","
                         "\"cause\":\"trimmed\",\"count\":null}}");
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 0");
    start.number = 2;
    heard = past(&start);
    CHECK_STR(heard.text, "gap ");
    CHECK_STR(heard.gap, "{\"gap\":{\"tenantId\":\"t1\",\"from\":\"2-0\",\"to\":null,"
                         "\"cause\":\"trimmed\",\"count\":3}}");
    start = (struct arda_tail_start){.has_position = true, .position = {5, 0}, .number = 5};
    CHECK_STR(past(&start).text, "");
    arda_tails_free(tails);
}

static void a_time_before_the_oldest_entry_has_a_gap_if_something_was_trimmed(void)
{
    open_tails();
    five_entries();
    struct arda_tail_start start = {.since = when("0.001")};
    CHECK_STR(past(&start).text, "a b c d e ");
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 2");
    CHECK_STR(past(&start).text, "gap d e ");
    start.since = when("start"); /* asks for what is there */
    CHECK_STR(past(&start).text, "d e ");
    start.since = when("0.005");
    CHECK_STR(past(&start).text, "e ");
    arda_tails_free(tails);
}

static void a_cursor_whose_stream_is_gone_has_a_gap(void)
{
    open_tails();
    five_entries();
    struct arda_tail_start start = {.has_position = true, .position = {4, 0}, .number = 4};
    test_redis_do(&redis, "DEL arda:stream:t1");
    struct heard heard = past(&start);
    CHECK_STR(heard.text, "gap ");
    CHECK_STR(heard.gap, "{\"gap\":{\"tenantId\":\"t1\",\"from\":\"4-0\",\"to\":null,"
                         "\"cause\":\"stream_lost\",\"count\":null}}");
    add_entry("t1", "7-0", "f"); /* a new one: fewer entries than were read */
    heard = past(&start);
    CHECK_STR(heard.text, "gap f ");
    /* A copy that is behind: what it has was read. */
    test_redis_do(&redis, "DEL arda:stream:t1");
    for (int i = 1; i <= 4; i++)
        add_entry("t1", (const char *[]){"1-0", "2-0", "2-1", "3-0"}[i - 1], "x");
    heard = past(&start);
    CHECK_STR(heard.text, "gap ");
    CHECK_STR(heard.gap, "{\"gap\":{\"tenantId\":\"t1\",\"from\":\"4-0\",\"to\":\"3-0\","
                         "\"cause\":\"stream_lost\",\"count\":null}}");
    arda_tails_free(tails);
}

static void deleted_entries_are_a_gap(void)
{
    open_tails();
    five_entries();
    struct arda_tail_start start = {.has_position = true, .position = {2, 0}, .number = 2};
    test_redis_do(&redis, "XDEL arda:stream:t1 2-0");
    CHECK_STR(past(&start).text, "c d e "); /* it was read before */
    test_redis_do(&redis, "XDEL arda:stream:t1 4-0");
    struct heard heard = past(&start);
    CHECK_STR(heard.text, "gap c e ");
    CHECK_STR(heard.gap, "{\"gap\":{\"tenantId\":\"t1\",\"from\":\"2-0\",\"to\":null,"
                         "\"cause\":\"deleted\",\"count\":null}}");
    arda_tails_free(tails);
}

/* A reader that is paused while the stream is trimmed under its feet. */
static void trimming_while_it_reads_is_noticed(void)
{
    static struct heard heard;
    open_tails();
    five_entries();
    add_tail(&heard, "t1", &(struct arda_tail_start){.since = when("start"), .follow = true});
    RUN_UNTIL(heard.lives == 1 && heard.events == 5);
    arda_tails_pause(tails);
    for (int i = 6; i < 10; i++)
        add_entry("t1", (const char *[]){"6-0", "7-0", "8-0", "9-0"}[i - 6], "f");
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 2");
    add_entry("t1", "10-0", "j");
    arda_tails_resume(tails);
    say("t1", "j");
    RUN_UNTIL(strstr(heard.text, "j"));
    CHECK_STR(heard.text, "a b c d e gap f j ");
    CHECK_STR(heard.gap, "{\"gap\":{\"tenantId\":\"t1\",\"from\":\"5-0\",\"to\":\"8-0\","
                         "\"cause\":\"trimmed\",\"count\":2}}");
    arda_tails_free(tails);
}

/* Between the answer that tells the first entry and the page that begins with it, it is gone, each
 * time. */
static void trimming_faster_than_it_reads_does_not_hold_it_up(void)
{
    static struct heard heard;
    open_tails();
    five_entries();
    test_redis_do(&redis, "XTRIM arda:stream:t1 MAXLEN 2");
    add_tail(&heard, "t1",
             &(struct arda_tail_start){.has_position = true, .position = {1, 0}, .follow = true});
    heard.trims = true;
    RUN_UNTIL(heard.events == 2 || heard.gaps == 20);
    CHECK_STR(heard.text, "gap gap e z1 ");
    arda_tails_free(tails);
}

/* ---- live ---- */

static void what_comes_on_the_channel_alone_is_given_without_an_id(void)
{
    static struct heard heard;
    open_tails();
    five_entries();
    add_tail(&heard, "t1", &(struct arda_tail_start){.follow = true});
    RUN_UNTIL(heard.lives == 1);
    say("t1", "bare");
    RUN_UNTIL(heard.events == 1);
    say("t1", "bare");
    add_entry("t1", "6-0", "both");
    say("t1", "both");
    RUN_UNTIL(heard.events == 2);
    add_entry("t1", "7-0", "bare"); /* and now it is in the stream after all */
    say("t1", "z");
    RUN_UNTIL(heard.events == 3);
    CHECK_STR(heard.text, "bare! both z! ");
    CHECK_INT(arda_tail_position(heard.tail).ms, 7);
    CHECK_INT(arda_tail_number(heard.tail), 7);
    arda_tails_free(tails);
}

static void events_without_an_id_are_told_apart_by_their_arrival(void)
{
    static struct heard heard;
    open_tails();
    test_redis_do(&redis, "FLUSHALL");
    add_tail(&heard, "t1", &(struct arda_tail_start){.follow = true});
    RUN_UNTIL(heard.lives == 1);
    for (int i = 0; i < 3; i++)
        test_redis_do(&redis, "PUBLISH arda:events:t1 {\"type\":\"x\"}");
    RUN_UNTIL(heard.events == 3);
    test_redis_do(&redis, "XADD arda:stream:t1 1-0 envelope {\"type\":\"y\"}");
    test_redis_do(&redis, "PUBLISH arda:events:t1 {\"type\":\"y\"}");
    RUN_UNTIL(heard.events == 4);
    say("t1", "z");
    RUN_UNTIL(heard.events == 5);
    CHECK_INT(heard.with_id, 1);
    arda_tails_free(tails);
}

static void it_ends_where_it_was_told_to(void)
{
    static struct heard heard;
    open_tails();
    five_entries();
    struct arda_tail_start start = {.follow = true, .until = when("7-0")};
    add_tail(&heard, "t1", &start);
    RUN_UNTIL(heard.lives == 1);
    add_entry("t1", "6-0", "f");
    add_entry("t1", "7-0", "g");
    add_entry("t1", "8-0", "h");
    say("t1", "h");
    RUN_UNTIL(heard.ends == 1);
    CHECK_STR(heard.text, "f g ");
    start.until = (struct arda_when){.kind = ARDA_WHEN_EVENT};
    strcpy(start.until.event_id, "j");
    add_tail(&heard, "t1", &start);
    RUN_UNTIL(heard.lives == 1);
    add_entry("t1", "9-0", "i");
    add_entry("t1", "10-0", "j");
    add_entry("t1", "11-0", "k");
    say("t1", "k");
    RUN_UNTIL(heard.ends == 1);
    CHECK_STR(heard.text, "i j ");
    start.until = (struct arda_when){.kind = ARDA_WHEN_TIME, .ms = 1000}; /* long over */
    start.since = when("0.010");
    add_tail(&heard, "t1", &start);
    RUN_UNTIL(heard.lives == 1);
    CHECK_INT(heard.ends, 0);
    arda_tails_wake(tails, true);
    RUN_UNTIL(heard.ends == 1);
    CHECK_STR(heard.text, "j k ");
    arda_tails_free(tails);
}

/* ---- outages and dead subscriptions ---- */

static void open_kind(struct heard *heard, bool direct)
{
    open_tails();
    five_entries();
    add_tail(heard, "t1", &(struct arda_tail_start){.follow = true, .direct = direct});
    RUN_UNTIL(heard->lives == 1);
}

/* Entries that come without messages: as when the subscription were dead. */
static void a_dead_subscription_is_noticed(bool direct)
{
    static struct heard heard;
    open_kind(&heard, direct);
    add_entry("t1", "6-0", "f");
    say("t1", "f");
    RUN_UNTIL(heard.events == 1);
    redisReply *reply = test_redis_ask(&redis, "CLIENT LIST TYPE pubsub");
    char *sub = strstr(reply->str, "cmd=subscribe");
    CHECK(sub);
    freeReplyObject(reply);
    add_entry("t1", "7-0", "g");
    add_entry("t1", "8-0", "h");
    for (int i = 0; i < 3; i++) { /* checks: head seen, unheard, read */
        arda_tails_wake(tails, true);
        RUN_UNTIL(test_redis_number(&redis, "PUBLISH arda:events:t2 x") == 0);
    }
    RUN_UNTIL((arda_tails_wake(tails, true), heard.events == 3));
    say("t1", "i");
    RUN_UNTIL(heard.events == 4);
    CHECK(strncmp(heard.text, direct ? "f! g h i!" : "f g h i!", direct ? 9 : 8) == 0);
    CHECK_INT(heard.gaps, 0);
    arda_tails_free(tails);
}

static void a_dead_subscription_is_noticed_by_a_tail_that_follows(void)
{
    a_dead_subscription_is_noticed(false);
}

static void a_dead_subscription_is_noticed_by_a_direct_tail(void)
{
    a_dead_subscription_is_noticed(true);
}

/* Only the connection of the subscriptions is cut; the publisher goes on. */
static void an_outage_is_made_good(bool direct)
{
    static struct heard heard;
    open_kind(&heard, direct);
    add_entry("t1", "6-0", "f");
    say("t1", "f");
    RUN_UNTIL(heard.events == 1);
    test_redis_do(&redis, "CLIENT KILL TYPE pubsub");
    add_entry("t1", "7-0", "g");
    say("t1", "g");
    RUN_UNTIL(test_redis_subscribers(&redis, "arda:events:t1") == 1);
    add_entry("t1", "8-0", "h");
    say("t1", "h");
    RUN_UNTIL(heard.events == 3);
    CHECK_STR(heard.text, direct ? "f! gap g h " : "f gap g h ");
    CHECK(strstr(heard.gap, "\"cause\":\"redis_away\",\"count\":null"));
    say("t1", "i");
    say("t1", "h");
    say("t1", "j");
    RUN_UNTIL(heard.events == 5);
    CHECK_INT(heard.gaps, 1);
    arda_tails_free(tails);
}

static void an_outage_is_made_good_by_a_tail_that_follows(void)
{
    an_outage_is_made_good(false);
}

static void an_outage_is_made_good_by_a_direct_tail(void)
{
    an_outage_is_made_good(true);
}

static void a_paused_tail_keeps_little_and_misses_nothing(bool direct)
{
    static struct heard heard;
    open_kind(&heard, direct);
    arda_tails_pause(tails);
    for (int i = 0; i < 50; i++)
        publish("t1", i);
    RUN_UNTIL(unanswered == 0);
    arda_tails_resume(tails);
    say("t1", "z");
    RUN_UNTIL(heard.events == 51);
    for (int i = 0; i < 50; i++)
        CHECK_INT(heard.seen[i], 1);
    CHECK_INT(heard.gaps, 0);
    arda_tails_free(tails);
}

static void a_paused_tail_that_follows_misses_nothing(void)
{
    a_paused_tail_keeps_little_and_misses_nothing(false);
}

static void a_paused_direct_tail_misses_nothing(void)
{
    a_paused_tail_keeps_little_and_misses_nothing(true);
}

/* Far more than may wait, of which only a few are in the stream. */
static void what_a_paused_tail_could_not_keep_is_a_gap(void)
{
    static struct heard heard;
    struct arda_bus_stats before, now;
    open_kind(&heard, false);
    arda_tails_pause(tails);
    arda_bus_get_stats(test.bus, &before);
    static char big[100001];
    memset(big, 'x', sizeof big - 1);
    for (int i = 0; i < 100; i++)
        test_redis_do(&redis,
                      "PUBLISH arda:events:t1 {\"type\":\"x\",\"eventId\":\"b%d\",\"s\":\"%s\"}", i,
                      big);
    add_entry("t1", "6-0", "b99");
    RUN_UNTIL((arda_bus_get_stats(test.bus, &now), now.messages == before.messages + 100));
    arda_tails_resume(tails);
    RUN_UNTIL(heard.gaps == 1);
    /* b99 was known by its id alone, and is in the stream. */
    CHECK(strstr(heard.text, "b99 ") && !strstr(heard.text, "b98"));
    CHECK_INT(heard.events, 84); /* 8 MB of them, and b99 */
    CHECK(strstr(heard.gap, "\"cause\":\"buffer_full\",\"count\":16}"));
    arda_tails_free(tails);
}

static void a_stream_that_may_not_be_read_leaves_a_direct_tail_live(void)
{
    static struct heard heard;
    test_redis_do(&redis, "ACL SETUSER default -xinfo");
    open_tails();
    add_tail(&heard, "t1", &(struct arda_tail_start){.follow = true, .direct = true});
    RUN_UNTIL(heard.lives == 1);
    arda_tails_wake(tails, true);
    say("t1", "a");
    RUN_UNTIL(heard.events == 1);
    struct heard other;
    add_tail(&other, "t2", &(struct arda_tail_start){.follow = true});
    RUN_UNTIL(other.ends == 1);
    CHECK_INT(other.result, BASE_ERR_DENIED);
    test_redis_do(&redis, "ACL SETUSER default +@all");
    arda_tails_free(tails);
}

/* ---- memory ---- */

static void memory_that_fails_loses_nothing_else(void)
{
    static struct heard heard;
    bool done = false;
    for (long fail = 1; !done && fail < 2000; fail++) {
        five_entries();
        open_tails();
        heard = (struct heard){.last = -1};
        const struct arda_tail_start start = {.since = when("start")};
        base_mem_fail(fail, 1);
        if (arda_tails_add(tails, test_slice("t1"), &start, &heard, &heard.tail) == 0)
            RUN_UNTIL(heard.ends == 1 || (arda_tails_wake(tails, true), false));
        done = base_mem_tries() < fail;
        base_mem_fail(0, 0);
        if (heard.ends && heard.result == 0)
            CHECK_STR(heard.text, "a b c d e ");
        else if (heard.ends)
            CHECK_INT(heard.result, BASE_ERR_NOMEM);
        arda_tails_free(tails);
        RUN_UNTIL(arda_bus_is_up(test.bus));
    }
    CHECK(done);
}

/* The check asks for the head of each stream, and its handlers are called in it. */
static void without_memory_a_handler_may_end_what_is_being_checked(void)
{
    static struct heard heard[2];
    for (int all = 0; all < 2; all++) {
        open_tails();
        for (int i = 0; i < 2; i++) {
            add_tail(&heard[i], i ? "t2" : "t1",
                     &(struct arda_tail_start){.follow = true, .direct = true});
            RUN_UNTIL(heard[i].lives == 1);
            heard[i].close_at_end = !all;
            heard[i].free_at_end = all;
        }
        base_mem_fail(1, 1000);
        arda_tails_wake(tails, true);
        base_mem_fail(0, 0);
        CHECK_INT(heard[0].result, BASE_ERR_NOMEM);
        CHECK_INT(heard[0].ends + heard[1].ends, all ? 1 : 2);
        if (!all)
            arda_tails_free(tails);
    }
}

int main(void)
{
    if (test_redis_missing())
        return 0;
    test_redis_init(&redis);
    test_redis_start(&redis);
    test_loop_init();
    test_bus_up(&test, redis.url);
    test_bus_up(&publisher, redis.url);
    RUN(prints_the_past_between_two_positions);
    RUN(an_event_that_is_not_there_is_said);
    RUN(a_cursor_behind_what_was_trimmed_has_a_gap);
    RUN(a_time_before_the_oldest_entry_has_a_gap_if_something_was_trimmed);
    RUN(a_cursor_whose_stream_is_gone_has_a_gap);
    RUN(deleted_entries_are_a_gap);
    RUN(trimming_while_it_reads_is_noticed);
    RUN(trimming_faster_than_it_reads_does_not_hold_it_up);
    RUN(what_comes_on_the_channel_alone_is_given_without_an_id);
    RUN(events_without_an_id_are_told_apart_by_their_arrival);
    RUN(it_ends_where_it_was_told_to);
    RUN(a_dead_subscription_is_noticed_by_a_tail_that_follows);
    RUN(a_dead_subscription_is_noticed_by_a_direct_tail);
    RUN(an_outage_is_made_good_by_a_tail_that_follows);
    RUN(an_outage_is_made_good_by_a_direct_tail);
    RUN(a_paused_tail_that_follows_misses_nothing);
    RUN(a_paused_direct_tail_misses_nothing);
    RUN(what_a_paused_tail_could_not_keep_is_a_gap);
    RUN(a_stream_that_may_not_be_read_leaves_a_direct_tail_live);
    RUN(memory_that_fails_loses_nothing_else);
    RUN(without_memory_a_handler_may_end_what_is_being_checked);
    RUN(a_thousand_seams_have_no_hole_and_no_duplicate);
    test_bus_close(&publisher);
    test_bus_close(&test);
    test_loop_fini();
    test_redis_fini(&redis);
    return test_end();
}
