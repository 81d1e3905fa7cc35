/* SPDX-License-Identifier: ISC
 *
 * arda-publish: events from lines, files or arguments, checked, completed and published.
 *
 * Happy path: everything is read and confirmed, the bus is closed, standard output has been
 * written, the loop is empty. Early end (a signal, Redis away for too long, no memory): reading
 * stops, answers that are on their way are waited for a moment, what is not confirmed is reported
 * and goes to --unsent, with what is left of the files; a second signal ends it at once.
 */
#include "arda-publish/publish.h"
#include "option_tables.h"

#include "arda/tenant.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct base_opt rows[] = {PUBLISH_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = PROGRAM,
    .operands = "[FILE... | TYPE NAME=VALUE...]",
    .about = "Check events, one JSON object a line, fill in what they lack, and publish them. "
             "Without operands standard input is read.",
    .after = "--help TYPE explains an event type, --help types lists them.",
    .help_topic = help_topic,
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

/* ---- ending ---- */

static void set_status(struct publisher *publisher, int status)
{
    if (!publisher->status)
        publisher->status = status;
}

static void add_unsent(void *data, struct app_outbox_item *item)
{
    unsent_add(data, base_container(item, struct outgoing, item));
}

static void finish(struct publisher *publisher)
{
    uint64_t lines = publisher->unsent ? unsent_lines(publisher->unsent) : 0;
    if (lines > 0 && !publisher->refused)
        publisher->status = BASE_EXIT_TEMPFAIL;
    int failed = unsent_close(publisher->unsent);
    publisher->unsent = NULL;
    if (failed)
        publisher->status = failed;
    else if (lines > 0)
        base_log(BASE_LOG_WARNING, "%s: %" PRIu64 " lines for the next run",
                 publisher->settings.unsent, lines);
    uv_close((uv_handle_t *)&publisher->pace.timer, NULL);
    sending_finish_output(publisher);
}

/* Nothing is on its way any more. */
static void on_stopped(void *data)
{
    struct publisher *publisher = data;
    publisher->bus = NULL;
    if (app_outbox_report(publisher->outbox) > 0) {
        if (!publisher->refused)
            publisher->status = BASE_EXIT_TEMPFAIL;
        reading_report(publisher);
    }
    if (publisher->unsent)
        app_outbox_each(publisher->outbox, add_unsent, publisher->unsent);
    if (publisher->unsent && !publisher->read_all)
        reading_drain(publisher);
    else
        finish(publisher);
}

void publisher_end(struct publisher *publisher, int status)
{
    if (publisher->ending)
        return;
    publisher->ending = true;
    set_status(publisher, status);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&publisher->signals[i], NULL);
    uv_timer_stop(&publisher->pace.timer);
    reading_stop(publisher);
    sending_stop(publisher, on_stopped);
}

void publisher_end_when_done(struct publisher *publisher)
{
    int refused = base_exit_status(app_outbox_refusal(publisher->outbox));
    if (publisher->draining && publisher->read_all && !publisher->finishing)
        finish(publisher);
    else if (!publisher->ending && publisher->read_all && sending_is_idle(publisher))
        publisher_end(publisher, publisher->bad_lines ? BASE_EXIT_DATAERR : refused);
}

void publisher_out_of_memory(struct publisher *publisher)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%sout of memory", base_place_text(&publisher->place, where));
    publisher_end(publisher, BASE_EXIT_SOFTWARE);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct publisher *publisher = handle->data;
    publisher->signal = number;
    publisher_end(publisher, BASE_EXIT_OK);
}

/* ---- beginning ---- */

static int usage(const char *text)
{
    base_log(BASE_LOG_ERROR, "%s", text);
    return BASE_EXIT_USAGE;
}

static bool is_text(const char *text)
{
    return !text || (*text && base_utf8_valid(text, strlen(text)));
}

