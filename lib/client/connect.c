/* SPDX-License-Identifier: ISC
 *
 * The token is checked for what a header could carry, since a mistaken file is noticed by that
 * before the server sees it; its copy is wiped.
 */
#include "client/connect.h"

#include "base/encoding.h"
#include "base/env_secrets.h"
#include "base/json.h"
#include "base/secret_file.h"

#include <errno.h>
#include <string.h>

#define TOKEN_MAX 8192 /* bytes, the bound of the gateway too */

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
}

static int add_packet(const char *text, size_t len, const char *where, struct base_buf *out,
                      struct base_why *why)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        len--;
    if (len == 0)
        return base_why_set(why, BASE_ERR_CONFIG, "%s: there is no token", where);
    if (len > TOKEN_MAX)
        return base_why_set(why, BASE_ERR_CONFIG, "%s: longer than %d bytes", where, TOKEN_MAX);
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return base_why_set(why, BASE_ERR_CONFIG, "%s: not a token", where);
    if (base_buf_add_text(out, "40{\"token\":") < 0 || base_json_quote(out, text, len) < 0 ||
        base_buf_add_byte(out, '}') < 0)
        return no_memory(why);
    return BASE_OK;
}

int client_connect_packet(const char *token_file, const char *token, struct base_buf *out,
                          struct base_why *why)
{
    char text[TOKEN_MAX + 1];
    if (!token_file && !token)
        return base_buf_add_text(out, "40") < 0 ? no_memory(why) : BASE_OK;
    if (!token_file)
        return add_packet(token, strlen(token), BASE_ENV_TOKEN, out, why);
    ssize_t len = base_secret_file_read(token_file, text, sizeof text);
    if (len < 0)
        return base_why_errno(why, BASE_ERR_CONFIG, errno, "cannot read the token file %s",
                              token_file);
    struct base_slice token_text = {text, (size_t)len};
    int failed = base_encoding_strip(&token_text, why);
    if (failed)
        failed = (base_why_prefix(why, "%s", token_file), BASE_ERR_CONFIG);
    else
        failed = add_packet(token_text.data, token_text.len, token_file, out, why);
    explicit_bzero(text, sizeof text);
    return failed;
}
