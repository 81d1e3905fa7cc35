/* SPDX-License-Identifier: ISC
 *
 * arda-subscribe: events of tenants as JSON lines, past and live.
 */
#include "arda-subscribe/subscribe.h"
#include "option_tables.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUS_TIMEOUT_MS 1000
#define GRACE_MS       1000 /* for a reader that does not read, at a signal or the timeout */

static const struct base_opt rows[] = {SUBSCRIBE_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-subscribe",
    .operands = "[TENANT...]",
    .about = "Print the events of tenants, those that were and those that come, one JSON object a "
             "line.\n"
             "With --via and no tenant: as a gateway passes them on.",
    .after = "examples: arda-subscribe 0b9f… --type 'order.*' | jq .orderNumber\n"
             "          arda-subscribe 0b9f… --since=-1h --follow --cursor=orders.cursor",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

/* ---- the end ---- */

static void free_feeds(struct subscriber *subscriber)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&subscriber->feeds, &cursor)))
        base_free(entry->value);
    base_map_fini(&subscriber->feeds);
}

/* What has come is written, or will never be. */
static void close_all(struct subscriber *subscriber)
{
    struct base_why why;
    subscriber->closed = true;
    if (subscriber->global)
        arda_bus_unsubscribe(subscriber->global);
    feeds_stop(subscriber);
    arda_bus_shutdown(subscriber->bus, BUS_TIMEOUT_MS, NULL, NULL);
    endings_stop(subscriber);
    writer_fini(&subscriber->writer);
    int failed = arda_cursor_file_close(subscriber->cursor, &why);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        subscriber->status = base_exit_status(failed);
    }
    uv_close((uv_handle_t *)&subscriber->check, NULL);
    uv_close((uv_handle_t *)&subscriber->grace, NULL);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&subscriber->signals[i], NULL);
}

static void close_if_written(struct subscriber *subscriber)
{
    bool done = subscriber->writer.failed || writer_waiting_bytes(&subscriber->writer) == 0;
    if (subscriber->ending && !subscriber->closed && done)
        close_all(subscriber);
}

static void on_check(uv_check_t *check)
{
    struct subscriber *subscriber = check->data;
    if (subscriber->closed)
        return;
    writer_flush(&subscriber->writer);
    close_if_written(subscriber);
}

static void on_grace_over(uv_timer_t *timer)
{
    struct subscriber *subscriber = timer->data;
    if (!subscriber->closed)
        close_all(subscriber);
}

/* Only lets the loop turn, whose check closes. */
static void on_turn(uv_timer_t *timer)
{
    (void)timer;
}

void subscriber_end(struct subscriber *subscriber, int status)
{
    if (subscriber->ending)
        return;
    subscriber->ending = true;
    subscriber->status = status;
    uv_timer_start(&subscriber->grace, on_turn, 0, 0);
}

void subscriber_end_now(struct subscriber *subscriber, int status)
{
    bool was_ending = subscriber->ending;
    subscriber_end(subscriber, status);
    if (subscriber->closed)
        return;
    subscriber->status = status;
    /* Asked twice it does not wait at all. */
    uv_timer_start(&subscriber->grace, on_grace_over,
                   subscriber->writer.failed || was_ending ? 0 : GRACE_MS, 0);
    if (!was_ending)
        close_if_written(subscriber);
}

void subscriber_finish(struct subscriber *subscriber)
{
    subscriber_end(subscriber, subscriber->printed > 0 ? BASE_EXIT_OK : BASE_EXIT_NO);
}

void subscriber_fail(struct subscriber *subscriber, int result, const struct base_why *why)
{
    if (!subscriber->ending)
        base_log(BASE_LOG_ERROR, "%s", why->text);
    subscriber_end(subscriber, base_exit_status(result));
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct subscriber *subscriber = handle->data;
    subscriber->signal = number;
    subscriber_end_now(subscriber, BASE_EXIT_OK);
}

/* ---- the beginning ---- */

static void on_state(void *data, bool up, const struct base_why *why)
{
    struct subscriber *subscriber = data;
    subscriber->up = up;
    if (!up && arda_bus_is_refusal(why)) {
        subscriber_fail(subscriber, why->code, why);
        return;
    }
    if (!up) {
        base_log(BASE_LOG_WARNING, "%s; trying again until it is back", why->text);
        return;
    }
    base_log(BASE_LOG_DEBUG, "redis: connected");
    endings_touch(subscriber);
    if (subscriber->settings.tenants) {
        list_ask(subscriber);
        return;
    }
    feeds_look_around(subscriber);
    if (subscriber->tails)
        arda_tails_wake(subscriber->tails, false);
}

