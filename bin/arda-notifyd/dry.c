/* SPDX-License-Identifier: ISC
 *
 * --dry-run: streams are read from where the program began, page by page, and nobody else notices.
 */
#include "notifyd.h"

#include "base/log.h"
#include <string.h>

#define PAGE  64 /* entries */
#define READS 32 /* at once */

static void take_entry(struct tenant *tenant, const struct arda_stream_entry *entry)
{
    static struct base_log_limit limit;
    struct notifyd *nd = tenant->nd;
    char id[ARDA_STREAM_ID_LEN + 1];
    arda_stream_id_format(entry->id, id);
    tenant->read = entry->id;
    nd->counters.entries++;
    struct work_verdict verdict = work_make(tenant, entry->envelope, FROM_STREAM, id);
    if (verdict.result == WORK_MADE) {
        channel_taken(tenant, &verdict.work->cause);
        work_add(verdict.work);
    } else if (verdict.result == WORK_SKIPPED) {
        nd->counters.skipped[verdict.skip]++;
        explain_skipped(nd, entry->envelope, verdict.skip);
    } else if (verdict.result == WORK_POISON) {
        nd->counters.dead_letters++;
        base_log_limited(&limit, BASE_LOG_WARNING, "tenant %s: entry %s of the stream: %s",
                         tenant->id, id, verdict.reason);
    }
}

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    static struct base_log_limit limit;
    struct tenant *tenant = data;
    tenant->taking = false;
    if (result && result != BASE_ERR_CLOSED)
        base_log_limited(&limit, BASE_LOG_ERROR, "tenant %s: its stream cannot be read: %s",
                         tenant->id, why->text);
    size_t count = result ? 0 : page->count;
    for (size_t i = 0; i < count; i++)
        take_entry(tenant, &page->entries[i]);
    if (tenant->again || count == PAGE) {
        tenant->again = false;
        intake_ring(tenant);
    }
    if (count < PAGE)
        channel_settle(tenant, tenant->take_number);
    intake_taken(tenant);
    notifyd_check_end(tenant->nd);
}

static void read_on(struct tenant *tenant)
{
    struct arda_stream_range range = {
        .tenant = {tenant->id, strlen(tenant->id)},
        .first = arda_stream_id_next(tenant->read),
        .last = ARDA_STREAM_ID_LAST,
        .max_entries = PAGE,
    };
    if (arda_stream_read(tenant->nd->bus, &range, on_page, tenant) < 0) {
        intake_left(tenant);
        return;
    }
    tenant->taking = true;
    tenant->take_number++;
}

void dry_flush(struct notifyd *nd)
{
    struct tenant *tenants[READS];
    size_t count = intake_pick(nd, tenants, READS);
    for (size_t i = 0; i < count; i++)
        read_on(tenants[i]);
}
