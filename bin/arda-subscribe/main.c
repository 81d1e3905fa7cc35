/* SPDX-License-Identifier: ISC
 *
 * arda-subscribe: events of tenants as JSON lines, live.
 */
#include "arda-subscribe_options.h"
#include "via.h"

#include "arda/bus.h"
#include "arda/directory.h"
#include "arda/tenant.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define TYPE_MAX       256   /* bytes of a type that a pattern is compared with */
#define OUT_BYTES      65536 /* collected before they are written in the middle of a turn */
#define BUS_TIMEOUT_MS 1000

struct settings {
    SUBSCRIBE_OPTIONS(BASE_OPT_MEMBER)
};

static const struct base_opt rows[] = {SUBSCRIBE_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-subscribe",
    .operands = "TENANT...",
    .about = "Print the events of tenants as they are published, one JSON object a line.\n"
             "With --via and no tenant: as a gateway passes them on.",
    .after = "example: arda-subscribe 0b9f… --type 'order.*' | jq .orderNumber",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
};

struct tenant {
    struct subscriber *subscriber;
    const char *id;
    bool asked; /* whether the directory knows it */
};

struct subscriber {
    struct settings settings;
    struct arda_bus *bus;
    struct tenant *tenants;
    int tenant_count;
    uv_loop_t loop;
    uv_check_t check; /* writes what a turn has brought */
    uv_timer_t timer;
    uv_signal_t signals[3];
    struct base_buf out;
    int64_t printed;
    bool ending;
    int status;
    int signal; /* that ended it */
};

static void end(struct subscriber *subscriber, int status);

/* ---- output ---- */

static void write_out(struct subscriber *subscriber)
{
    struct base_buf *out = &subscriber->out;
    size_t sent = 0;
    while (sent < out->len) {
        ssize_t wrote = write(STDOUT_FILENO, out->data + sent, out->len - sent);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
            end(subscriber, BASE_EXIT_IOERR);
            break;
        }
        sent += (size_t)wrote;
    }
    out->len = 0;
}

/* A publisher may have laid the JSON out over several lines; between tokens a blank does as well.
 */
