/* SPDX-License-Identifier: ISC */
#include "notifyd.h"
#include "option_tables.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/opt_values.h"
#include "base/service.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUS_DRAIN_MS 1000
#define SIGNALS      3
#define RETAIN_MAX   "1..1000000"
#define RETAIN_NONE  "none"

static const struct base_opt rows[] = {NOTIFYD_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-notifyd",
    .operands = "[--redrive [LETTER...]]",
    .about =
        "Turn the events of Arda's tenants into notifications of their users: exactly one for\n"
        "each event and user, whatever fails, and however many daemons run.",
    .after = "example: arda-notifyd --explain < event.json",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

/* ---- the end ---- */

/* What is on its way is waited for; what is not sent yet is pending, and another's to take. */
static bool is_idle(const struct notifyd *nd)
{
    return nd->in_flight == 0 && nd->others_in_flight == 0 && nd->intake.takes == 0 &&
           deliver_is_idle(nd->deliver) && print_is_empty(nd);
}

static void on_bus_closed(void *data)
{
    struct notifyd *nd = data;
    nd->bus = NULL;
}

static void log_counts(const struct notifyd *nd)
{
    const struct counters *counters = &nd->counters;
    if (!nd->mode->delivers)
        return;
    base_log(BASE_LOG_INFO,
             "%" PRIu64 " events handled: %" PRIu64 " notifications, %" PRIu64 " deliveries",
             counters->events, counters->rows, counters->deliveries);
    for (int skip = 0; skip < SKIP_COUNT; skip++)
        if (counters->skipped[skip])
            base_log(BASE_LOG_INFO, "%" PRIu64 " events made nothing: %s", counters->skipped[skip],
                     notifyd_skip_text((enum notifyd_skip)skip));
}

static void close_all(struct notifyd *nd)
{
    nd->closed = true;
    print_flush(nd);
    log_counts(nd);
    channel_stop(nd);
    admin_stop(nd);
    deliver_close(nd->deliver);
    if (nd->mode->delivers && nd->intake.begun)
        (void)arda_intake_leave(nd->bus, nd->intake.consumer, NULL, NULL);
    arda_bus_shutdown(nd->bus, BUS_DRAIN_MS, on_bus_closed, nd);
    uv_close((uv_handle_t *)&nd->check, NULL);
    uv_close((uv_handle_t *)&nd->drain, NULL);
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&nd->signals[i], NULL);
    intake_close(nd);
    channel_close(nd);
    print_close(nd);
}

/* Deliveries that are given back need an answer or two of Redis, which a bus that is shut down does
 * not wait for. */
static void on_drained(uv_timer_t *timer)
{
    struct notifyd *nd = timer->data;
    if (nd->closed)
        return;
    if (!is_idle(nd) && !nd->given_up) {
        nd->given_up = true;
        base_log(BASE_LOG_WARNING, "not everything was finished in time%s",
                 print_is_empty(nd) ? "" : "; not all notifications were printed");
        if (deliver_break_off(nd->deliver)) {
            uv_timer_start(&nd->drain, on_drained, BUS_DRAIN_MS, 0);
            return;
        }
    }
    close_all(nd);
}

/* Not at once: whoever finds the end may be in the middle of something. */
void notifyd_check_end(struct notifyd *nd)
{
    if (nd->stopping && !nd->closed && is_idle(nd))
        uv_timer_start(&nd->drain, on_drained, 0, 0);
}

void notifyd_stop(struct notifyd *nd, int status)
{
    if (nd->stopping)
        return;
    nd->stopping = true;
    nd->status = status;
    deliver_stop(nd->deliver);
    base_log(nd->mode->delivers ? BASE_LOG_INFO : BASE_LOG_DEBUG, "stopping");
    base_service_notify("STOPPING=1");
    uv_update_time(&nd->loop);
    uv_timer_start(&nd->drain, on_drained, (uint64_t)nd->settings.drain, 0);
    notifyd_check_end(nd);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct notifyd *nd = handle->data;
    if (number == SIGHUP) {
        base_log(BASE_LOG_INFO, "reading the directory again");
        tenants_forget_people(nd, true);
        deliver_reload(nd->deliver);
        return;
    }
    if (nd->stopping) {
        base_log(BASE_LOG_WARNING, "stopped at once");
        exit(BASE_EXIT_TEMPFAIL);
    }
    if (nd->mode->dies_of_signals)
        nd->signal = number;
    notifyd_stop(nd, BASE_EXIT_OK);
}

/* ---- the loop ---- */

void notifyd_turn(struct notifyd *nd)
{
    if (nd->closed)
        return;
    if (!nd->stopping) {
        work_pump(nd);
        intake_flush(nd);
    }
    deliver_turn(nd->deliver);
    print_flush(nd);
    explain_turn(nd);
}

