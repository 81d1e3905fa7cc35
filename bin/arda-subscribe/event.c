/* SPDX-License-Identifier: ISC
 *
 * An event's way from a tail to the output: filters, line, mark of the cursor, count.
 */
#include "arda-subscribe/subscribe.h"

#include "arda/name/keys.h"
#include "base/exit.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define OUT_BYTES   65536         /* collected before they are written in the middle of a turn */
#define PAUSE_BYTES (1024 * 1024) /* that wait for the reader before no more are asked for */
#define DROP_BYTES  (8 * 1024 * 1024)

/* ---- filters ---- */

bool output_wants(const struct subscriber *subscriber, const struct arda_message *message)
{
    return arda_filter_match(subscriber->output.filter, message) == 1;
}

/* ---- lines ---- */

static void out_of_memory(struct subscriber *subscriber)
{
    base_log(BASE_LOG_ERROR, "out of memory: an event is lost");
    subscriber_end_now(subscriber, BASE_EXIT_SOFTWARE);
}

static bool add_line(struct subscriber *subscriber, struct base_slice line,
                     const struct writer_mark *mark)
{
    struct writer *writer = &subscriber->writer;
    if (writer_add(writer, line, mark) < 0) {
        out_of_memory(subscriber);
        return false;
    }
    if (subscriber->settings.line_buffered || writer_waiting_bytes(writer) >= OUT_BYTES)
        writer_flush(writer);
    if (writer_is_blocked(writer) && writer_waiting_bytes(writer) >= PAUSE_BYTES &&
        subscriber->tails)
        arda_tails_pause(subscriber->tails);
    return true;
}

static struct writer_mark mark_of(const struct subscriber *subscriber, struct arda_tail *tail)
{
    if (!subscriber->cursor || !tail)
        return (struct writer_mark){.owner = NULL};
    return (struct writer_mark){tail, arda_tail_position(tail), arda_tail_number(tail)};
}

void output_moved(struct subscriber *subscriber, struct arda_tail *tail)
{
    const struct writer_mark mark = mark_of(subscriber, tail);
    if (!subscriber->ending && mark.owner)
        add_line(subscriber, (struct base_slice){NULL, 0}, &mark);
}

/* The line of an event in subscriber->line: as output_add. */
static int format_event(struct subscriber *subscriber, struct arda_tail *tail,
                        const struct arda_message *message, struct arda_stream_id id)
{
    char channel[ARDA_KEY_MAX];
    struct base_slice tenant = tail ? arda_tail_tenant(tail) : (struct base_slice){"global", 6};
    size_t len = arda_key(channel, arda_bus_prefix(subscriber->bus), ARDA_KEY_EVENTS, tenant.data,
                          tenant.len);
    struct arda_record record = arda_record_of(message, id, (struct base_slice){channel, len});
    subscriber->line.len = 0;
    return output_add(&subscriber->output, &subscriber->line, &record);
}

void output_event(struct subscriber *subscriber, struct arda_tail *tail,
                  const struct arda_message *message, struct arda_stream_id id)
{
    if (subscriber->ending)
        return;
    const struct writer_mark mark = mark_of(subscriber, arda_stream_id_is_zero(id) ? NULL : tail);
    int formed = format_event(subscriber, tail, message, id);
    if (formed < 0) {
        out_of_memory(subscriber);
        return;
    }
    if (formed == 0) {
        if (mark.owner)
            add_line(subscriber, (struct base_slice){NULL, 0}, &mark);
        return;
    }
    if (writer_waiting_bytes(&subscriber->writer) >= DROP_BYTES && arda_stream_id_is_zero(id)) {
        subscriber->dropped++;
        return;
    }
    const struct base_slice line = {subscriber->line.data, subscriber->line.len - 1};
    if (!add_line(subscriber, line, &mark))
        return;
    endings_touch(subscriber);
    if (++subscriber->printed == subscriber->settings.count)
        subscriber_end(subscriber, BASE_EXIT_OK);
}

/* ---- gaps ---- */

void output_gap(struct subscriber *subscriber, const struct arda_gap *gap)
{
    struct base_buf line = BASE_BUF_INIT;
    subscriber->gap_seen = true;
    if (subscriber->ending)
        return;
    if (arda_gap_write(&line, gap) < 0 || base_buf_add_byte(&line, '\n') < 0) {
        base_buf_fini(&line);
        out_of_memory(subscriber);
        return;
    }
    if (subscriber->settings.gaps)
        add_line(subscriber, (struct base_slice){line.data, line.len - 1}, NULL);
    else if (write(STDERR_FILENO, line.data, line.len) < 0)
        base_log(BASE_LOG_DEBUG, "a gap could not be reported");
    base_buf_fini(&line);
}

/* ---- the writer ---- */

static void on_written(void *data, const struct writer_mark *mark)
{
    struct subscriber *subscriber = data;
    struct base_why why;
    int failed = arda_cursor_file_set(subscriber->cursor, arda_tail_tenant(mark->owner),
                                      mark->position, mark->number, &why);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        subscriber_end_now(subscriber, base_exit_status(failed));
    }
}

static void on_drained(void *data)
{
    struct subscriber *subscriber = data;
    if (subscriber->dropped > 0) {
        const struct arda_gap gap = {.cause = ARDA_GAP_BUFFER, .count = subscriber->dropped};
        subscriber->dropped = 0;
        output_gap(subscriber, &gap);
    }
    endings_touch(subscriber);
    if (subscriber->tails)
        arda_tails_resume(subscriber->tails);
}

static void on_failed(void *data, int error)
{
    struct subscriber *subscriber = data;
    /* A reader that has gone has had enough: that is told by the signal, if nobody ignores it. */
    if (error == EPIPE)
        subscriber->signal = SIGPIPE;
    else
        base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(error));
    subscriber_end_now(subscriber, error == EPIPE ? BASE_EXIT_OK : BASE_EXIT_IOERR);
}

/* ---- the beginning ---- */

static struct arda_filter_values values(const struct base_opt_list *list)
{
    return (struct arda_filter_values){list->items, list->count};
}

int output_prepare(struct subscriber *subscriber, struct base_why *why)
{
    const struct settings *settings = &subscriber->settings;
    const struct output_options options = {
        .filter = {.type = values(&settings->type),
                   .loop = values(&settings->loop),
                   .card = values(&settings->card),
                   .order = values(&settings->order),
                   .user = values(&settings->user),
                   .correlation = values(&settings->correlation),
                   .match = values(&settings->match)},
        .format = settings->format,
        .color = (enum output_color)settings->color,
    };
    return output_init(&subscriber->output, &options, why);
}

int output_start(struct subscriber *subscriber)
{
    const struct writer_handlers handlers = {on_written, on_drained, on_failed, subscriber};
    bool by_line = subscriber->cursor || subscriber->settings.line_buffered;
    return writer_init(&subscriber->writer, &subscriber->loop, STDOUT_FILENO, by_line, &handlers);
}
