/* SPDX-License-Identifier: ISC
 *
 * Where the token of a client is (catalog section 2): `auth.token` of the CONNECT, or else the
 * Authorization header of the session's first request.
 */
#include "gateway.h"

#include "base/mem.h"
#include "base/names.h"

#include <string.h>
#include <strings.h>

BASE_NAME_FUNCTION(gateway_auth_name, enum gateway_auth, GATEWAY_AUTH_MAP, BASE_NAME_SECOND,
                   "unknown")

BASE_NAME_FUNCTION(gateway_cut_name, enum gateway_cut, GATEWAY_CUT_MAP, BASE_NAME_SECOND, "unknown")

BASE_NAME_FUNCTION(gateway_cut_text, enum gateway_cut, GATEWAY_CUT_MAP, BASE_NAME_THIRD, "unknown")

/* As in JavaScript, an empty string, 0, false and null are no token; anything else is meant. */
static bool is_truthy(const struct base_json_value *value)
{
    double number = 0;
    switch (value->kind) {
    case BASE_JSON_ABSENT:
    case BASE_JSON_NULL:
    case BASE_JSON_FALSE: return false;
    case BASE_JSON_STRING: return value->len > 2;
    case BASE_JSON_NUMBER: return base_json_double(value, &number) < 0 || number != 0;
    default: return true;
    }
}

static int find_in_auth(const struct net_connect *connect, struct base_slice *token,
                        struct base_why *why)
{
    struct base_json_member member = BASE_JSON_WANT("token");
    if (connect->auth.kind != BASE_JSON_OBJECT ||
        base_json_pick(connect->auth.text, connect->auth.len, &member, 1, NULL, NULL) < 0 ||
        !is_truthy(&member.value))
        return BASE_ERR_NOTFOUND;
    if (!base_json_plain(&member.value, token))
        return base_why_set(why, BASE_ERR_DENIED, "auth.token is no token");
    return BASE_OK;
}

static int find_in_header(const struct net_connect *connect, struct base_slice *token,
                          struct base_why *why)
{
    static const char scheme[] = "Bearer ";
    struct base_slice header = connect->authorization;
    if (connect->authorization_too_long)
        return base_why_set(why, BASE_ERR_DENIED, "Authorization is longer than a token can be");
    if (header.len >= sizeof scheme - 1 &&
        strncasecmp(header.data, scheme, sizeof scheme - 1) == 0) {
        header.data += sizeof scheme - 1;
        header.len -= sizeof scheme - 1;
    }
    if (header.len == 0)
        return base_why_set(why, BASE_ERR_NOTFOUND, "no token");
    *token = header;
    return BASE_OK;
}

int gateway_authenticate(struct gateway *gateway, const struct net_connect *connect,
                         struct arda_claims *claims, struct base_why *why)
{
    struct base_slice token;
    int failed = find_in_auth(connect, &token, why);
    if (failed == BASE_ERR_NOTFOUND)
        failed = find_in_header(connect, &token, why);
    if (failed)
        return failed;
    pthread_rwlock_rdlock(&gateway->key_lock);
    failed = arda_keyring_verify(gateway->keys, token.data, token.len, claims, why);
    pthread_rwlock_unlock(&gateway->key_lock);
    return failed;
}

int gateway_load_keys(struct gateway *gateway, struct base_why *why)
{
    struct arda_keyring *keys;
    int failed = arda_keyring_new(&gateway->key_options, &keys, why);
    if (failed)
        return failed;
    pthread_rwlock_wrlock(&gateway->key_lock);
    struct arda_keyring *old = gateway->keys;
    gateway->keys = keys;
    pthread_rwlock_unlock(&gateway->key_lock);
    arda_keyring_free(old);
    return BASE_OK;
}
