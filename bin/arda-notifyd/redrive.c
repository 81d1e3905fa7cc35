/* SPDX-License-Identifier: ISC
 *
 * --redrive: dead letters go the way of every event. One that becomes its notifications, or needs
 * none, is removed; one that is refused again stays, and why is reported again. However a letter
 * ends, `settled` goes on to the next page, or to the end.
 */
#include "notifyd.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>

#define PAGE 100

struct redrive {
    char **selection;
    int count;
    char after[ARDA_STREAM_ID_LEN + 1]; /* the last letter that was read */
    bool reading, read_all;
    size_t working; /* letters of this page that are not finished */
    uint64_t matched, done, refused;
};

static const char tenant_is[] = "tenant=";

static bool is_selected(const struct redrive *redrive, const struct arda_dead_letter *letter)
{
    for (int i = 0; i < redrive->count; i++) {
        const char *one = redrive->selection[i], *tenant = one + strlen(tenant_is);
        if (strcmp(one, letter->id) == 0)
            return true;
        if (strncmp(one, tenant_is, strlen(tenant_is)) == 0 &&
            strlen(tenant) == letter->tenant.len &&
            memcmp(tenant, letter->tenant.data, letter->tenant.len) == 0)
            return true;
    }
    return redrive->count == 0;
}

static void next(struct notifyd *nd);

static void refused(struct redrive *redrive, const char *id, const char *reason)
{
    redrive->refused++;
    base_log(BASE_LOG_WARNING, "dead letter %s stays: %s", id, reason);
}

/* One of the letters in work has ended. */
static void settled(struct notifyd *nd)
{
    nd->redrive->working--;
    next(nd);
}

static void on_removed(void *data, int result, const struct base_why *why)
{
    struct notifyd *nd = data;
    struct redrive *redrive = nd->redrive;
    if (result) {
        redrive->refused++;
        base_log(BASE_LOG_WARNING, "a dead letter that was processed cannot be removed: %s",
                 why->text);
    } else {
        redrive->done++;
    }
    settled(nd);
}

static void remove_letter(struct notifyd *nd, const char *id)
{
    int failed = arda_dead_remove(nd->bus, id, on_removed, nd);
    if (failed) {
        refused(nd->redrive, id, base_err_text(failed));
        settled(nd);
    }
}

void redrive_done(struct work *work, const char *why)
{
    struct notifyd *nd = work->tenant->nd;
    if (!why) {
        remove_letter(nd, work->id);
        return;
    }
    refused(nd->redrive, work->id, why);
    settled(nd);
}

/* ---- reading ---- */

static void take_letter(struct notifyd *nd, const struct arda_dead_letter *letter)
{
    struct redrive *redrive = nd->redrive;
    struct work_verdict verdict = {.result = WORK_POISON, .reason = "no field \"envelope\""};
    if (!is_selected(redrive, letter))
        return;
    redrive->matched++;
    struct tenant *tenant = arda_tenant_valid(letter->tenant.data, letter->tenant.len)
                                ? tenants_get(nd, letter->tenant.data, letter->tenant.len)
                                : NULL;
    if (!tenant)
        verdict.reason = "no tenant";
    else if (letter->envelope.data)
        verdict = work_make(tenant, letter->envelope, FROM_DEAD, letter->id);
    if (verdict.result == WORK_MADE) {
        redrive->working++;
        work_add(verdict.work);
    } else if (verdict.result == WORK_SKIPPED) {
        redrive->working++;
        remove_letter(nd, letter->id);
    } else {
        refused(redrive, letter->id, verdict.reason ? verdict.reason : "out of memory");
    }
}

static void cannot_read(struct notifyd *nd, int result, const char *text)
{
    base_log(BASE_LOG_ERROR, "the dead letters cannot be read: %s", text);
    notifyd_stop(nd, base_exit_status(result));
}

static void on_page(void *data, int result, const struct arda_dead_letter *letters, size_t count,
                    const struct base_why *why)
{
    struct notifyd *nd = data;
    struct redrive *redrive = nd->redrive;
    if (result && result != BASE_ERR_CLOSED) /* the lost connection ends us by itself */
        cannot_read(nd, result, why->text);
    for (size_t i = 0; i < count; i++) {
        memcpy(redrive->after, letters[i].id, strlen(letters[i].id) + 1);
        take_letter(nd, &letters[i]);
    }
    redrive->read_all = !result && count < PAGE;
    redrive->reading = false; /* not before: a letter that ends at once must not read on */
    next(nd);
}

static void end(struct notifyd *nd)
{
    const struct redrive *redrive = nd->redrive;
    base_log(BASE_LOG_INFO, "%llu dead letters: %llu processed, %llu stay",
             (unsigned long long)redrive->matched, (unsigned long long)redrive->done,
             (unsigned long long)redrive->refused);
    bool all = redrive->matched > 0 && redrive->refused == 0;
    notifyd_stop(nd, all ? BASE_EXIT_OK : BASE_EXIT_NO);
}

/* A page, when the one before is finished. */
static void next(struct notifyd *nd)
{
    struct redrive *redrive = nd->redrive;
    if (redrive->reading || redrive->working > 0 || nd->stopping)
        return;
    if (redrive->read_all) {
        end(nd);
        return;
    }
    int failed = arda_dead_read(nd->bus, redrive->after, PAGE, on_page, nd);
    redrive->reading = !failed;
    if (failed && failed != BASE_ERR_UNAVAILABLE)
        cannot_read(nd, failed, base_err_text(failed));
}

/* ---- begin and end ---- */

bool redrive_init(struct notifyd *nd, char **selection, int count)
{
    struct arda_stream_id id;
    for (int i = 0; i < count; i++)
        if (strncmp(selection[i], tenant_is, strlen(tenant_is)) != 0 &&
            !arda_stream_id_parse(selection[i], strlen(selection[i]), &id)) {
            base_log(BASE_LOG_ERROR, "expected the id of a dead letter or tenant=ID, got `%s'",
                     selection[i]);
            return false;
        }
    nd->redrive = base_calloc(1, sizeof *nd->redrive);
    if (!nd->redrive)
        return false;
    nd->redrive->selection = selection;
    nd->redrive->count = count;
    strcpy(nd->redrive->after, "0-0");
    return true;
}

void redrive_up(struct notifyd *nd)
{
    next(nd);
}

void redrive_fini(struct notifyd *nd)
{
    base_free(nd->redrive);
}
