/* SPDX-License-Identifier: ISC */
#include "arda/bus/reply.h"
#include "arda/delivery/internal.h"

#include "base/mem.h"
#include "base/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

BASE_NAME_TABLE(names, ARDA_DELIVERY_STATUS_MAP, BASE_NAME_SECOND);

const char *arda_delivery_status_name(enum arda_delivery_status status)
{
    return names[status];
}

int arda_delivery_status_find(const char *name, size_t len, enum arda_delivery_status *status)
{
    int found = base_names_find(names, ARDA_DELIVERY_STATUSES, name, len);
    if (found < 0)
        return BASE_ERR_NOTFOUND;
    *status = (enum arda_delivery_status)found;
    return BASE_OK;
}

void arda_delivery_free(struct arda_delivery *delivery)
{
    base_free(delivery);
}

void arda_delivery_ms(int64_t ms, char out[static DELIVERY_MS_LEN])
{
    snprintf(out, DELIVERY_MS_LEN, "%" PRId64, ms);
}

/* ---- changes ---- */

struct change {
    struct arda_bus *bus;
    arda_delivery_settle_fn done;
    void *data;
};

static void on_changed(void *data, int result, const struct redisReply *reply)
{
    struct change *change = data;
    struct arda_delivery_settled settled = {0};
    struct base_why why = {0};
    result = arda_script_error(change->bus, result, reply, &why);
    if (!result && !arda_reply_are_numbers(reply, 2))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result) {
        settled.late = reply->element[0]->integer != 0;
        settled.disabled = reply->element[1]->integer != 0;
    }
    if (change->done)
        change->done(change->data, result, &settled, &why);
    base_free(change);
}

int arda_delivery_change(struct arda_bus *bus, const struct arda_script *script, int argc,
                         const char *const *argv, arda_delivery_settle_fn done, void *data)
{
    struct change *change = base_malloc(sizeof *change);
    if (!change)
        return BASE_ERR_NOMEM;
    *change = (struct change){bus, done, data};
    int failed = arda_script_call(bus, script, argc, argv, NULL, on_changed, change);
    if (failed)
        base_free(change);
    return failed;
}