static void add_line(struct subscriber *subscriber, struct base_slice event)
{
    struct base_buf *out = &subscriber->out;
    size_t from = out->len;
    if (base_buf_add(out, event.data, event.len) < 0 || base_buf_add_byte(out, '\n') < 0) {
        base_log(BASE_LOG_ERROR, "out of memory: an event of %zu bytes is lost", event.len);
        out->len = from;
        end(subscriber, BASE_EXIT_SOFTWARE);
        return;
    }
    for (char *at = out->data + from; at < out->data + from + event.len; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
}

static void on_check(uv_check_t *check)
{
    write_out(check->data);
}

/* ---- filters ---- */

static bool type_matches(const struct base_opt_list *globs, const struct base_json_value *type)
{
    char text[TYPE_MAX];
    struct base_slice plain;
    struct base_buf decoded = BASE_BUF_INIT;
    bool found = globs->count == 0;
    if (found)
        return true;
    if (!base_json_plain(type, &plain)) {
        if (base_json_unescape(type, &decoded) < 0)
            return false;
        plain = (struct base_slice){decoded.data, decoded.len};
    }
    if (plain.len < sizeof text) {
        memcpy(text, plain.data, plain.len);
        text[plain.len] = '\0';
        for (size_t i = 0; i < globs->count && !found; i++)
            found = fnmatch(globs->items[i], text, 0) == 0;
    }
    base_buf_fini(&decoded);
    return found;
}

static bool loop_matches(const struct base_opt_list *loops, struct base_slice event)
{
    struct base_json_member loop = BASE_JSON_WANT("loopId");
    if (loops->count == 0)
        return true;
    if (base_json_pick(event.data, event.len, &loop, 1, NULL, NULL) < 0)
        return false;
    for (size_t i = 0; i < loops->count; i++)
        if (base_json_equals(&loop.value, loops->items[i], strlen(loops->items[i])))
            return true;
    return false;
}

static void on_message(void *data, const struct arda_message *message)
{
    struct subscriber *subscriber = data;
    const struct settings *settings = &subscriber->settings;
    if (subscriber->ending || !type_matches(&settings->type, &message->type) ||
        !loop_matches(&settings->loop, message->event))
        return;
    add_line(subscriber, message->event);
    if (settings->line_buffered || subscriber->out.len >= OUT_BYTES)
        write_out(subscriber);
    if (++subscriber->printed == settings->count)
        end(subscriber, BASE_EXIT_OK);
}

/* ---- the bus ---- */

static void on_known(void *data, int result)
{
    struct tenant *tenant = data;
    if (result == 0)
        base_log(BASE_LOG_INFO, "tenant %s is not in the directory; is the id right?", tenant->id);
}

static void on_standing(void *data, bool standing)
{
    struct tenant *tenant = data;
    base_log(BASE_LOG_DEBUG, "%s %s", standing ? "subscribed to" : "lost", tenant->id);
    struct arda_bus *bus = tenant->subscriber->bus;
    if (!standing || tenant->asked || tenant->subscriber->settings.global)
        return;
    tenant->asked = true;
    arda_directory_has_tenant(bus, tenant->id, strlen(tenant->id), on_known, tenant);
}

static void on_tenant_message(void *data, const struct arda_message *message)
{
    struct tenant *tenant = data;
    on_message(tenant->subscriber, message);
}

static void on_state(void *data, bool up, const struct base_why *why)
{
    (void)data;
    if (up)
        base_log(BASE_LOG_DEBUG, "redis: connected");
    else
        base_log(BASE_LOG_WARNING, "%s; trying again until it is back", why->text);
}

static void subscribe(struct subscriber *subscriber, struct tenant *tenant)
{
    struct arda_subscription *ignored;
    struct arda_handlers handlers = {on_tenant_message, on_standing, tenant};
    int failed = subscriber->settings.global
                     ? arda_bus_subscribe_global(subscriber->bus, &handlers, &ignored)
                     : arda_bus_subscribe_tenant(subscriber->bus, tenant->id, strlen(tenant->id),
                                                 &handlers, &ignored);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s: %s", tenant->id, base_err_text(failed));
        exit(base_exit_status(failed));
    }
}

/* ---- through a gateway ---- */

static bool is_wanted(const void *data, struct base_slice event)
{
    const struct settings *settings = data;
    struct base_json_member type = BASE_JSON_WANT("type");
    if (settings->type.count == 0 && settings->loop.count == 0)
        return true;
    return base_json_pick(event.data, event.len, &type, 1, NULL, NULL) == 0 &&
           type_matches(&settings->type, &type.value) && loop_matches(&settings->loop, event);
}

static int run_via(const struct settings *settings, char **operands, int count, int *signal_number)
{
    if (!settings->via) {
        base_log(BASE_LOG_ERROR, "--compare: with what? It needs --via");
        return BASE_EXIT_USAGE;
    }
    if (settings->global || count != (settings->compare ? 1 : 0)) {
        base_log(BASE_LOG_ERROR, settings->compare ? "--compare: expected one tenant"
                                                   : "--via: expected no tenant, the token has it");
        return BASE_EXIT_USAGE;
    }
    if (settings->compare && !arda_tenant_valid(operands[0], strlen(operands[0]))) {
        base_log(BASE_LOG_ERROR, "`%s' is no tenant id", operands[0]);
        return BASE_EXIT_USAGE;
    }
    if (settings->compare && (settings->type.count > 0 || settings->loop.count > 0)) {
        base_log(BASE_LOG_ERROR, "--compare compares all events: it takes no --type and no --loop");
        return BASE_EXIT_USAGE;
    }
    struct via_options options = {
        .url = settings->via,
        .transport = settings->transport,
        .token_file = settings->token_file,
        .cacert = settings->cacert,
        .no_reconnect = settings->no_reconnect,
        .compare = settings->compare,
        .tenant = operands[0],
        .redis = settings->redis,
        .prefix = settings->prefix,
        .grace_ms = settings->grace,
        .connect_timeout_ms = settings->connect_timeout,
        .count = settings->count,
        .timeout_ms = settings->timeout,
        .line_buffered = settings->line_buffered,
        .wanted = is_wanted,
        .data = settings,
    };
    return via_run(&options, signal_number);
}

