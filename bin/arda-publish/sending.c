/* SPDX-License-Identifier: ISC
 *
 * Events on their way to Redis, and what is said of those that have arrived.
 *
 * An event with a new id is numbered by this run and marked by one bit; one with an id that was
 * there, or follows from the line, is marked by that (bus.h). So whatever is lost, sending again
 * never publishes twice.
 */
#include "arda-publish/publish.h"

#include "base/exit.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

#define HELD_HIGH       4096 /* events held before reading pauses ... */
#define HELD_LOW        2048 /* ... until so few are left */
#define HELD_BYTES_HIGH ((size_t)64 << 20)
#define PRINTED_HIGH    ((size_t)1 << 20) /* bytes that wait for the reader of standard output */
#define SPARE_BYTES     65536             /* a buffer beyond this is not kept for the next event */
#define GRACE_MS        1000              /* for answers that are on their way when it ends early */

static struct outgoing *as_outgoing(struct app_outbox_item *item)
{
    return base_container(item, struct outgoing, item);
}

static struct publisher *publisher_of(const struct app_outbox_item *item)
{
    return app_outbox_data(item->outbox);
}

/* ---- how much there is ---- */

static size_t printed(const struct publisher *publisher)
{
    return publisher->output ? app_output_waiting(publisher->output) : 0;
}

bool sending_is_full(const struct publisher *publisher)
{
    return app_outbox_held(publisher->outbox) >= HELD_HIGH ||
           publisher->held_bytes >= HELD_BYTES_HIGH || printed(publisher) >= PRINTED_HIGH;
}

bool sending_has_room(const struct publisher *publisher)
{
    return app_outbox_held(publisher->outbox) <= HELD_LOW &&
           publisher->held_bytes <= HELD_BYTES_HIGH / 2 && printed(publisher) <= PRINTED_HIGH / 2;
}

bool sending_is_idle(const struct publisher *publisher)
{
    return app_outbox_held(publisher->outbox) == 0 && printed(publisher) == 0;
}

/* ---- printing ---- */

/* {"file":…,"line":…,"eventId":…,"streamId":…,"duplicate":true} */
static int add_ack(struct base_buf *out, const struct outgoing *event, bool names_file,
                   const char *stream_id, bool duplicate)
{
    const struct base_place *place = &event->item.place;
    const char *file = place->file ? place->file : "-";
    const struct base_slice *id = &event->publication.event_id;
    int failed = base_buf_add_byte(out, '{');
    if (names_file) {
        failed |= base_buf_add_text(out, "\"file\":");
        failed |= base_json_quote(out, file, strlen(file)) | base_buf_add_byte(out, ',');
    }
    if (place->line > 0)
        failed |= base_buf_printf(out, "\"line\":%" PRIu64 ",", place->line);
    failed |= base_buf_add_text(out, "\"eventId\":") | base_json_quote(out, id->data, id->len);
    failed |= base_buf_add_text(out, ",\"streamId\":");
    failed |= stream_id ? base_json_quote(out, stream_id, strlen(stream_id))
                        : base_buf_add_text(out, "null");
    if (duplicate)
        failed |= base_buf_add_text(out, ",\"duplicate\":true");
    return failed | base_buf_add_text(out, "}\n");
}

static int add_message(struct base_buf *out, const struct arda_publication *publication)
{
    int failed = base_buf_add(out, publication->message.data, publication->message.len);
    failed |= base_buf_add_byte(out, '\n');
    return publication->also && !failed ? add_message(out, publication->also) : failed;
}

static void print(struct publisher *publisher, size_t before, int failed)
{
    struct base_buf *out = app_output_buf(publisher->output);
    if (failed) {
        out->len = before;
        publisher_out_of_memory(publisher);
    } else {
        app_output_touch(publisher->output);
    }
}

static void print_ack(struct publisher *publisher, const struct outgoing *event,
                      const char *stream_id, bool duplicate)
{
    struct base_buf *out = app_output_buf(publisher->output);
    size_t before = out->len;
    bool names_file = publisher->operand_count > 1 && event->item.place.line > 0;
    print(publisher, before, add_ack(out, event, names_file, stream_id, duplicate));
}

static void print_event(struct publisher *publisher, const struct outgoing *event)
{
    struct base_buf *out = app_output_buf(publisher->output);
    size_t before = out->len;
    print(publisher, before, add_message(out, &event->publication));
}

static void close_output(struct publisher *publisher)
{
    app_output_close(publisher->output);
    publisher->output = NULL;
    uv_close((uv_handle_t *)&publisher->patience, NULL);
}

static void on_room(void *data)
{
    struct publisher *publisher = data;
    if (publisher->finishing && printed(publisher) == 0) {
        close_output(publisher);
        return;
    }
    reading_go_on(publisher);
    publisher_end_when_done(publisher);
}

/* Without a reader nothing more is to be done but what has begun. */
static void on_output_error(void *data, int result, const struct base_why *why)
{
    struct publisher *publisher = data;
    publisher->reader_gone = result == BASE_ERR_CLOSED;
    if (!publisher->reader_gone)
        base_log(BASE_LOG_ERROR, "%s", why->text);
    if (!publisher->reader_gone && !publisher->status)
        publisher->status = BASE_EXIT_IOERR;
    if (publisher->finishing) {
        close_output(publisher);
        return;
    }
    if (publisher->ending)
        return;
    reading_close(publisher);
    publisher->read_all = true;
    publisher_end_when_done(publisher);
}

static void on_reader_patience_end(uv_timer_t *timer)
{
    close_output(timer->data);
}

void sending_finish_output(struct publisher *publisher)
{
    publisher->finishing = true;
    if (publisher->output && printed(publisher) > 0)
        uv_timer_start(&publisher->patience, on_reader_patience_end, GRACE_MS, 0);
    else
        close_output(publisher);
}

