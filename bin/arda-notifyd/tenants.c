/* SPDX-License-Identifier: ISC
 *
 * A tenant becomes known by its doorbell, by the directory, or by its stream. One that is in none
 * of these any more is forgotten when its stream was asked for in vain.
 */
#include "notifyd.h"

#include "arda/directory.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define PEOPLE_KEPT_US (60 * 1000000ull) /* of tenants without events */

struct tenant *tenants_find(struct notifyd *nd, const char *id, size_t len)
{
    return base_map_get(&nd->tenants, id, len);
}

struct tenant *tenants_get(struct notifyd *nd, const char *id, size_t len)
{
    struct tenant *tenant = tenants_find(nd, id, len);
    if (tenant)
        return tenant;
    tenant = base_calloc(1, sizeof *tenant + len + 1);
    if (!tenant)
        return NULL;
    tenant->nd = nd;
    memcpy(tenant->id, id, len);
    base_list_init(&tenant->ring);
    base_list_init(&tenant->ready);
    base_list_init(&tenant->queue);
    base_list_init(&tenant->heard);
    arda_stream_id_parse(nd->intake.start, strlen(nd->intake.start), &tenant->read);
    if (base_map_set(&nd->tenants, id, len, tenant) < 0) {
        base_free(tenant);
        return NULL;
    }
    return tenant;
}

static void free_tenant(struct tenant *tenant)
{
    struct notifyd *nd = tenant->nd;
    BASE_LIST_FOREACH_SAFE (link, &tenant->queue)
        work_free(base_container(link, struct work, link));
    BASE_LIST_FOREACH_SAFE (link, &tenant->heard)
        work_free(base_container(link, struct work, link));
    base_list_remove(&tenant->ring);
    base_list_remove(&tenant->ready);
    intake_left(tenant);
    people_unref(tenant->people);
    base_map_remove(&nd->tenants, tenant->id, strlen(tenant->id));
    base_free(tenant);
}

void tenants_release(struct tenant *tenant)
{
    /* Works that wait among those others may have point to it, too: they count as heard. */
    bool used = !base_list_empty(&tenant->queue) || !base_list_empty(&tenant->heard) ||
                !base_list_empty(&tenant->ring) || tenant->taking || tenant->loading ||
                tenant->again || tenant->nd->channel.heard_count > 0;
    if (!used && !tenant->exists && !tenant->nd->discovering &&
        tenant->listed != tenant->nd->listing)
        free_tenant(tenant);
}

/* ---- looking for them ---- */

static void on_tenant(void *data, const char *id, size_t len)
{
    struct notifyd *nd = data;
    if (!arda_tenant_valid(id, len))
        return;
    bool known = tenants_find(nd, id, len) != NULL;
    struct tenant *tenant = tenants_get(nd, id, len);
    if (!tenant)
        return;
    tenant->listed = nd->listing;
    if (!known)
        intake_ring(tenant);
}

static void on_listed(void *data, int result, const struct base_why *why)
{
    struct notifyd *nd = data;
    static struct base_log_limit limit;
    nd->discovering = false;
    if (result && result != BASE_ERR_CLOSED)
        base_log_limited(&limit, BASE_LOG_WARNING, "the directory's tenants: %s", why->text);
    notifyd_check_end(nd);
}

static void on_stream(void *data, const char *id, size_t len)
{
    struct notifyd *nd = data;
    if (tenants_find(nd, id, len))
        return;
    struct tenant *tenant = tenants_get(nd, id, len);
    if (tenant)
        intake_ring(tenant);
}

static void on_scanned(void *data, int result, const struct base_why *why)
{
    struct notifyd *nd = data;
    static struct base_log_limit limit;
    nd->scanning = false;
    if (result && result != BASE_ERR_CLOSED)
        base_log_limited(&limit, BASE_LOG_WARNING, "looking for streams: %s", why->text);
    notifyd_check_end(nd);
}

void tenants_discover(struct notifyd *nd, bool all)
{
    struct arda_intake_scan scan = {on_stream, on_scanned, nd};
    if (!nd->discovering) {
        nd->listing++;
        nd->discovering = arda_directory_tenants(nd->bus, on_tenant, on_listed, nd) == 0;
        if (!nd->discovering)
            nd->listing--;
    }
    if (all && !nd->scanning)
        nd->scanning = arda_intake_scan(nd->bus, &scan) == 0;
}

/* ---- the rest ---- */

void tenants_forget_people(struct notifyd *nd, bool all)
{
    uint64_t now = base_clock_mono_us();
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&nd->tenants, &cursor))) {
        struct tenant *tenant = entry->value;
        if (all || (base_list_empty(&tenant->queue) && now - tenant->used_us > PEOPLE_KEPT_US)) {
            people_unref(tenant->people);
            tenant->people = NULL;
        }
    }
}

void tenants_fini(struct notifyd *nd)
{
    struct base_map_entry *entry;
    for (size_t cursor = 0; (entry = base_map_next(&nd->tenants, &cursor)); cursor = 0)
        free_tenant(entry->value);
    base_map_fini(&nd->tenants);
}
