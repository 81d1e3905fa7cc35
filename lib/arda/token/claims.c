/* SPDX-License-Identifier: ISC */
#include "arda/token/internal.h"
#include "base/clock.h"
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

static int copy_id(const struct base_json_member *claim, bool tenant,
                   char out[static ARDA_ID_MAX + 1], struct base_why *why)
{
    struct base_slice plain;
    if (!base_json_plain(&claim->value, &plain) ||
        !(tenant ? arda_tenant_valid(plain.data, plain.len) : arda_id_valid(plain.data, plain.len)))
        return base_why_set(why, BASE_ERR_DENIED, "%s is missing or no id", claim->key);
    memcpy(out, plain.data, plain.len);
    out[plain.len] = '\0';
    return BASE_OK;
}

/* A time claim in milliseconds; 0 when absent. */
static int read_time(const struct base_json_member *claim, int64_t *ms, struct base_why *why)
{
    double seconds = 0;
    *ms = 0;
    if (claim->value.kind == BASE_JSON_ABSENT)
        return BASE_OK;
    if (base_json_double(&claim->value, &seconds) < 0 || !(seconds > -1e12 && seconds < 1e12))
        return base_why_set(why, BASE_ERR_DENIED, "%s is no time", claim->key);
    *ms = (int64_t)(seconds * 1000);
    return BASE_OK;
}

static int check_times(const struct base_json_member *exp, const struct base_json_member *nbf,
                       const struct arda_keyring *ring, struct arda_claims *claims,
                       struct base_why *why)
{
    int64_t now = base_clock_wall_ms(), leeway_ms = ring->leeway_ms, not_before_ms;
    if (ring->require_exp && exp->value.kind == BASE_JSON_ABSENT)
        return base_why_set(why, BASE_ERR_DENIED, "it has no exp");
    int failed = read_time(exp, &claims->expires_ms, why);
    if (!failed)
        failed = read_time(nbf, &not_before_ms, why);
    if (failed)
        return failed;
    if (exp->value.kind != BASE_JSON_ABSENT && claims->expires_ms + leeway_ms <= now)
        return base_why_set(why, BASE_ERR_DENIED, "expired %" PRId64 " s ago",
                            (now - claims->expires_ms) / 1000);
    if (nbf->value.kind != BASE_JSON_ABSENT && not_before_ms - leeway_ms > now)
        return base_why_set(why, BASE_ERR_DENIED, "not valid for another %" PRId64 " s",
                            (not_before_ms - now + 999) / 1000);
    return BASE_OK;
}

/* Whether a claim is the wanted text; `aud` may also be an array that holds it. */
static bool is_or_holds(const struct base_json_value *claim, const char *wanted, bool array_too)
{
    struct base_json_iter iter;
    struct base_json_value item;
    if (claim->kind != BASE_JSON_ARRAY || !array_too)
        return base_json_equals(claim, wanted, strlen(wanted));
    base_json_iter_init(&iter, claim);
    while (base_json_iter_next(&iter, NULL, &item))
        if (base_json_equals(&item, wanted, strlen(wanted)))
            return true;
    return false;
}

static int check_parties(const struct base_json_member *iss, const struct base_json_member *aud,
                         const struct arda_keyring *ring, struct base_why *why)
{
    if (ring->issuer && !is_or_holds(&iss->value, ring->issuer, false))
        return base_why_set(why, BASE_ERR_DENIED, "iss is not the issuer");
    if (ring->audience && !is_or_holds(&aud->value, ring->audience, true))
        return base_why_set(why, BASE_ERR_DENIED, "aud is not the audience");
    return BASE_OK;
}

int arda_token_read_claims(const struct base_buf *text, const struct arda_keyring *ring,
                           struct arda_claims *claims, struct base_why *why)
{
    struct base_json_member wanted[] = {
        BASE_JSON_WANT("sub"), BASE_JSON_WANT("tenantId"), BASE_JSON_WANT("role"),
        BASE_JSON_WANT("exp"), BASE_JSON_WANT("nbf"),      BASE_JSON_WANT("iss"),
        BASE_JSON_WANT("aud"),
    };
    struct base_slice role;
    *claims = (struct arda_claims){0};
    if (base_json_pick(text->data, text->len, wanted, 7, NULL, NULL) < 0)
        return base_why_set(why, BASE_ERR_DENIED, "the payload is no JSON object");
    int failed = copy_id(&wanted[0], false, claims->user, why);
    if (!failed)
        failed = copy_id(&wanted[1], true, claims->tenant, why);
    if (!failed)
        failed = check_times(&wanted[3], &wanted[4], ring, claims, why);
    if (!failed)
        failed = check_parties(&wanted[5], &wanted[6], ring, why);
    if (base_json_plain(&wanted[2].value, &role) && role.len <= ARDA_TOKEN_ROLE_MAX)
        memcpy(claims->role, role.data, role.len);
    return failed;
}
