/* SPDX-License-Identifier: ISC
 *
 * What is claimed stays in its lane with the end of its lease for a moment, so that a lease that
 * ends needs nobody to notice: the delivery is simply due again.
 *
 * How an endpoint does is looked at here and nowhere else, so its lane may be due at any time: a
 * claim that comes too early puts the lane off. An endpoint that is to be tried with one delivery
 * at a time notes until when that one has it.
 *
 * A key of another type than ours, of one tenant, must not hold up the others: what cannot be read
 * is put off for a lease, and reported. What only this user of Redis may not read is not put off,
 * for others may. Hence a delivery is read before it is leased.
 */
#include "arda/bus/reply.h"
#include "arda/delivery/internal.h"

#include "base/mem.h"
#include "base/number.h"

#include <stdio.h>
#include <string.h>

#define HEAD 11 /* words before the shares */

ARDA_SCRIPT(delivery_claim);

struct claiming {
    struct arda_bus *bus;
    struct arda_delivery_claimer claimer;
    char lease[ARDA_NOTIFY_ID_LEN + 1];
};

/* What cannot be given is due again when its lease ends. */
static int give(const struct claiming *claiming, const redisReply *reply, struct base_why *why)
{
    int result = BASE_OK;
    if (reply->element[1]->len > 0)
        result = base_why_set(why, BASE_ERR_INTERNAL, "%s", reply->element[1]->str);
    for (size_t i = 2; i < reply->elements; i++) {
        struct arda_delivery *delivery = NULL;
        int failed = arda_delivery_parse(reply->element[i], claiming->lease, &delivery);
        if (failed)
            result = base_why_set(why, failed == BASE_ERR_NOMEM ? failed : BASE_ERR_INTERNAL,
                                  failed == BASE_ERR_NOMEM ? "out of memory"
                                                           : "a delivery makes no sense");
        else
            claiming->claimer.on_delivery(claiming->claimer.data, delivery);
    }
    return result;
}

static bool take_number(const redisReply *reply, int64_t *out)
{
    const char *text = arda_reply_is_text(reply) ? reply->str : "";
    return base_number_take_i64(&text, out);
}

static void on_claimed(void *data, int result, const struct redisReply *reply)
{
    struct claiming *claiming = data;
    struct base_why why = {0};
    int64_t next_ms = -1;
    result = arda_script_error(claiming->bus, result, reply, &why);
    if (!result &&
        (!arda_reply_is_array(reply) || reply->elements < 2 ||
         !arda_reply_is_text(reply->element[1]) || !take_number(reply->element[0], &next_ms)))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result)
        result = give(claiming, reply, &why);
    claiming->claimer.done(claiming->claimer.data, result, next_ms, &why);
    base_free(claiming);
}

int arda_delivery_claim(struct arda_bus *bus, const struct arda_delivery_claim *claim,
                        const struct arda_delivery_claimer *claimer)
{
    char iso[BASE_RFC3339_LEN + 1];
    char now[DELIVERY_MS_LEN], end[DELIVERY_MS_LEN], max[DELIVERY_MS_LEN], share[DELIVERY_MS_LEN];
    char overdue[DELIVERY_MS_LEN] = "";
    size_t count = claim->share_count;
    if (count > ARDA_DELIVERY_SHARES_MAX)
        return BASE_ERR_LIMIT;
    if (strlen(claim->lease) != ARDA_NOTIFY_ID_LEN || claim->lease_ms <= 0 || claim->max == 0 ||
        claim->per_lane == 0)
        return BASE_ERR_INVALID;
    struct claiming *claiming = base_malloc(sizeof *claiming);
    const char **argv = base_calloc(HEAD + 2 * count, sizeof *argv);
    char(*numbers)[DELIVERY_MS_LEN] = base_calloc(count + 1, sizeof *numbers);
    int failed = claiming && argv && numbers ? BASE_OK : BASE_ERR_NOMEM;
    if (!failed) {
        *claiming = (struct claiming){.bus = bus, .claimer = *claimer};
        strcpy(claiming->lease, claim->lease);
        base_rfc3339_format(claim->now_ms, iso);
        arda_delivery_ms(claim->now_ms, now);
        arda_delivery_ms(claim->now_ms + claim->lease_ms, end);
        arda_delivery_ms(claim->max, max);
        arda_delivery_ms(claim->per_lane, share);
        bool email = claim->channels & ARDA_NOTIFY_BIT(ARDA_NOTIFY_EMAIL);
        bool webhook = claim->channels & ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK);
        if (claim->patience_ms > 0)
            arda_delivery_ms(claim->now_ms - claim->patience_ms, overdue);
        const char *const head[HEAD] = {
            arda_bus_prefix(bus), now, end,     claim->lease,     max, share, email ? "1" : "0",
            webhook ? "1" : "0",  iso, overdue, ARDA_DELIVERY_OFF};
        memcpy(argv, head, sizeof head);
        for (size_t i = 0; i < count; i++) {
            arda_delivery_ms(claim->shares[i].in_flight, numbers[i]);
            argv[HEAD + 2 * i] = claim->shares[i].lane;
            argv[HEAD + 2 * i + 1] = numbers[i];
        }
        failed = arda_script_call(bus, &arda_delivery_claim_script, (int)(HEAD + 2 * count), argv,
                                  NULL, on_claimed, claiming);
    }
    if (failed)
        base_free(claiming);
    base_free(argv);
    base_free(numbers);
    return failed;
}
