/* SPDX-License-Identifier: ISC
 *
 * What has to be done for a tenant before its first event: a shadow is entered in the set of
 * shadows, so that nothing is delivered outside for it; and where events may have been published
 * before, by an earlier start or by somebody else, the ids in its stream are read. The events of
 * the tenant, and those behind them, wait until that is done.
 */
#include "arda-replay/replay.h"

#include "arda/bus/seen.h"
#include "arda/name/keys.h"
#include "arda/replay/shadow.h"
#include "arda/stream/stream.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define SEEN_MOST (1 << 20)

struct tenant {
    struct replay *replay;
    unsigned open_questions;
    struct arda_stream_id next; /* to be read */
    size_t page;                /* entries that are asked for */
    struct arda_seen seen;
    size_t len;
    char id[ARDA_ID_MAX + 1];
};

static void done(struct tenant *tenant)
{
    if (--tenant->open_questions == 0)
        pace_go_on(tenant->replay);
}

/* ---- the set of shadows ---- */

static void on_marked(void *data, int result, const struct base_why *why)
{
    struct request *request = data;
    struct tenant *tenant = request->tenant;
    if (bus_answer(request, result, why))
        done(tenant);
}

static int send_mark(struct request *request)
{
    struct tenant *tenant = request->tenant;
    return arda_shadow_add(request->replay->bus, tenant->id, tenant->len, on_marked, request);
}

/* ---- the ids in the stream ---- */

static int ask_page(struct tenant *tenant);

static int note_entry(struct tenant *tenant, const struct arda_stream_entry *entry)
{
    struct arda_message message;
    struct base_buf id = BASE_BUF_INIT;
    if (arda_message_parse(entry->envelope.data, entry->envelope.len, tenant->id, tenant->len,
                           &message, NULL) != ARDA_DROP_NONE ||
        message.id.kind != BASE_JSON_STRING)
        return BASE_OK;
    int failed = base_json_unescape(&message.id, &id);
    if (!failed)
        arda_seen_add(&tenant->seen, id.data, id.len);
    base_buf_fini(&id);
    return failed == BASE_ERR_NOMEM ? failed : BASE_OK;
}

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    struct request *request = data;
    struct tenant *tenant = request->tenant;
    int failed = BASE_OK;
    bool is_last = result == BASE_OK && page->count < tenant->page;
    for (size_t i = 0; result == BASE_OK && i < page->count && !failed; i++) {
        failed = note_entry(tenant, &page->entries[i]);
        tenant->next = arda_stream_id_next(page->entries[i].id);
    }
    if (result == BASE_OK)
        tenant->page = arda_stream_page_size(page, tenant->page);
    if (!bus_answer(request, result, why))
        return;
    if (!failed && is_last)
        done(tenant);
    else if (failed || ask_page(tenant))
        replay_out_of_memory(tenant->replay);
}

static int send_page(struct request *request)
{
    struct tenant *tenant = request->tenant;
    struct arda_stream_range range = {.tenant = {tenant->id, tenant->len},
                                      .first = tenant->next,
                                      .last = ARDA_STREAM_ID_LAST,
                                      .max_entries = tenant->page};
    return arda_stream_read(request->replay->bus, &range, on_page, request);
}

static int ask(struct tenant *tenant, int (*send)(struct request *request))
{
    struct request *request = bus_request(tenant->replay, send);
    if (!request)
        return BASE_ERR_NOMEM;
    request->tenant = tenant;
    app_outbox_add(tenant->replay->outbox, &request->item);
    return BASE_OK;
}

static int ask_page(struct tenant *tenant)
{
    return ask(tenant, send_page);
}

/* ---- tenants ---- */

/* Where ids may be there already: they are kept, or a run is gone on with. */
static bool may_have_seen(const struct replay *replay)
{
    return replay->settings.keep_ids || replay->settings.run || checkpoint_is_read(replay);
}

static int ask_about(struct tenant *tenant)
{
    struct replay *replay = tenant->replay;
    bool marks = replay->settings.shadow, reads = may_have_seen(replay);
    tenant->open_questions = (unsigned)marks + (unsigned)reads;
    int failed = marks ? ask(tenant, send_mark) : BASE_OK;
    if (!failed && reads)
        failed = ask_page(tenant);
    return failed;
}

static struct tenant *add(struct replay *replay, const char *id, size_t len)
{
    struct tenant *tenant = base_calloc(1, sizeof *tenant);
    if (!tenant)
        return NULL;
    tenant->replay = replay;
    tenant->seen.max = SEEN_MOST;
    tenant->page = arda_stream_page_size(NULL, 0);
    tenant->len = len;
    memcpy(tenant->id, id, len);
    if (base_map_set(&replay->tenants, id, len, tenant) == 0)
        return tenant;
    base_free(tenant);
    return NULL;
}

struct tenant *tenants_get(struct replay *replay, const char *id, size_t len, bool *failed)
{
    *failed = false;
    if (!replay->settings.shadow && !may_have_seen(replay))
        return NULL;
    struct tenant *tenant = base_map_get(&replay->tenants, id, len);
    if (tenant)
        return tenant;
    tenant = add(replay, id, len);
    *failed = !tenant || ask_about(tenant) < 0;
    return *failed ? NULL : tenant;
}

bool tenant_is_ready(const struct tenant *tenant)
{
    return tenant->open_questions == 0;
}

bool tenant_has_seen(struct tenant *tenant, struct base_slice id)
{
    return may_have_seen(tenant->replay) && arda_seen_add(&tenant->seen, id.data, id.len);
}

void tenants_fini(struct replay *replay)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&replay->tenants, &cursor)) != NULL) {
        struct tenant *tenant = entry->value;
        arda_seen_fini(&tenant->seen);
        base_free(tenant);
    }
    base_map_fini(&replay->tenants);
}