static void on_check(uv_check_t *check)
{
    notifyd_turn(check->data);
}

static void on_up(struct notifyd *nd)
{
    work_resume(nd);
    deliver_up(nd->deliver);
    nd->mode->on_up(nd);
}

static void on_bus_state(void *data, bool up, const struct base_why *why)
{
    struct notifyd *nd = data;
    bool asks = !nd->mode->lasts;
    if (nd->stopping)
        return;
    if (up) {
        base_log(asks ? BASE_LOG_DEBUG : BASE_LOG_INFO, "redis: connected");
        on_up(nd);
    } else if (asks) {
        base_log(BASE_LOG_ERROR, "%s", why->text);
        notifyd_stop(nd, base_exit_status(why->code));
    } else {
        base_log(BASE_LOG_WARNING, "%s; trying again until it is back", why->text);
    }
}

/* ---- the beginning ---- */

static _Noreturn void fail(int code, const char *what, const struct base_why *why)
{
    base_log(BASE_LOG_ERROR, "%s%s%s", what, *what ? ": " : "", why->text);
    exit(base_exit_status(code));
}

/* Digits, or `none' for any number of notifications. */
static void read_retain_count(struct notifyd *nd, const char *text)
{
    struct base_why why;
    int64_t count = 0;
    if (strcmp(text, RETAIN_NONE) != 0 && base_opt_parse_int(text, RETAIN_MAX, &count, &why) < 0)
        fail(BASE_ERR_INVALID, "--retain", &why);
    nd->retention.count = (uint32_t)count;
}

/* AGE, COUNT, or both with a comma between them. Without COUNT the default counts. */
static void read_retain(struct notifyd *nd)
{
    const char *text = nd->settings.retain ? nd->settings.retain : "";
    char age[32];
    struct base_why why;
    const char *comma = strchr(text, ',');
    size_t len = comma ? (size_t)(comma - text) : strlen(text);
    bool only_count = !comma && (strspn(text, "0123456789") == len || !strcmp(text, RETAIN_NONE));
    const char *count = only_count ? text : comma ? comma + 1 : "";
    read_retain_count(nd, *count ? count : NOTIFYD_RETAIN);
    if (only_count || len == 0)
        return;
    if (len >= sizeof age)
        fail(BASE_ERR_INVALID, "--retain",
             &(struct base_why){.text = "expected a duration, a number, or both as 90d,1000"});
    memcpy(age, text, len);
    age[len] = '\0';
    if (base_opt_parse_duration(age, &nd->retention.age_ms, &why) < 0)
        fail(BASE_ERR_INVALID, "--retain", &why);
}

/* What is included begins behind the id before it. */
static void read_since(struct notifyd *nd)
{
    struct arda_when when;
    struct arda_stream_id first;
    struct base_why why;
    const char *text = nd->settings.since;
    if (!text || !*text)
        return;
    if (arda_when_parse(text, base_clock_wall_ms(), &when, &why) < 0)
        fail(BASE_ERR_INVALID, "--since", &why);
    if (when.kind == ARDA_WHEN_END) {
        when = (struct arda_when){.kind = ARDA_WHEN_TIME, .ms = (uint64_t)base_clock_wall_ms()};
    } else if (when.kind == ARDA_WHEN_EVENT) {
        base_why_set(&why, BASE_ERR_INVALID,
                     "expected a time or the id of a stream's entry, which all tenants have in "
                     "common, got `%s'",
                     text);
        fail(BASE_ERR_INVALID, "--since", &why);
    }
    (void)arda_when_first(&when, &first);
    arda_stream_id_format(arda_stream_id_previous(first), nd->intake.since);
}

static void print_rules(bool json)
{
    struct base_buf out = BASE_BUF_INIT;
    int status = BASE_EXIT_OK;
    if (arda_notify_rules_print(&out, json) < 0)
        status = BASE_EXIT_SOFTWARE;
    else if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
        status = BASE_EXIT_IOERR;
    if (status)
        base_log(BASE_LOG_ERROR, "cannot write the rules");
    base_buf_fini(&out);
    exit(status);
}

static void choose_mode(struct notifyd *nd, char **operands, int count)
{
    const struct settings *settings = &nd->settings;
    if (settings->explain + settings->redrive + settings->rules + settings->dry_run > 1)
        fail(BASE_ERR_INVALID, "",
             &(struct base_why){.text = "--explain, --redrive, --rules and --dry-run exclude each "
                                        "other"});
    nd->mode = settings->explain   ? &mode_explain
               : settings->redrive ? &mode_redrive
               : settings->dry_run ? &mode_dry_run
                                   : &mode_run;
    if (count > 0 && !nd->mode->takes_letters) {
        base_log(BASE_LOG_ERROR, "unexpected argument `%s'", operands[0]);
        exit(BASE_EXIT_USAGE);
    }
    if (settings->rules)
        print_rules(settings->json);
    if (nd->mode->takes_letters && !redrive_init(nd, operands, count))
        exit(BASE_EXIT_USAGE);
}

