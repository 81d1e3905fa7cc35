/* SPDX-License-Identifier: ISC
 *
 * From a position to an id. One XINFO tells `end`, and that the stream can be read; an eventId is a
 * walk over the entries: forwards from the time in a UUIDv7 to the end first, then, since an id may
 * be older or younger than its publication, over what lies before. Every entry is looked at once.
 */
#include "arda/stream/stream.h"

#include "arda/bus.h"
#include "base/id.h"
#include "base/mem.h"

#include <string.h>

#define CLOCKS_DIFFER_MS 10000

struct search {
    struct arda_bus *bus;
    struct arda_when when;
    enum arda_stream_edge edge;
    arda_stream_id_fn done;
    void *data;
    struct arda_stream_range range;
    struct arda_stream_id split; /* where the walk has begun; 0-0: nothing lies before */
    char tenant[ARDA_ID_MAX];
};

static void finish(struct search *search, int result, struct arda_stream_id id,
                   const struct base_why *why)
{
    search->done(search->data, result, id, why);
    base_free(search);
}

static void on_info(void *data, int result, const struct arda_stream_info *info,
                    const struct base_why *why)
{
    struct search *search = data;
    bool since = search->edge == ARDA_STREAM_SINCE;
    struct arda_stream_id id = {0, 0};
    if (search->when.kind == ARDA_WHEN_END)
        id = since ? arda_stream_id_next(info->last) : info->last;
    else if (since)
        (void)arda_when_first(&search->when, &id);
    else
        (void)arda_when_last(&search->when, &id); /* until the start is nothing */
    finish(search, result, id, why);
}

/* ---- an event ---- */

static bool is_it(const struct search *search, const struct arda_stream_entry *entry)
{
    struct arda_message message;
    struct base_slice text = entry->envelope;
    enum arda_drop drop = arda_message_parse(text.data ? text.data : "", text.len, search->tenant,
                                             search->range.tenant.len, &message, NULL);
    return !drop &&
           base_json_equals(&message.id, search->when.event_id, strlen(search->when.event_id));
}

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why);

static void next_page(struct search *search, const struct arda_stream_page *page)
{
    struct base_why why;
    struct arda_stream_id none = {0, 0};
    if (page && page->count == search->range.max_entries) {
        search->range.first = arda_stream_id_next(page->entries[page->count - 1].id);
    } else if (page && !arda_stream_id_is_zero(search->split)) {
        search->range.first = none;
        search->range.last = arda_stream_id_previous(search->split);
        search->split = none;
    } else if (page) {
        base_why_set(&why, BASE_ERR_NOTFOUND, "no event %s in the stream of %.*s",
                     search->when.event_id, (int)search->range.tenant.len, search->tenant);
        finish(search, BASE_ERR_NOTFOUND, none, &why);
        return;
    }
    search->range.max_entries = arda_stream_page_size(page, search->range.max_entries);
    int failed = arda_stream_read(search->bus, &search->range, on_page, search);
    if (failed) {
        base_why_set(&why, failed, "%s", base_err_text(failed));
        finish(search, failed == BASE_ERR_UNAVAILABLE ? BASE_ERR_CLOSED : failed, none, &why);
    }
}

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    struct search *search = data;
    for (size_t i = 0; i < page->count; i++)
        if (is_it(search, &page->entries[i])) {
            finish(search, BASE_OK, page->entries[i].id, why);
            return;
        }
    if (result)
        finish(search, result, (struct arda_stream_id){0, 0}, why);
    else
        next_page(search, page);
}

static int start_walk(struct search *search)
{
    uint64_t ms;
    search->range.last = ARDA_STREAM_ID_LAST;
    search->range.max_entries = arda_stream_page_size(NULL, 0);
    if (base_id_uuid7_ms(search->when.event_id, &ms) && ms > CLOCKS_DIFFER_MS)
        search->range.first = search->split = (struct arda_stream_id){ms - CLOCKS_DIFFER_MS, 0};
    return arda_stream_read(search->bus, &search->range, on_page, search);
}

/* ---- begin ---- */

int arda_stream_find(struct arda_bus *bus, struct base_slice tenant, const struct arda_when *when,
                     enum arda_stream_edge edge, arda_stream_id_fn done, void *data)
{
    base_assert(when->kind != ARDA_WHEN_NONE);
    if (!arda_tenant_valid(tenant.data, tenant.len))
        return BASE_ERR_INVALID;
    struct search *search = base_calloc(1, sizeof *search);
    if (!search)
        return BASE_ERR_NOMEM;
    search->bus = bus;
    search->when = *when;
    search->edge = edge;
    search->done = done;
    search->data = data;
    memcpy(search->tenant, tenant.data, tenant.len);
    search->range.tenant = (struct base_slice){search->tenant, tenant.len};
    int failed = when->kind == ARDA_WHEN_EVENT ? start_walk(search)
                                               : arda_stream_info(bus, tenant, on_info, search);
    if (failed)
        base_free(search);
    return failed;
}
