/* SPDX-License-Identifier: ISC
 *
 * Entries of a tenant's stream, page by page. A position is the id of an entry.
 *
 * What is read is settled at the first start: the ids that --since and --until mean then. A page
 * begins with the last entry of the one before, so that a stream which is trimmed meanwhile is
 * noticed: then that entry is gone, and others behind it may be.
 */
#include "arda-replay/replay.h"

#include "arda/stream/stream.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct stream {
    struct arda_stream_id first, last; /* both included */
    bool knows_range;
    struct arda_stream_id read; /* the last one that was; 0-0: none */
    size_t page;
    uint64_t entries; /* of the round, for messages */
    bool is_asking;
    bool at_end;
    bool paused;
    char name[ARDA_ID_MAX + 16];
};

static int ask(struct replay *replay, int (*send)(struct request *request));
static void read_on(struct replay *replay);

static struct base_slice tenant_of(const struct replay *replay)
{
    const char *tenant = replay->settings.from_stream;
    return (struct base_slice){tenant, strlen(tenant)};
}

/* ---- the range ---- */

static int send_find_last(struct request *request);

static void begin_round(struct replay *replay)
{
    struct stream *stream = replay->stream;
    const struct arda_ledger_position *done = checkpoint_done(replay);
    stream->read = (struct arda_stream_id){0, 0};
    stream->at_end = false;
    stream->entries = 0;
    if (done && done->round == replay->round)
        stream->read = (struct arda_stream_id){done->major, done->minor};
    read_on(replay);
}

static void on_last(void *data, int result, struct arda_stream_id id, const struct base_why *why)
{
    struct request *request = data;
    struct replay *replay = request->replay;
    replay->stream->last = id;
    if (!bus_answer(request, result, why))
        return;
    replay->stream->knows_range = true;
    checkpoint_set_range(replay, replay->stream->first, id);
    begin_round(replay);
}

static int send_find_last(struct request *request)
{
    struct replay *replay = request->replay;
    return arda_stream_find(replay->bus, tenant_of(replay), &replay->wishes.until,
                            ARDA_STREAM_UNTIL, on_last, request);
}

static void on_first(void *data, int result, struct arda_stream_id id, const struct base_why *why)
{
    struct request *request = data;
    struct replay *replay = request->replay;
    replay->stream->first = id;
    if (bus_answer(request, result, why))
        ask(replay, send_find_last);
}

static int send_find_first(struct request *request)
{
    struct replay *replay = request->replay;
    return arda_stream_find(replay->bus, tenant_of(replay), &replay->wishes.since,
                            ARDA_STREAM_SINCE, on_first, request);
}

/* ---- pages ---- */

static bool has_read(const struct stream *stream)
{
    return !arda_stream_id_is_zero(stream->read);
}

static void say_trimmed(struct replay *replay)
{
    char id[ARDA_STREAM_ID_LEN + 1];
    arda_stream_id_format(replay->stream->read, id);
    base_log(BASE_LOG_WARNING,
             "the stream was trimmed while it was read: entries after %s may be missing", id);
    replay->counts.gaps++;
}

static void take_entry(struct replay *replay, const struct arda_stream_entry *entry)
{
    struct stream *stream = replay->stream;
    struct base_place place = {stream->name, ++stream->entries};
    stream->read = entry->id;
    intake_record(replay, entry->id.ms, entry->id.seq, &place, entry->envelope);
}

static void take_page(struct replay *replay, const struct arda_stream_page *page)
{
    struct stream *stream = replay->stream;
    size_t next = 0;
    if (has_read(stream)) {
        bool overlaps =
            page->count > 0 && arda_stream_id_compare(page->entries[0].id, stream->read) == 0;
        next = overlaps;
        if (!overlaps)
            say_trimmed(replay);
    }
    for (; next < page->count && !replay->ending; next++)
        take_entry(replay, &page->entries[next]);
}

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    struct request *request = data;
    struct replay *replay = request->replay;
    struct stream *stream = replay->stream;
    bool is_last = result == BASE_OK && page->count < stream->page;
    if (result == BASE_OK && !replay->ending) {
        take_page(replay, page);
        stream->page = arda_stream_page_size(page, stream->page) + 1;
    }
    if (!bus_answer(request, result, why))
        return;
    stream->is_asking = false;
    stream->at_end = is_last;
    if (is_last)
        intake_end(replay);
    else
        read_on(replay);
}

static int send_page(struct request *request)
{
    struct replay *replay = request->replay;
    struct stream *stream = replay->stream;
    struct arda_stream_range range = {.tenant = tenant_of(replay),
                                      .first = has_read(stream) ? stream->read : stream->first,
                                      .last = stream->last,
                                      .max_entries = stream->page};
    return arda_stream_read(replay->bus, &range, on_page, request);
}

/* ---- the source ---- */

static int ask(struct replay *replay, int (*send)(struct request *request))
{
    struct request *request = bus_request(replay, send);
    if (!request)
        return BASE_EXIT_SOFTWARE;
    replay->stream->is_asking = true;
    app_outbox_add(replay->outbox, &request->item);
    return BASE_EXIT_OK;
}

static void read_on(struct replay *replay)
{
    struct stream *stream = replay->stream;
    if (!replay->paused && !stream->at_end && !replay->ending)
        ask(replay, send_page);
}

static int stream_open(struct replay *replay)
{
    if (replay->stream) { /* another round */
        begin_round(replay);
        return BASE_EXIT_OK;
    }
    struct stream *stream = base_calloc(1, sizeof *stream);
    replay->stream = stream;
    if (!stream) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    snprintf(stream->name, sizeof stream->name, "stream of %s", replay->settings.from_stream);
    stream->page = arda_stream_page_size(NULL, 0);
    stream->knows_range = checkpoint_range(replay, &stream->first, &stream->last);
    if (stream->knows_range)
        begin_round(replay);
    else
        return ask(replay, send_find_first);
    return BASE_EXIT_OK;
}

static void stream_pause(struct replay *replay)
{
    (void)replay; /* the next page is not asked for */
}

static void stream_resume(struct replay *replay)
{
    if (replay->stream && replay->stream->knows_range && !replay->stream->is_asking)
        read_on(replay);
}

static void stream_close(struct replay *replay)
{
    (void)replay; /* answers go on to come, and find that it is ending */
}

void stream_free(struct replay *replay)
{
    base_free_clear(&replay->stream);
}

const struct source stream_source = {stream_open, stream_pause, stream_resume, stream_close};