/* What the table of options cannot say. */
static int check_settings(const struct settings *settings)
{
    const char *tenant = settings->tenant;
    if (tenant && !arda_tenant_valid(tenant, strlen(tenant)))
        return usage("--tenant: expected 1 to 64 of A-Z a-z 0-9 . _ -, and not `global'");
    if (!is_text(settings->source))
        return usage("--source: expected UTF-8 that is not empty");
    if (!is_text(settings->correlation_id))
        return usage("--correlation-id: expected UTF-8 that is not empty");
    if (settings->idempotency_key && !settings->idempotency_key[0])
        return usage("--idempotency-key: expected a key that is not empty");
    if (settings->idempotency_key && settings->dedupe_for == 0)
        return usage("--idempotency-key: needs a --dedupe-for of more than 0");
    if (settings->ack && settings->dry_run)
        return usage("--ack: nothing is confirmed with --dry-run");
    return BASE_EXIT_OK;
}

static int load_downgrades(struct publisher *publisher)
{
    const struct base_opt_list *paths = &publisher->settings.downgrade;
    int failed = 0;
    publisher->downgrades = base_calloc(paths->count + 1, sizeof *publisher->downgrades);
    if (!publisher->downgrades)
        return BASE_EXIT_SOFTWARE;
    for (size_t i = 0; i < paths->count && !failed; i++)
        failed = downgrade_load(publisher, paths->items[i]);
    return failed;
}

static int start_loop(struct publisher *publisher)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&publisher->loop);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&publisher->loop, &publisher->signals[i]);
        publisher->signals[i].data = publisher;
        uv_signal_start(&publisher->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&publisher->loop, &publisher->pace.timer);
    publisher->pace.timer.data = publisher;
    if (base_id_uuid7(publisher->run) < 0 || sending_init(publisher) < 0) {
        base_log(BASE_LOG_ERROR, "out of memory, or no random numbers");
        return BASE_EXIT_SOFTWARE;
    }
    return BASE_EXIT_OK;
}

static int run(struct publisher *publisher)
{
    const struct settings *settings = &publisher->settings;
    int failed = check_settings(settings);
    if (!failed)
        failed = load_downgrades(publisher);
    if (!failed && settings->unsent && !settings->dry_run)
        failed = unsent_open(settings->unsent, &publisher->unsent);
    if (!failed)
        failed = start_loop(publisher);
    if (failed)
        return failed;
    failed = sending_start(publisher);
    if (failed)
        publisher_end(publisher, failed);
    else
        reading_start(publisher);
    uv_run(&publisher->loop, UV_RUN_DEFAULT);
    uv_loop_close(&publisher->loop);
    return publisher->status;
}

static void fini(struct publisher *publisher)
{
    (void)unsent_close(publisher->unsent);
    app_outbox_free(publisher->outbox);
    for (size_t i = 0; i < publisher->downgrade_count; i++)
        downgrade_free(publisher->downgrades[i]);
    base_free(publisher->downgrades);
    base_map_fini(&publisher->ordinals);
    base_buf_fini(&publisher->scratch);
}

/* The shell is to see what has ended it. */
static void die_of(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

static int print_schema(const struct settings *settings)
{
    if (!schema_print(settings->schema, settings->loose_ids)) {
        base_log(BASE_LOG_ERROR, "--schema: expected an event type (see --help types), got `%s'",
                 settings->schema);
        return BASE_EXIT_USAGE;
    }
    bool failed = ferror(stdout);
    if (fclose(stdout) == 0 && !failed)
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
    return BASE_EXIT_IOERR;
}

int main(int argc, char **argv)
{
    static struct publisher publisher;
    publisher.operand_count =
        base_opt_start(&program, &publisher.settings, argc, argv, &publisher.operands);
    int status = publisher.settings.schema ? print_schema(&publisher.settings) : run(&publisher);
    fini(&publisher);
    base_opt_fini(&program, &publisher.settings);
    if (publisher.signal && status == BASE_EXIT_OK)
        die_of(publisher.signal);
    if (publisher.reader_gone && status == BASE_EXIT_OK)
        die_of(SIGPIPE);
    return status;
}
