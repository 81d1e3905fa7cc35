/* SPDX-License-Identifier: ISC */
#include "arda/delivery/redrive.h"

#include "arda/bus/reply.h"
#include "arda/bus/script.h"
#include "arda/tenant.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

ARDA_SCRIPT(delivery_redrive);

struct redriving {
    struct arda_bus *bus;
    arda_delivery_redrive_fn done;
    void *data;
};

static void on_redriven(void *data, int result, const struct redisReply *reply)
{
    struct redriving *redriving = data;
    enum arda_delivery_redriven redriven = ARDA_DELIVERY_REDRIVEN;
    struct base_why why = {0};
    result = arda_script_error(redriving->bus, result, reply, &why);
    const char *word = !result && arda_reply_is_text(reply) ? reply->str : "";
    if (strcmp(word, "unknown") == 0)
        result = base_why_set(&why, BASE_ERR_NOTFOUND, "there is no such delivery");
    else if (strcmp(word, "under way") == 0)
        redriven = ARDA_DELIVERY_UNDER_WAY;
    else if (strcmp(word, "empty") == 0)
        redriven = ARDA_DELIVERY_EMPTY;
    else if (!result && strcmp(word, "redriven") != 0)
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    redriving->done(redriving->data, result, redriven, &why);
    base_free(redriving);
}

int arda_delivery_redrive(struct arda_bus *bus, const char *tenant, const char *id, int64_t now_ms,
                          arda_delivery_redrive_fn done, void *data)
{
    char now[24], iso[BASE_RFC3339_LEN + 1];
    if (!arda_tenant_valid(tenant, strlen(tenant)) || !arda_id_valid(id, strlen(id)))
        return BASE_ERR_INVALID;
    struct redriving *redriving = base_malloc(sizeof *redriving);
    if (!redriving)
        return BASE_ERR_NOMEM;
    *redriving = (struct redriving){bus, done, data};
    snprintf(now, sizeof now, "%" PRId64, now_ms);
    base_rfc3339_format(now_ms, iso);
    const char *const argv[] = {arda_bus_prefix(bus), tenant, id, now, iso};
    int failed =
        arda_script_call(bus, &arda_delivery_redrive_script, 5, argv, NULL, on_redriven, redriving);
    if (failed)
        base_free(redriving);
    return failed;
}
