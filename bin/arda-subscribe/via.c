/* SPDX-License-Identifier: ISC
 *
 * The loop of --via and --compare: output, signals, time, and what ends it.
 */
#include "via.h"

#include "client/client.h"
#include "compare.h"

#include "base/clock.h"
#include "base/env_secrets.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/terminal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <uv.h>

#define GRACE_MS  1000  /* for a reader that does not read, after a signal */
#define OUT_BYTES 65536 /* collected before they are written in the middle of a turn */

struct via {
    const struct via_options *options;
    struct client *client;
    struct compare *compare;
    uv_loop_t loop;
    uv_prepare_t prepare; /* writes what has come, from timers too, before the loop waits */
    uv_timer_t timeout, idle;
    uv_poll_t signals; /* of signal_fd, which is looked at while a reader is waited for, too */
    int signal_fd;
    sigset_t signal_set;
    bool is_terminal;
    struct base_buf out;
    size_t cleaned; /* of `out`, as a terminal may have it */
    int64_t counted;
    bool ending;
    int status;
    int signal;
};

static void end(struct via *via, int status);

/* ---- output ---- */

/* Waits until the reader takes something, which then is PIPE_BUF at least. False: a signal has come
 * meanwhile, or the time is over that is left to the reader after one. */
static bool wait_for_reader(const struct via *via)
{
    struct pollfd fds[] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
                           {.fd = via->signal_fd, .events = POLLIN}};
    int ready;
    do
        ready = poll(fds, via->signal ? 1 : 2, via->signal ? GRACE_MS : -1);
    while (ready < 0 && errno == EINTR);
    return ready < 0 || fds[0].revents;
}

/* What stands in `out` is lines of JSON. */
static int clean(struct via *via)
{
    struct base_buf cleaned = BASE_BUF_INIT;
    int failed = BASE_OK;
    if (via->is_terminal && via->out.len > via->cleaned) {
        failed =
            base_terminal_add(&cleaned, via->out.data + via->cleaned, via->out.len - via->cleaned);
        via->out.len = via->cleaned;
        if (!failed)
            failed = base_buf_add(&via->out, cleaned.data, cleaned.len);
        base_buf_fini(&cleaned);
    }
    via->cleaned = via->out.len;
    return failed;
}

static void fail_writing(struct via *via, int error)
{
    base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(error));
    via->out.len = via->cleaned = 0;
    end(via, BASE_EXIT_IOERR);
}

static void write_out(struct via *via)
{
    struct base_buf *out = &via->out;
    size_t sent = 0;
    if (clean(via) < 0) {
        fail_writing(via, ENOMEM);
        return;
    }
    while (sent < out->len && wait_for_reader(via)) {
        size_t step = out->len - sent < PIPE_BUF ? out->len - sent : PIPE_BUF;
        ssize_t wrote = write(STDOUT_FILENO, out->data + sent, step);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN) {
            fail_writing(via, errno);
            return;
        }
        sent += wrote > 0 ? (size_t)wrote : 0;
    }
    base_buf_consume(out, sent);
    via->cleaned = out->len;
}

static void on_prepare(uv_prepare_t *prepare)
{
    write_out(prepare->data);
}

