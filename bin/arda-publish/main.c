/* SPDX-License-Identifier: ISC
 *
 * arda-publish: events from lines, files or arguments, checked, completed and published.
 */
#include "arda-publish/publish.h"

#include "arda/input.h"
#include "base/exit.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define MAX_LINE_BYTES (16 << 20)
#define HELD_HIGH      4096 /* events held before reading pauses ... */
#define HELD_LOW       2048 /* ... until so few are left */
#define GRACE_MS       1000 /* for answers that are on their way when it ends early */

static const struct base_opt rows[] = {PUBLISH_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-publish",
    .operands = "[FILE... | TYPE NAME=VALUE...]",
    .about = "Check events, one JSON object a line, fill in what they lack, and publish them. "
             "Without operands standard input is read.",
    .after = "--help TYPE explains an event type, --help types lists them.",
    .help_topic = help_topic,
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
};

struct publisher {
    struct settings settings;
    uv_loop_t loop;
    uv_signal_t signals[3];
    struct arda_bus *bus;
    struct arda_input *input;
    struct arda_outbox *outbox;
    char **operands;
    int operand_count;
    int next; /* operand to read */
    struct base_place place;
    uint64_t bad_lines;
    bool read_all;
    bool paused;
    bool ending;
    int status;
    int signal;
};

/* ---- ending ---- */

static void stop_reading(struct publisher *publisher)
{
    arda_input_close(publisher->input);
    publisher->input = NULL;
}

static void on_bus_gone(void *data)
{
    struct publisher *publisher = data;
    size_t lost = arda_outbox_report(publisher->outbox);
    if (lost == 0)
        return;
    if (!publisher->read_all)
        base_log(BASE_LOG_ERROR, "nothing behind line %" PRIu64 " was read", publisher->place.line);
    publisher->status = BASE_EXIT_TEMPFAIL;
}

static void end(struct publisher *publisher, int status)
{
    if (publisher->ending)
        return;
    publisher->ending = true;
    if (!publisher->status)
        publisher->status = status;
    stop_reading(publisher);
    arda_outbox_end(publisher->outbox);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&publisher->signals[i], NULL);
    if (publisher->bus)
        arda_bus_shutdown(publisher->bus, GRACE_MS, on_bus_gone, publisher);
}

static void on_impatient(void *data)
{
    struct publisher *publisher = data;
    base_log(BASE_LOG_ERROR, "giving up: Redis was away for too long");
    end(publisher, BASE_EXIT_TEMPFAIL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct publisher *publisher = handle->data;
    publisher->signal = number;
    end(publisher, BASE_EXIT_OK);
}

/* Everything is read and confirmed. */
static void end_when_done(struct publisher *publisher)
{
    int refused = base_exit_status(arda_outbox_refusal(publisher->outbox));
    if (publisher->read_all && arda_outbox_held(publisher->outbox) == 0)
        end(publisher, publisher->bad_lines ? BASE_EXIT_DATAERR : refused);
}

/* ---- the outbox ---- */

static struct outgoing *as_outgoing(struct arda_outbox_item *item)
{
    return base_container(item, struct outgoing, item);
}

static void on_published(void *data, int result, const char *stream_id, const struct base_why *why)
{
    (void)stream_id;
    arda_outbox_answer(data, result == ARDA_DUPLICATE ? BASE_OK : result, why);
}

static int send_event(void *data, struct arda_outbox_item *item)
{
    struct publisher *publisher = data;
    return arda_bus_publish(publisher->bus, &as_outgoing(item)->publication, on_published, item);
}

static void fini_event(struct arda_outbox_item *item)
{
    arda_publication_texts_fini(&as_outgoing(item)->texts);
}

static void on_outbox_change(void *data)
{
    struct publisher *publisher = data;
    if (publisher->ending)
        return;
    if (publisher->paused && publisher->input && arda_outbox_held(publisher->outbox) <= HELD_LOW) {
        publisher->paused = false;
        arda_input_resume(publisher->input);
    }
    end_when_done(publisher);
}

/* ---- lines ---- */

static void print(struct publisher *publisher, const struct outgoing *event)
{
    const struct base_slice *text = &event->publication.message;
    if (fwrite(text->data, 1, text->len, stdout) == text->len && putchar('\n') != EOF)
        return;
    base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
    end(publisher, BASE_EXIT_IOERR);
}

static void bad_line(struct publisher *publisher)
{
    publisher->bad_lines++;
    if (!publisher->settings.strict)
        return;
    stop_reading(publisher);
    publisher->read_all = true; /* of what there is to read */
}

static void out_of_memory(struct publisher *publisher)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%sout of memory", base_place_text(&publisher->place, where));
    end(publisher, BASE_EXIT_SOFTWARE);
}

static void take_event(struct publisher *publisher, struct base_slice line)
{
    struct arda_outbox_item *item = arda_outbox_blank(publisher->outbox);
    if (!item) {
        out_of_memory(publisher);
        return;
    }
    struct outgoing *event = as_outgoing(item);
    int failed = prepare(&publisher->settings, &publisher->place, line, event);
    if (!failed && !publisher->settings.dry_run) {
        arda_outbox_add(publisher->outbox, item);
        return;
    }
    if (!failed)
        print(publisher, event);
    arda_outbox_drop(item);
    if (failed == BASE_ERR_SYNTAX)
        bad_line(publisher);
    else if (failed)
        out_of_memory(publisher);
}