static void on_refused(void *data, const struct base_why *why)
{
    subscriber_fail(data, why->code, why);
}

static void start_loop(struct subscriber *subscriber)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    uv_loop_init(&subscriber->loop);
    uv_check_init(&subscriber->loop, &subscriber->check);
    uv_timer_init(&subscriber->loop, &subscriber->grace);
    subscriber->check.data = subscriber->grace.data = subscriber;
    uv_check_start(&subscriber->check, on_check);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&subscriber->loop, &subscriber->signals[i]);
        subscriber->signals[i].data = subscriber;
        uv_signal_start(&subscriber->signals[i], on_signal, numbers[i]);
    }
    endings_start(subscriber);
}

static int misuse(const char *text)
{
    base_log(BASE_LOG_ERROR, "%s", text);
    return BASE_EXIT_USAGE;
}

static int check_usage(struct subscriber *subscriber, char **operands, int count)
{
    struct base_why why;
    if (plan_make(&subscriber->settings, count, &subscriber->plan, &why) < 0)
        return misuse(why.text);
    for (int i = 0; i < count; i++)
        if (!arda_tenant_valid(operands[i], strlen(operands[i]))) {
            base_log(BASE_LOG_ERROR, "`%s' is no tenant id", operands[i]);
            return BASE_EXIT_USAGE;
        }
    int failed = output_prepare(subscriber, &why);
    if (!failed)
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "%s", why.text);
    return failed == BASE_ERR_INVALID ? BASE_EXIT_USAGE : base_exit_status(failed);
}

static int start(struct subscriber *subscriber, char **operands, int count)
{
    struct base_why why;
    const struct settings *settings = &subscriber->settings;
    int failed = BASE_OK;
    if (settings->cursor)
        failed = arda_cursor_file_open(settings->cursor, &subscriber->cursor, &why);
    if (!failed) {
        const struct arda_bus_options options = {.url = settings->redis,
                                                 .prefix = settings->prefix,
                                                 .name = "arda-subscribe",
                                                 .use = ARDA_BUS_READS,
                                                 .on_state = on_state,
                                                 .on_refused = on_refused,
                                                 .data = subscriber};
        start_loop(subscriber);
        failed = arda_bus_new(&subscriber->loop, &options, &subscriber->bus, &why);
    }
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        exit(base_exit_status(failed));
    }
    int status = output_start(subscriber);
    if (status == BASE_EXIT_OK && settings->global)
        status = global_start(subscriber);
    else if (status == BASE_EXIT_OK && !settings->tenants)
        status = feeds_start(subscriber, operands, count);
    return status;
}

static int exit_status(const struct subscriber *subscriber)
{
    int status = subscriber->status;
    bool good = status == BASE_EXIT_OK || status == BASE_EXIT_TIMEOUT;
    return subscriber->settings.fail_on_gap && subscriber->gap_seen && good ? BASE_EXIT_NO : status;
}

/* The shell is to see what ended it. */
static void raise_again(int number, void (*disposition)(int))
{
    signal(number, number == SIGPIPE ? disposition : SIG_DFL);
    raise(number);
}

static int run(struct subscriber *subscriber, char **operands, int count)
{
    int status = check_usage(subscriber, operands, count);
    if (status == BASE_EXIT_OK)
        status = start(subscriber, operands, count);
    if (status == BASE_EXIT_OK) {
        uv_run(&subscriber->loop, UV_RUN_DEFAULT);
        uv_loop_close(&subscriber->loop);
        status = exit_status(subscriber);
    }
    free_feeds(subscriber);
    list_free();
    return status;
}

int main(int argc, char **argv)
{
    static struct subscriber subscriber;
    char **operands;
    int count = base_opt_start(&program, &subscriber.settings, argc, argv, &operands);
    bool through = through_is_asked_for(&subscriber);
    void (*on_pipe)(int) = SIG_DFL;
    if (!through)
        on_pipe = signal(SIGPIPE, SIG_IGN); /* write(2) tells it as well */
    int status =
        through ? through_run(&subscriber, operands, count) : run(&subscriber, operands, count);
    output_fini(&subscriber.output);
    base_buf_fini(&subscriber.line);
    base_opt_fini(&program, &subscriber.settings);
    if (subscriber.signal)
        raise_again(subscriber.signal, on_pipe);
    return status;
}
