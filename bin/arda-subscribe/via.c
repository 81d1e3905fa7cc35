/* SPDX-License-Identifier: ISC
 *
 * The loop of --via and --compare: output, signals, time, and what ends it.
 */
#include "via.h"

#include "compare.h"
#include "via_client.h"

#include "base/clock.h"
#include "base/env_secrets.h"
#include "base/exit.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define OUT_BYTES 65536 /* collected before they are written in the middle of a turn */

struct via {
    const struct via_options *options;
    struct via_client *client;
    struct compare *compare;
    uv_loop_t loop;
    uv_prepare_t prepare; /* writes what has come, from timers too, before the loop waits */
    uv_timer_t timeout, idle;
    uv_signal_t signals[3];
    struct base_buf out;
    int64_t counted;
    bool ending;
    int status;
    int signal;
};

static void end(struct via *via, int status);

/* ---- output ---- */

static void write_out(struct via *via)
{
    struct base_buf *out = &via->out;
    size_t sent = 0;
    while (sent < out->len) {
        ssize_t wrote = write(STDOUT_FILENO, out->data + sent, out->len - sent);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
            out->len = 0;
            end(via, BASE_EXIT_IOERR);
            return;
        }
        sent += (size_t)wrote;
    }
    out->len = 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
    write_out(prepare->data);
}

static void add_record(struct via *via, const struct via_record *record)
{
    if (via_record_write(&via->out, record, base_clock_wall_ms()) < 0) {
        base_log(BASE_LOG_ERROR, "out of memory: a record is lost");
        end(via, BASE_EXIT_SOFTWARE);
    } else if (via->options->line_buffered || via->out.len >= OUT_BYTES) {
        write_out(via);
    }
}

/* ---- quiet ---- */

static void on_idle(uv_timer_t *timer)
{
    struct via *via = timer->data;
    end(via, via->counted > 0 || via->compare ? BASE_EXIT_OK : BASE_EXIT_NO);
}

/* An event has come: --idle counts anew. */
static void touch(struct via *via)
{
    if (via->options->idle_ms > 0 && !via->ending)
        uv_timer_start(&via->idle, on_idle, (uint64_t)via->options->idle_ms, 0);
}

/* ---- the gateway ---- */