static void init_signals(struct notifyd *nd)
{
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&nd->loop, &nd->signals[i]);
        nd->signals[i].data = nd;
    }
}

static void start_loop(struct notifyd *nd)
{
    uv_check_init(&nd->loop, &nd->check);
    uv_timer_init(&nd->loop, &nd->drain);
    nd->check.data = nd->drain.data = nd;
    uv_check_start(&nd->check, on_check);
    init_signals(nd);
    base_list_init(&nd->ready);
    intake_init(nd);
    channel_init(nd);
}

static void on_changed(void *data)
{
    notifyd_check_end(data);
}

static void on_turn(void *data)
{
    notifyd_turn(data);
}

static int start_deliveries(struct notifyd *nd, struct base_why *why)
{
    const struct settings *settings = &nd->settings;
    const struct deliver_options options = {
        .loop = &nd->loop,
        .bus = nd->bus,
        .name = nd->intake.consumer,
        .runs = nd->mode->delivers,
        .on = !settings->no_deliver,
        .max = (uint32_t)settings->deliveries_in_flight,
        .per_lane = (uint32_t)settings->per_endpoint,
        .schedule = settings->retry_schedule,
        .retain_ms = settings->retain_deliveries,
        .webhook = {.allow = &settings->webhook_allow,
                    .ca = settings->webhook_ca,
                    .proxy = settings->webhook_proxy,
                    .timeout_ms = settings->webhook_timeout},
        .mail = {.relay = settings->smtp,
                 .tls_optional = settings->smtp_tls != 0,
                 .ca = settings->smtp_ca,
                 .timeout_ms = settings->smtp_timeout,
                 .connections = (uint32_t)settings->smtp_connections,
                 .from = settings->mail_from,
                 .templates = settings->templates,
                 .public_url = settings->public_url,
                 .unsubscribe_secret_file = settings->unsubscribe_secret_file},
        .host = {on_changed, on_turn, alert_make, nd},
    };
    return deliver_new(&options, &nd->deliver, why);
}

static void start(struct notifyd *nd)
{
    struct base_why why;
    struct arda_bus_options options = {
        .url = nd->settings.redis,
        .prefix = nd->settings.prefix,
        .name = "arda-notifyd",
        .use = nd->mode->use,
        .on_state = on_bus_state,
        .data = nd,
    };
    int failed = arda_bus_new(&nd->loop, &options, &nd->bus, &why);
    if (failed)
        fail(failed, "", &why);
    failed = start_deliveries(nd, &why);
    if (failed)
        fail(failed, "", &why);
    const char *address = nd->settings.admin;
    if (address && *address && nd->mode->lasts) {
        failed = admin_start(nd, address, &why);
        if (failed)
            fail(failed, "--admin", &why);
    }
}

/* Until then a signal simply ends it, since files may be pipes that nobody writes. An explanation
 * has nothing to finish. */
static void watch_signals(struct notifyd *nd)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < SIGNALS && nd->mode->finishes; i++)
        uv_signal_start(&nd->signals[i], on_signal, numbers[i]);
}

static void fini(struct notifyd *nd)
{
    explain_fini(nd);
    redrive_fini(nd);
    channel_fini(nd);
    deliver_free(nd->deliver);
    tenants_fini(nd);
    base_opt_fini(&program, &nd->settings);
}

int main(int argc, char **argv)
{
    static struct notifyd nd;
    char **operands;
    int count = base_opt_start(&program, &nd.settings, argc, argv, &operands);
    read_retain(&nd);
    read_since(&nd);
    choose_mode(&nd, operands, count);
    base_service_prepare();
    nd.started_ms = base_clock_wall_ms();
    uv_loop_init(&nd.loop);
    start_loop(&nd);
    int status = nd.mode->read ? nd.mode->read(&nd) : BASE_EXIT_OK;
    if (status)
        return status;
    start(&nd);
    watch_signals(&nd);
    base_service_notify("READY=1");
    uv_run(&nd.loop, UV_RUN_DEFAULT);
    uv_loop_close(&nd.loop);
    status = nd.status;
    fini(&nd);
    if (nd.signal && status == BASE_EXIT_OK) { /* the shell is to see what ended it */
        signal(nd.signal, SIG_DFL);
        raise(nd.signal);
    }
    return status;
}