/* ---- the outbox ---- */

static void drop_big_buffers(struct outgoing *event)
{
    if (event->texts.message.cap > SPARE_BYTES || event->texts.envelope.cap > SPARE_BYTES)
        arda_publication_texts_fini(&event->texts);
    if (event->also_texts.message.cap > SPARE_BYTES || event->also_texts.envelope.cap > SPARE_BYTES)
        arda_publication_texts_fini(&event->also_texts);
}

/* That it was there already is news unless this run has put it there. */
static void on_published(void *data, int result, const char *stream_id, const struct base_why *why)
{
    struct app_outbox_item *item = data;
    struct outgoing *event = as_outgoing(item);
    struct publisher *publisher = publisher_of(item);
    bool done = result == ARDA_PUBLISHED || result == ARDA_DUPLICATE;
    bool duplicate = result == ARDA_DUPLICATE && event->times_sent == 1;
    if (done && publisher->settings.ack && publisher->output)
        print_ack(publisher, event, stream_id, duplicate);
    if (!app_outbox_tries_again(result)) {
        publisher->held_bytes -= event->bytes;
        drop_big_buffers(event);
    }
    app_outbox_answer(item, done ? BASE_OK : result, why);
}

static int send_event(void *data, struct app_outbox_item *item)
{
    struct publisher *publisher = data;
    struct outgoing *event = as_outgoing(item);
    if (event->times_sent > 0)
        event->publication.again = true;
    int failed = arda_bus_publish(publisher->bus, &event->publication, on_published, item);
    event->times_sent += failed == 0;
    return failed;
}

static void fini_event(struct app_outbox_item *item)
{
    arda_publication_texts_fini(&as_outgoing(item)->texts);
    arda_publication_texts_fini(&as_outgoing(item)->also_texts);
}

static void on_change(void *data)
{
    reading_go_on(data);
    publisher_end_when_done(data);
}

static void on_impatient(void *data)
{
    struct publisher *publisher = data;
    if (publisher->settings.dry_run)
        return;
    app_outbox_log_giving_up(publisher->outbox, arda_bus_reason(publisher->bus));
    publisher_end(publisher, BASE_EXIT_TEMPFAIL);
}

/* ---- events ---- */

struct outgoing *sending_blank(struct publisher *publisher)
{
    struct app_outbox_item *item = app_outbox_blank(publisher->outbox);
    struct outgoing *event = item ? as_outgoing(item) : NULL;
    if (event) {
        event->times_sent = 0;
        item->place = publisher->place;
    }
    return event;
}

void sending_drop(struct outgoing *event)
{
    drop_big_buffers(event);
    app_outbox_drop(&event->item);
}

void sending_take(struct publisher *publisher, struct outgoing *event)
{
    if (publisher->settings.dry_run) {
        if (publisher->output)
            print_event(publisher, event);
        sending_drop(event);
        return;
    }
    event->bytes = event->texts.message.len + event->texts.envelope.len +
                   event->also_texts.message.len + event->also_texts.envelope.len;
    publisher->held_bytes += event->bytes;
    app_outbox_add(publisher->outbox, &event->item);
}

/* ---- beginning and end ---- */

int sending_init(struct publisher *publisher)
{
    struct app_outbox_options options = {.item_size = sizeof(struct outgoing),
                                         .patience_ms = (uint64_t)publisher->settings.retry_for,
                                         .send = send_event,
                                         .fini = fini_event,
                                         .on_change = on_change,
                                         .on_impatient = on_impatient,
                                         .data = publisher};
    uv_timer_init(&publisher->loop, &publisher->patience);
    publisher->patience.data = publisher;
    publisher->outbox = app_outbox_new(&publisher->loop, &options);
    return publisher->outbox ? BASE_OK : BASE_ERR_NOMEM;
}

static void on_state(void *data, bool up, const struct base_why *why)
{
    struct publisher *publisher = data;
    if (publisher->ending)
        return;
    if (!up && arda_bus_is_refusal(why)) {
        base_log(BASE_LOG_ERROR, "%s", why->text);
        publisher->refused = true;
        publisher_end(publisher, base_exit_status(why->code));
        return;
    }
    if (up)
        base_log(BASE_LOG_DEBUG, "redis: connected");
    else
        base_log(BASE_LOG_WARNING, "%s; trying again", why->text);
    app_outbox_on_state(publisher->outbox, up);
}

int sending_start(struct publisher *publisher)
{
    const struct settings *settings = &publisher->settings;
    struct app_output_handlers handlers = {on_room, on_output_error, publisher};
    struct base_why why;
    int failed = 0;
    if (settings->ack || settings->dry_run)
        failed = app_output_open(&publisher->loop, &handlers, &publisher->output, &why);
    if (!failed && !settings->dry_run) {
        struct arda_bus_options options = {.url = settings->redis,
                                           .prefix = settings->prefix,
                                           .name = PROGRAM,
                                           .fence = true,
                                           .on_state = on_state,
                                           .data = publisher};
        failed = arda_bus_get(&publisher->loop, &options, &publisher->bus, &why);
    }
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    return base_exit_status(failed);
}

void sending_stop(struct publisher *publisher, void (*done)(void *data))
{
    struct base_slice run = {publisher->run, BASE_UUID_LEN};
    app_outbox_end(publisher->outbox);
    if (!publisher->bus) {
        done(publisher);
        return;
    }
    if (app_outbox_held(publisher->outbox) == 0 && publisher->numbered > 0)
        arda_bus_forget_run(publisher->bus, run, publisher->numbered);
    arda_bus_shutdown(publisher->bus, GRACE_MS, done, publisher);
}