static void on_line(void *data, uint64_t number, struct base_slice line)
{
    struct publisher *publisher = data;
    publisher->place.line = number;
    take_event(publisher, line);
    if (!publisher->input) {
        end_when_done(publisher);
    } else if (arda_outbox_held(publisher->outbox) >= HELD_HIGH) {
        publisher->paused = true;
        arda_input_pause(publisher->input);
    }
}

static void on_bad_line(void *data, uint64_t number, int result)
{
    struct publisher *publisher = data;
    char where[BASE_PLACE_MAX];
    publisher->place.line = number;
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&publisher->place, where),
             result == BASE_ERR_LIMIT ? "longer than 16 MiB" : base_err_text(result));
    bad_line(publisher);
    end_when_done(publisher);
}

/* ---- inputs, one after the other ---- */

static void read_next(struct publisher *publisher);

static void on_input_end(void *data, int result, const struct base_why *why)
{
    struct publisher *publisher = data;
    char where[BASE_PLACE_MAX];
    stop_reading(publisher);
    if (result) {
        base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&publisher->place, where), why->text);
        publisher->status = BASE_EXIT_IOERR;
    }
    read_next(publisher);
}

/* A file that cannot be opened is said, and the others are read. */
static void read_next(struct publisher *publisher)
{
    struct arda_input_handlers handlers = {on_line, on_bad_line, on_input_end, publisher};
    struct base_why why;
    while (publisher->next < publisher->operand_count) {
        const char *path = publisher->operands[publisher->next++];
        bool stdin_named = strcmp(path, "-") == 0;
        publisher->place = (struct base_place){stdin_named ? NULL : path, 0};
        if (arda_input_open(&publisher->loop, path, MAX_LINE_BYTES, &handlers, &publisher->input,
                            &why) == 0)
            return;
        base_log(BASE_LOG_ERROR, "%s", why.text);
        publisher->status = BASE_EXIT_IOERR;
    }
    publisher->read_all = true;
    end_when_done(publisher);
}

static void read_arguments(struct publisher *publisher)
{
    struct base_buf line = BASE_BUF_INIT;
    int failed = arguments_to_json(publisher->operands, publisher->operand_count, &line);
    publisher->read_all = true;
    if (!failed)
        take_event(publisher, (struct base_slice){line.data, line.len});
    else if (failed == BASE_ERR_SYNTAX)
        bad_line(publisher);
    else
        out_of_memory(publisher);
    base_buf_fini(&line);
    if (!publisher->ending)
        end_when_done(publisher);
}

/* ---- beginning ---- */

static void on_state(void *data, bool up, const struct base_why *why)
{
    struct publisher *publisher = data;
    if (publisher->ending)
        return;
    if (up)
        base_log(BASE_LOG_DEBUG, "redis: connected");
    else
        base_log(BASE_LOG_WARNING, "%s; trying again", why->text);
    arda_outbox_on_state(publisher->outbox, up);
}

static int open_bus(struct publisher *publisher)
{
    struct base_why why;
    struct arda_bus_options options = {.url = publisher->settings.redis,
                                       .prefix = publisher->settings.prefix,
                                       .name = "arda-publish",
                                       .on_state = on_state,
                                       .data = publisher};
    int failed = arda_bus_get(&publisher->loop, &options, &publisher->bus, &why);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    return failed;
}

static void start_loop(struct publisher *publisher)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    uv_loop_init(&publisher->loop);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&publisher->loop, &publisher->signals[i]);
        publisher->signals[i].data = publisher;
        uv_signal_start(&publisher->signals[i], on_signal, numbers[i]);
    }
    struct arda_outbox_options options = {.item_size = sizeof(struct outgoing),
                                          .patience_ms = (uint64_t)publisher->settings.retry_for,
                                          .send = send_event,
                                          .fini = fini_event,
                                          .on_change = on_outbox_change,
                                          .on_impatient = on_impatient,
                                          .data = publisher};
    publisher->outbox = arda_outbox_new(&publisher->loop, &options);
    if (!publisher->outbox) {
        base_log(BASE_LOG_ERROR, "out of memory");
        exit(BASE_EXIT_SOFTWARE);
    }
}

static void run(struct publisher *publisher)
{
    static char *standard_input[] = {"-", NULL};
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    start_loop(publisher);
    int failed = publisher->settings.dry_run ? 0 : open_bus(publisher);
    if (failed) {
        end(publisher, base_exit_status(failed));
    } else if (arguments_are_event(publisher->operands, publisher->operand_count)) {
        read_arguments(publisher);
    } else {
        if (publisher->operand_count == 0) {
            publisher->operands = standard_input;
            publisher->operand_count = 1;
        }
        read_next(publisher);
    }
    uv_run(&publisher->loop, UV_RUN_DEFAULT);
    uv_loop_close(&publisher->loop);
}

int main(int argc, char **argv)
{
    static struct publisher publisher;
    publisher.operand_count =
        base_opt_start(&program, &publisher.settings, argc, argv, &publisher.operands);
    run(&publisher);
    arda_outbox_free(publisher.outbox);
    base_opt_fini(&program, &publisher.settings);
    if (fclose(stdout) != 0 && publisher.status == BASE_EXIT_OK)
        publisher.status = BASE_EXIT_IOERR;
    if (publisher.signal && publisher.status == BASE_EXIT_OK) { /* the shell is to see it */
        signal(publisher.signal, SIG_DFL);
        raise(publisher.signal);
    }
    return publisher.status;
}
