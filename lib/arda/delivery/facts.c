/* SPDX-License-Identifier: ISC */
#include "arda/delivery/read.h"

#include "arda/bus/reply.h"
#include "arda/bus/script.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <stdlib.h>
#include <string.h>

enum fact {
    SHADOW,
    HANDLED,
    CAUSE,
    ROW,
    FAILURES,
    FAILING_SINCE,
    OPEN_UNTIL,
    PAUSE,
    SPARE_UNTIL,
    DISABLED_AT,
    DISABLED_WHY,
    FACTS
};

ARDA_SCRIPT(delivery_facts);

struct asking {
    struct arda_bus *bus;
    arda_delivery_facts_fn done;
    void *data;
};

static int64_t ms_of(const struct redisReply *reply)
{
    struct base_slice text = arda_reply_text(reply);
    return text.len > 0 ? strtoll(text.data, NULL, 10) : 0;
}

static void take_facts(struct arda_delivery_facts *facts, const struct redisReply *reply)
{
    struct base_slice disabled_at = arda_reply_text(reply->element[DISABLED_AT]);
    facts->shadow = reply->element[SHADOW]->integer == 1;
    facts->handled = reply->element[HANDLED]->integer == 1;
    facts->cause = arda_reply_text(reply->element[CAUSE]);
    facts->row = arda_reply_text(reply->element[ROW]);
    facts->failures = (uint64_t)ms_of(reply->element[FAILURES]);
    facts->failing_since_ms = ms_of(reply->element[FAILING_SINCE]);
    facts->open_until_ms = ms_of(reply->element[OPEN_UNTIL]);
    facts->pause_ms = ms_of(reply->element[PAUSE]);
    facts->spare_until_ms = ms_of(reply->element[SPARE_UNTIL]);
    facts->disabled_why = arda_reply_text(reply->element[DISABLED_WHY]);
    if (disabled_at.len == 0 ||
        base_rfc3339_parse(disabled_at.data, disabled_at.len, &facts->disabled_at_ms) < 0)
        facts->disabled_at_ms = 0;
}

static void on_facts(void *data, int result, const struct redisReply *reply)
{
    struct asking *asking = data;
    struct arda_delivery_facts facts = {0};
    struct base_why why = {0};
    result = arda_script_error(asking->bus, result, reply, &why);
    if (!result &&
        (!arda_reply_is_array_of(reply, FACTS) || !arda_reply_is_number(reply->element[SHADOW]) ||
         !arda_reply_is_number(reply->element[HANDLED])))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result)
        take_facts(&facts, reply);
    asking->done(asking->data, result, &facts, &why);
    base_free(asking);
}

int arda_delivery_facts(struct arda_bus *bus, const char *tenant, const char *event,
                        const char *user, const char *notification, arda_delivery_facts_fn done,
                        void *data)
{
    if (!arda_tenant_valid(tenant, strlen(tenant)))
        return BASE_ERR_INVALID;
    struct asking *asking = base_malloc(sizeof *asking);
    if (!asking)
        return BASE_ERR_NOMEM;
    *asking = (struct asking){bus, done, data};
    const char *const argv[] = {arda_bus_prefix(bus), tenant, event ? event : "", user ? user : "",
                                notification ? notification : ""};
    int failed =
        arda_script_call(bus, &arda_delivery_facts_script, 5, argv, NULL, on_facts, asking);
    if (failed)
        base_free(asking);
    return failed;
}
