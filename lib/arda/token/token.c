/* SPDX-License-Identifier: ISC
 *
 * A token is split at its two dots; its parts stay encoded until they are needed.
 */
#include "arda/token/internal.h"
#include "base/base64.h"
#include "base/json.h"

#include <string.h>

static bool is_base64url(struct base_slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        bool fine = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        if (!fine)
            return false;
    }
    return part.len > 0;
}

int arda_token_split(const char *token, size_t len, struct token_parts *parts, struct base_why *why)
{
    if (len > ARDA_TOKEN_MAX_BYTES)
        return base_why_set(why, BASE_ERR_SYNTAX, "longer than %d bytes", ARDA_TOKEN_MAX_BYTES);
    const char *end = token + len;
    const char *first = memchr(token, '.', len);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return base_why_set(why, BASE_ERR_SYNTAX, "not three parts");
    parts->header = (struct base_slice){token, (size_t)(first - token)};
    parts->claims = (struct base_slice){first + 1, (size_t)(second - first - 1)};
    parts->signature = (struct base_slice){second + 1, (size_t)(end - second - 1)};
    if (!is_base64url(parts->header) || !is_base64url(parts->claims) ||
        !is_base64url(parts->signature))
        return base_why_set(why, BASE_ERR_SYNTAX, "a part is empty or not base64url");
    return BASE_OK;
}

static int decode_part(struct base_slice part, const char *name, struct base_buf *out,
                       struct base_why *why)
{
    if (base_buf_reserve(out, part.len + 3) < 0)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    ssize_t len = base_base64_decode(BASE_BASE64_URL, part.data, part.len, out->data + out->len);
    if (len < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "the %s is not base64url", name);
    out->len += (size_t)len;
    return BASE_OK;
}

int arda_token_decode(const char *token, size_t len, struct base_buf *header,
                      struct base_buf *claims, struct base_why *why)
{
    struct token_parts parts;
    struct base_json_error error;
    int failed = arda_token_split(token, len, &parts, why);
    if (!failed)
        failed = decode_part(parts.header, "header", header, why);
    if (!failed)
        failed = decode_part(parts.claims, "payload", claims, why);
    if (failed)
        return failed;
    if (base_json_pick(header->data, header->len, NULL, 0, NULL, &error) < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "the header is no JSON object: %s", error.text);
    if (base_json_pick(claims->data, claims->len, NULL, 0, NULL, &error) < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "the payload is no JSON object: %s", error.text);
    return BASE_OK;
}
