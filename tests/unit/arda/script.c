/* SPDX-License-Identifier: ISC
 *
 * Calls of scripts: once per connection the text, the order of calls, and what happens when Redis
 * has forgotten a script.
 */
#include "arda/bus/internal.h"
#include "base/mem.h"
#include "lib/bus.h"
#include "lib/redis.h"
#include "lib/strait.h"

#include <stdlib.h>

static struct test_redis redis;
static struct test_strait strait;
static struct test_bus test;

/* Each notes its argument at the end of a list, so that the list shows what was done in which
 * order.
 */
static const char note_text[] = "redis.call('RPUSH', 'done', ARGV[1])\nreturn ARGV[1]\n";
static const char other_text[] = "redis.call('RPUSH', 'done', ARGV[1])\nreturn {ARGV[1]}\n";
static const char long_text[] = "return #ARGV\n";
static const struct arda_script note_script = {note_text, sizeof note_text - 1};
static const struct arda_script other_script = {other_text, sizeof other_text - 1};
static const struct arda_script long_script = {long_text, sizeof long_text - 1};

/* ---- what is asked, and the answers ---- */

static char answers[65536]; /* with a space after each */
static int answered, lost, errors;

static void on_answer(void *data, int result, const struct redisReply *reply)
{
    const struct redisReply *text = reply;
    (void)data;
    answered++;
    if (result) {
        CHECK_INT(result, BASE_ERR_CLOSED);
        lost++;
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
        text = reply->element[0];
    errors += reply->type == REDIS_REPLY_ERROR;
    if (text->str) {
        strncat(answers, text->str, sizeof answers - strlen(answers) - 2);
        strcat(answers, " ");
    }
}

static void forget_answers(void)
{
    answered = lost = errors = 0;
    answers[0] = '\0';
}

static int call(const struct arda_script *script, const char *word)
{
    const char *argv[] = {word};
    return arda_script_call(test.bus, script, 1, argv, NULL, on_answer, NULL);
}

static int plain(const char *word)
{
    const char *argv[] = {"RPUSH", "done", word};
    return arda_bus_command(test.bus, 3, argv, NULL, on_answer, NULL);
}

/* The list, with a space after each word. */
static const char *done(void)
{
    static char text[65536];
    redisReply *reply = test_redis_ask(&redis, "LRANGE done 0 -1");
    text[0] = '\0';
    for (size_t i = 0; i < reply->elements; i++) {
        strcat(text, reply->element[i]->str);
        strcat(text, " ");
    }
    freeReplyObject(reply);
    return text;
}

/* How often Redis has been given a command since CONFIG RESETSTAT. */
static long long stat_of(const char *command)
{
    char name[64];
    redisReply *reply = test_redis_ask(&redis, "INFO commandstats");
    snprintf(name, sizeof name, "cmdstat_%s:calls=", command);
    const char *line = strstr(reply->str, name);
    long long count = line ? strtoll(line + strlen(name), NULL, 10) : 0;
    freeReplyObject(reply);
    return count;
}

static void begin(void)
{
    test_redis_do(&redis, "FLUSHALL");
    test_redis_do(&redis, "CONFIG RESETSTAT");
    forget_answers();
}

static void forget_scripts(void)
{
    test_redis_do(&redis, "SCRIPT FLUSH");
}

static void reconnect(void)
{
    int ups = test.ups;
    test_redis_do(&redis, "CLIENT KILL TYPE normal");
    RUN_UNTIL(test.ups > ups && arda_bus_is_up(test.bus));
}

/* ---- tests ---- */

static void the_text_goes_once_per_connection(void)
{
    begin();
    for (int i = 0; i < 20; i++)
        CHECK_INT(call(&note_script, "x"), 0);
    for (int i = 0; i < 5; i++)
        CHECK_INT(call(&other_script, "y"), 0);
    RUN_UNTIL(answered == 25);
    CHECK_INT(stat_of("script|load"), 2);
    CHECK_INT(stat_of("evalsha"), 25);
    CHECK_INT(stat_of("eval"), 0);
    reconnect();
    forget_scripts();
    CHECK_INT(call(&note_script, "z"), 0);
    CHECK_INT(call(&note_script, "z"), 0);
    RUN_UNTIL(answered == 27);
    CHECK_INT(stat_of("script|load"), 3);
    CHECK_INT(stat_of("eval"), 0);
    CHECK_INT(errors, 0);
}

static void a_forgotten_script_is_sent_again(void)
{
    begin();
    CHECK_INT(call(&note_script, "a"), 0);
    RUN_UNTIL(answered == 1);
    forget_scripts();
    CHECK_INT(call(&note_script, "b"), 0);
    RUN_UNTIL(answered == 2);
    CHECK_INT(stat_of("eval"), 1);
    CHECK_INT(call(&note_script, "c"), 0);
    RUN_UNTIL(answered == 3);
    CHECK_INT(stat_of("eval"), 1);
    CHECK_STR(done(), "a b c ");
    CHECK_STR(answers, "a b c ");
}

static void write_words(char *out, int from, int count)
{
    for (int i = from; i < from + count; i++)
        out += sprintf(out, "%d ", i);
}

/* All at once, with scripts of two kinds that both have been forgotten, and more when the first
 * answer comes. */
static void many_calls_keep_their_order(void)
{
    enum { MANY = 2000 };
    static char expected[65536];
    char word[16];
    begin();
    CHECK_INT(call(&note_script, "0"), 0);
    CHECK_INT(call(&other_script, "1"), 0);
    RUN_UNTIL(answered == 2);
    forget_scripts();
    for (int i = 2; i < MANY; i++) {
        snprintf(word, sizeof word, "%d", i);
        CHECK_INT(call(i % 3 ? &note_script : &other_script, word), 0);
    }
    RUN_UNTIL(answered == MANY);
    write_words(expected, 0, MANY);
    CHECK_STR(done(), expected);
    CHECK_STR(answers, expected);
    CHECK_INT(errors, 0);
    CHECK_INT(test.bus->calls_answered, test.bus->calls.len);
}

/* ---- what is given while calls are sent again ---- */

static int given;

static void on_first(void *data, int result, const struct redisReply *reply)
{
    on_answer(data, result, reply);
    CHECK(test.bus->overtaken > 0);
    CHECK_INT(plain("held-1"), 0);
    CHECK_INT(call(&note_script, "held-2"), 0);
    CHECK_INT(call(&long_script, "new"), 0); /* never called before: its text is held back, too */
    CHECK_INT(plain("held-3"), 0);
    given = 1;
}

/* The plain command had been sent; what came later did not overtake the calls. */
static void what_is_given_meanwhile_waits(void)
{
    const char *argv[] = {"RPUSH", "done", "plain"};
    begin();
    CHECK_INT(call(&note_script, "0"), 0);
    RUN_UNTIL(answered == 1);
    forget_scripts();
    given = 0;
    CHECK_INT(call(&note_script, "1"), 0);
    CHECK_INT(arda_bus_command(test.bus, 3, argv, NULL, on_first, NULL), 0);
    CHECK_INT(call(&note_script, "2"), 0);
    CHECK_INT(call(&note_script, "3"), 0);
    RUN_UNTIL(answered == 9);
    CHECK_INT(given, 1);
    CHECK_STR(done(), "0 plain 1 2 3 held-1 held-2 held-3 ");
    CHECK_INT(errors, 0);
    CHECK_INT(test.bus->overtaken, 0);
    CHECK_INT(test.bus->held_out.len, 0);
}

/* ---- in a step ---- */

static void add_word(struct bus_commands *commands, const struct arda_script *script,
                     const char *word)
{
    CHECK_INT(arda_bus_step_call(commands, test.bus, script, 1), 0);
    CHECK_INT(arda_redis_add_argument(&commands->bytes, word, strlen(word)), 0);
}

static void a_step_carries_its_scripts(void)
{
    begin();
    CHECK_INT(call(&note_script, "0"), 0);
    RUN_UNTIL(answered == 1);
    for (int round = 0; round < 2; round++) {
        struct bus_commands commands = {0};
        forget_scripts();
        add_word(&commands, &note_script, "1");
        add_word(&commands, &other_script, "2");
        add_word(&commands, &note_script, "3");
        add_word(&commands, &note_script, "4");
        CHECK_INT(commands.count, 4);
        CHECK_INT(arda_bus_step(test.bus, &commands, on_answer, NULL), 0);
        base_buf_fini(&commands.bytes);
        RUN_UNTIL(answered == 2 + round);
    }
    CHECK_STR(done(), "0 1 2 3 4 1 2 3 4 ");
    CHECK_INT(errors, 0);
    CHECK_INT(stat_of("eval"), 4);
    CHECK_INT(stat_of("evalsha"), 5);
    CHECK_INT(call(&note_script, "5"), 0); /* Redis knows it from the step */
    RUN_UNTIL(answered == 4);
    CHECK_INT(stat_of("eval"), 4);
}

/* ---- what else goes wrong ---- */

static void a_user_who_may_not_load_is_served(void)
{
    begin();
    forget_scripts();
    test_redis_do(&redis, "ACL SETUSER default -script");
    reconnect();
    CHECK_INT(call(&note_script, "a"), 0);
    CHECK_INT(call(&note_script, "b"), 0);
    RUN_UNTIL(answered == 2);
    CHECK_STR(done(), "a b ");
    test_redis_do(&redis, "ACL SETUSER default +@all");
    CHECK_INT(errors, 0);
}

static void a_lost_connection_is_told_to_all(void)
{
    begin();
    CHECK_INT(call(&note_script, "a"), 0);
    RUN_UNTIL(answered == 1);
    test_strait_hold(&strait);
    for (int i = 0; i < 5; i++)
        CHECK_INT(call(&note_script, "b"), 0);
    RUN_UNTIL(test_strait_holds(&strait, "EVALSHA"));
    int downs = test.downs;
    test_strait_cut(&strait);
    RUN_UNTIL(answered == 6 && test.downs > downs);
    CHECK_INT(lost, 5);
    CHECK_INT(test.bus->calls.len, 0);
    RUN_UNTIL(arda_bus_is_up(test.bus));
    CHECK_INT(call(&note_script, "c"), 0);
    RUN_UNTIL(answered == 7);
    CHECK_INT(errors, 0);
}

/* Gives more, which is held back; each may be refused at once. */
static void on_plain(void *data, int result, const struct redisReply *reply)
{
    on_answer(data, result, reply);
    if (result)
        return;
    given += call(&note_script, "held") == 0;
    given += call(&long_script, "new") == 0;
    given += plain("held") == 0;
}

/* Each allocation of a call that is sent again, and of what is held back, fails once: the call is
 * refused, passes, or is lost with its connection, and the next one is done. */
static void every_failing_allocation_is_survived(void)
{
    const char *argv[] = {"RPUSH", "done", "plain"};
    int passed = 0;
    for (long n = 1; !passed && n < 200; n++) {
        test_bus_close(&test);
        test_bus_up(&test, strait.url);
        begin();
        CHECK_INT(call(&note_script, "0"), 0);
        RUN_UNTIL(answered == 1);
        forget_scripts();
        given = 0;
        CHECK_INT(call(&note_script, "1"), 0);
        CHECK_INT(arda_bus_command(test.bus, 3, argv, NULL, on_plain, NULL), 0);
        CHECK_INT(call(&note_script, "1b"), 0);
        base_mem_fail(n, 1);
        RUN_UNTIL(answered == 4 + given);
        passed = base_mem_tries() < n;
        base_mem_fail(0, 0);
        RUN_UNTIL(arda_bus_is_up(test.bus));
        CHECK_INT(call(&note_script, "2"), 0);
        RUN_UNTIL(answered == 5 + given);
        CHECK(strstr(done(), "2 ") != NULL);
    }
    CHECK(passed);
}

static void a_limit_is_kept(void)
{
    const char *argv[1] = {"x"};
    CHECK_INT(arda_script_call(test.bus, &note_script, ARDA_SCRIPT_MAX_ARGS + 1, argv, NULL,
                               on_answer, NULL),
              BASE_ERR_LIMIT);
}

static void a_shutdown_waits_for_what_is_sent_again(void)
{
    begin();
    CHECK_INT(call(&note_script, "a"), 0);
    RUN_UNTIL(answered == 1);
    forget_scripts();
    for (int i = 0; i < 3; i++)
        CHECK_INT(call(&note_script, "b"), 0);
    test_bus_close(&test);
    CHECK_INT(answered, 4);
    CHECK_INT(lost, 0);
    CHECK_STR(done(), "a b b b ");
}

static void ends_without_an_open_handle(void)
{
    test_loop_fini();
}

int main(void)
{
    if (test_redis_missing())
        return EXIT_SUCCESS;
    test_redis_init(&redis);
    test_redis_start(&redis);
    test_loop_init();
    test_strait_open(&strait, redis.port);
    test_bus_up(&test, strait.url);
    RUN(the_text_goes_once_per_connection);
    RUN(a_forgotten_script_is_sent_again);
    RUN(many_calls_keep_their_order);
    RUN(what_is_given_meanwhile_waits);
    RUN(a_step_carries_its_scripts);
    RUN(a_user_who_may_not_load_is_served);
    RUN(a_lost_connection_is_told_to_all);
    RUN(every_failing_allocation_is_survived);
    RUN(a_limit_is_kept);
    RUN(a_shutdown_waits_for_what_is_sent_again);
    test_strait_close(&strait);
    RUN(ends_without_an_open_handle);
    test_redis_fini(&redis);
    return test_end();
}