/* What the gateway says on its own account. */
static bool is_own(const struct base_json_value *name)
{
    static const char *const own[] = {"connected", "pong", "error"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (base_json_equals(name, own[i], strlen(own[i])))
            return true;
    return false;
}

static void on_event(struct via *via, const struct via_record *record)
{
    const struct via_options *options = via->options;
    struct base_json_value event = via_event_first(record->packet);
    bool own = is_own(&record->packet->name);
    if (!own && options->wanted &&
        !options->wanted(options->data, (struct base_slice){event.text, event.len}))
        return;
    add_record(via, record);
    if (own)
        return;
    touch(via);
    if (++via->counted == options->count)
        end(via, BASE_EXIT_OK);
}

static void on_record(void *data, const struct via_record *record)
{
    struct via *via = data;
    if (via->ending)
        return;
    if (via->compare)
        compare_record(via->compare, record);
    else if (record->kind == VIA_RECORD_EVENT)
        on_event(via, record);
    else
        add_record(via, record);
}

static void on_client_end(void *data, int status)
{
    struct via *via = data;
    via->client = NULL;
    end(via, status);
}

static int start_client(struct via *via, struct base_why *why)
{
    const struct via_options *options = via->options;
    const char *token = getenv(BASE_ENV_TOKEN);
    struct via_client_options client = {
        .url = options->url,
        .transport = (enum via_transport)options->transport,
        .token_file = options->token_file,
        .token = token && *token ? token : NULL,
        .cacert = options->cacert,
        .attempt_ms = options->connect_timeout_ms,
        .reconnect = !options->no_reconnect,
    };
    struct via_client_handlers handlers = {on_record, on_client_end, via};
    return via_client_new(&via->loop, &client, &handlers, &via->client, why);
}

/* ---- comparing ---- */

static void fail(struct via *via, int failed, const struct base_why *why)
{
    base_log(BASE_LOG_ERROR, "%s", why->text);
    end(via, failed == BASE_ERR_SYNTAX ? BASE_EXIT_USAGE : base_exit_status(failed));
}

static void on_ready(void *data)
{
    struct via *via = data;
    struct base_why why;
    int failed = start_client(via, &why);
    if (failed)
        fail(via, failed, &why);
}

static void on_change(void *data)
{
    struct via *via = data;
    touch(via);
    if (via->options->line_buffered || via->out.len >= OUT_BYTES)
        write_out(via);
    if (via->options->count && compare_decided(via->compare) >= (uint64_t)via->options->count)
        end(via, BASE_EXIT_OK);
}

static void on_compare_fail(void *data, int result)
{
    end(data, base_exit_status(result));
}

static int start_comparing(struct via *via, struct base_why *why)
{
    struct compare_options options = {
        .redis = via->options->redis,
        .prefix = via->options->prefix,
        .tenant = via->options->tenant,
        .grace_ms = via->options->grace_ms,
        .out = &via->out,
        .on_ready = on_ready,
        .on_change = on_change,
        .on_fail = on_compare_fail,
        .data = via,
    };
    return compare_new(&via->loop, &options, &via->compare, why);
}

/* ---- beginning and end ---- */

/* A comparison is asked for its result, whatever ends it in order. */
static int result_of_comparing(struct via *via, int status)
{
    bool begun = compare_has_begun(via->compare);
    bool differ = compare_end(via->compare);
    bool in_order = status == BASE_EXIT_OK || (status == BASE_EXIT_TIMEOUT && begun);
    if (!in_order)
        return status;
    via->signal = 0;
    return differ ? BASE_EXIT_NO : BASE_EXIT_OK;
}

static void end(struct via *via, int status)
{
    if (via->ending)
        return;
    via->ending = true;
    if (via->compare)
        status = result_of_comparing(via, status);
    via->status = status;
    if (status != BASE_EXIT_IOERR)
        write_out(via);
    if (via->client)
        via_client_stop(via->client);
    uv_close((uv_handle_t *)&via->prepare, NULL);
    uv_close((uv_handle_t *)&via->timeout, NULL);
    uv_close((uv_handle_t *)&via->idle, NULL);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&via->signals[i], NULL);
}

static void on_timeout(uv_timer_t *timer)
{
    end(timer->data, BASE_EXIT_TIMEOUT);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct via *via = handle->data;
    via->signal = number;
    end(via, BASE_EXIT_OK);
}

static void start_loop(struct via *via)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    uv_loop_init(&via->loop);
    uv_prepare_init(&via->loop, &via->prepare);
    uv_timer_init(&via->loop, &via->timeout);
    uv_timer_init(&via->loop, &via->idle);
    via->prepare.data = via->timeout.data = via->idle.data = via;
    uv_prepare_start(&via->prepare, on_prepare);
    if (via->options->timeout_ms > 0)
        uv_timer_start(&via->timeout, on_timeout, (uint64_t)via->options->timeout_ms, 0);
    touch(via);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&via->loop, &via->signals[i]);
        via->signals[i].data = via;
        uv_signal_start(&via->signals[i], on_signal, numbers[i]);
    }
}

int via_run(const struct via_options *options, int *signal_number)
{
    static struct via via;
    struct base_why why;
    via.options = options;
    start_loop(&via);
    int failed = options->compare ? start_comparing(&via, &why) : start_client(&via, &why);
    if (failed)
        fail(&via, failed, &why);
    uv_run(&via.loop, UV_RUN_DEFAULT);
    uv_loop_close(&via.loop);
    base_buf_fini(&via.out);
    *signal_number = via.signal;
    return via.status;
}