/* ---- beginning and end ---- */

static void end(struct subscriber *subscriber, int status)
{
    if (subscriber->ending)
        return;
    subscriber->ending = true;
    subscriber->status = status;
    if (status != BASE_EXIT_IOERR)
        write_out(subscriber);
    arda_bus_shutdown(subscriber->bus, BUS_TIMEOUT_MS, NULL, NULL);
    uv_close((uv_handle_t *)&subscriber->check, NULL);
    uv_close((uv_handle_t *)&subscriber->timer, NULL);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&subscriber->signals[i], NULL);
}

static void on_timeout(uv_timer_t *timer)
{
    end(timer->data, BASE_EXIT_TIMEOUT);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct subscriber *subscriber = handle->data;
    subscriber->signal = number;
    end(subscriber, BASE_EXIT_OK);
}

static void start_loop(struct subscriber *subscriber)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    uv_loop_init(&subscriber->loop);
    uv_check_init(&subscriber->loop, &subscriber->check);
    uv_timer_init(&subscriber->loop, &subscriber->timer);
    subscriber->check.data = subscriber->timer.data = subscriber;
    uv_check_start(&subscriber->check, on_check);
    if (subscriber->settings.timeout > 0)
        uv_timer_start(&subscriber->timer, on_timeout, (uint64_t)subscriber->settings.timeout, 0);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&subscriber->loop, &subscriber->signals[i]);
        subscriber->signals[i].data = subscriber;
        uv_signal_start(&subscriber->signals[i], on_signal, numbers[i]);
    }
}

static int start(struct subscriber *subscriber, char **operands, int count)
{
    struct base_why why;
    bool global = subscriber->settings.global;
    if (global ? count > 0 : count == 0) {
        base_log(BASE_LOG_ERROR, "expected one or more tenants, or --global alone");
        return BASE_EXIT_USAGE;
    }
    for (int i = 0; i < count; i++)
        if (!arda_tenant_valid(operands[i], strlen(operands[i]))) {
            base_log(BASE_LOG_ERROR, "`%s' is no tenant id", operands[i]);
            return BASE_EXIT_USAGE;
        }
    subscriber->tenant_count = global ? 1 : count;
    subscriber->tenants =
        base_calloc((size_t)subscriber->tenant_count, sizeof *subscriber->tenants);
    if (!subscriber->tenants)
        return BASE_EXIT_SOFTWARE;
    start_loop(subscriber);
    struct arda_bus_options options = {.url = subscriber->settings.redis,
                                       .prefix = subscriber->settings.prefix,
                                       .name = "arda-subscribe",
                                       .on_state = on_state};
    int failed = arda_bus_get(&subscriber->loop, &options, &subscriber->bus, &why);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        exit(base_exit_status(failed));
    }
    for (int i = 0; i < subscriber->tenant_count; i++) {
        subscriber->tenants[i] =
            (struct tenant){.subscriber = subscriber, .id = global ? "global" : operands[i]};
        subscribe(subscriber, &subscriber->tenants[i]);
    }
    return BASE_EXIT_OK;
}

int main(int argc, char **argv)
{
    static struct subscriber subscriber;
    char **operands;
    int count = base_opt_start(&program, &subscriber.settings, argc, argv, &operands);
    int status;
    if (subscriber.settings.via || subscriber.settings.compare) {
        status = run_via(&subscriber.settings, operands, count, &subscriber.signal);
    } else if ((status = start(&subscriber, operands, count)) == BASE_EXIT_OK) {
        uv_run(&subscriber.loop, UV_RUN_DEFAULT);
        uv_loop_close(&subscriber.loop);
        status = subscriber.status;
    }
    base_buf_fini(&subscriber.out);
    base_free(subscriber.tenants);
    base_opt_fini(&program, &subscriber.settings);
    if (subscriber.signal) { /* the shell is to see what ended it */
        signal(subscriber.signal, SIG_DFL);
        raise(subscriber.signal);
    }
    return status;
}