static void add_record(struct via *via, const struct client_record *record)
{
    if (client_record_write(&via->out, record, base_clock_wall_ms()) < 0) {
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

static void on_event(struct via *via, const struct client_record *record)
{
    const struct via_options *options = via->options;
    struct base_json_value event = client_event_first(record->packet);
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

static void on_record(void *data, const struct client_record *record)
{
    struct via *via = data;
    if (via->ending)
        return;
    if (via->compare)
        compare_record(via->compare, record);
    else if (record->kind == CLIENT_RECORD_EVENT)
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

/* The file of the token may be a pipe that nobody writes: a signal ends that at once. */
static int start_client(struct via *via, struct base_why *why)
{
    const struct via_options *options = via->options;
    const char *token = getenv(BASE_ENV_TOKEN);
    struct client_options client = {
        .url = options->url,
        .transport = (enum client_transport)options->transport,
        .token_file = options->token_file,
        .token = token && *token ? token : NULL,
        .cacert = options->cacert,
        .attempt_ms = options->connect_timeout_ms,
        .reconnect = !options->no_reconnect,
    };
    struct client_handlers handlers = {on_record, on_client_end, via};
    sigprocmask(SIG_UNBLOCK, &via->signal_set, NULL);
    int failed = client_new(&via->loop, &client, &handlers, &via->client, why);
    sigprocmask(SIG_BLOCK, &via->signal_set, NULL);
    return failed == BASE_ERR_SYNTAX ? base_why_prefix(why, "--via") : failed;
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

/* From here on a signal ends the program at once. */
static void on_signals_closed(uv_handle_t *handle)
{
    struct via *via = handle->data;
    close(via->signal_fd);
    sigprocmask(SIG_UNBLOCK, &via->signal_set, NULL);
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
        client_stop(via->client);
    uv_close((uv_handle_t *)&via->prepare, NULL);
    uv_close((uv_handle_t *)&via->timeout, NULL);
    uv_close((uv_handle_t *)&via->idle, NULL);
    uv_close((uv_handle_t *)&via->signals, on_signals_closed);
}

static void on_timeout(uv_timer_t *timer)
{
    end(timer->data, BASE_EXIT_TIMEOUT);
}

static void on_signal(uv_poll_t *poll, int status, int events)
{
    struct via *via = poll->data;
    struct signalfd_siginfo info;
    (void)status;
    (void)events;
    if (read(via->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    via->signal = (int)info.ssi_signo;
    end(via, BASE_EXIT_OK);
}

/* By a descriptor, so that a reader that does not read can be waited for together with them. */
static int watch_signals(struct via *via)
{
    sigemptyset(&via->signal_set);
    sigaddset(&via->signal_set, SIGINT);
    sigaddset(&via->signal_set, SIGTERM);
    sigaddset(&via->signal_set, SIGHUP);
    via->signal_fd = signalfd(-1, &via->signal_set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (via->signal_fd < 0)
        return BASE_ERR_IO;
    sigprocmask(SIG_BLOCK, &via->signal_set, NULL);
    uv_poll_init(&via->loop, &via->signals, via->signal_fd);
    via->signals.data = via;
    uv_poll_start(&via->signals, UV_READABLE, on_signal);
    return BASE_OK;
}

static int start_loop(struct via *via)
{
    uv_loop_init(&via->loop);
    via->is_terminal = isatty(STDOUT_FILENO);
    if (watch_signals(via) < 0) {
        base_log(BASE_LOG_ERROR, "cannot watch signals: %s", strerror(errno));
        return BASE_EXIT_SOFTWARE;
    }
    uv_prepare_init(&via->loop, &via->prepare);
    uv_timer_init(&via->loop, &via->timeout);
    uv_timer_init(&via->loop, &via->idle);
    via->prepare.data = via->timeout.data = via->idle.data = via;
    uv_prepare_start(&via->prepare, on_prepare);
    if (via->options->timeout_ms > 0)
        uv_timer_start(&via->timeout, on_timeout, (uint64_t)via->options->timeout_ms, 0);
    touch(via);
    return BASE_EXIT_OK;
}

int via_run(const struct via_options *options, int *signal_number)
{
    static struct via via;
    struct base_why why;
    via.options = options;
    int status = start_loop(&via);
    if (status)
        return status;
    int failed = options->compare ? start_comparing(&via, &why) : start_client(&via, &why);
    if (failed)
        fail(&via, failed, &why);
    uv_run(&via.loop, UV_RUN_DEFAULT);
    uv_loop_close(&via.loop);
    base_buf_fini(&via.out);
    *signal_number = via.signal;
    return via.status;
}
