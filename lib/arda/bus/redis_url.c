/* SPDX-License-Identifier: ISC */
#include "arda/bus/redis_url.h"

#include "base/mem.h"
#include "base/url.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DB 65535
#define BAD_DB "the database is a number up to 65535"

static bool is(struct base_slice part, const char *text)
{
    return part.len == strlen(text) && memcmp(part.data, text, part.len) == 0;
}

/* A decoded copy, or NULL where the part is absent. */
static int copy_part(struct base_slice part, char **out, struct base_why *why)
{
    struct base_buf decoded = BASE_BUF_INIT;
    if (!part.data)
        return BASE_OK;
    int failed = base_url_decode(part, &decoded);
    if (!failed && memchr(decoded.data, '\0', decoded.len))
        failed = BASE_ERR_SYNTAX;
    if (failed || !base_buf_cstr(&decoded)) {
        base_buf_fini(&decoded);
        if (failed != BASE_ERR_SYNTAX)
            return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
        base_why_set(why, BASE_ERR_CONFIG, "bad percent escape in the Redis URL");
        base_url_explain(why);
        return BASE_ERR_CONFIG;
    }
    *out = base_buf_take(&decoded, NULL);
    return BASE_OK;
}

static int bad(const struct base_url *parts, struct base_why *why, const char *text)
{
    base_why_set(why, BASE_ERR_CONFIG, "%s", text);
    if (base_url_is_torn(parts))
        base_url_explain(why);
    return BASE_ERR_CONFIG;
}

/* ---- the database ---- */

/* -1 when it is no number up to MAX_DB. */
static int parse_db(struct base_slice text)
{
    int db = 0;
    for (size_t i = 0; i < text.len; i++) {
        db = db * 10 + (text.data[i] - '0');
        if (text.data[i] < '0' || text.data[i] > '9' || db > MAX_DB)
            return -1;
    }
    return db;
}

static int bad_parameter(const struct base_url *parts, struct base_slice name, struct base_why *why)
{
    if (base_url_is_torn(parts))
        return bad(parts, why, "a Redis URL has no other parameter than ?db=N");
    return base_why_set(why, BASE_ERR_CONFIG,
                        "the parameter `%.*s': a Redis URL has no other than ?db=N", (int)name.len,
                        name.data);
}

/* One `name=value`; `*db` is -1 as long as none was given. */
static int take_parameter(const struct base_url *parts, struct base_slice text, int *db,
                          struct base_why *why)
{
    const char *sign = memchr(text.data, '=', text.len);
    struct base_slice name = {text.data, sign ? (size_t)(sign - text.data) : text.len};
    if (!is(name, "db"))
        return bad_parameter(parts, name, why);
    struct base_slice value = {name.data + name.len + 1, text.len - name.len - (sign ? 1 : 0)};
    int number = sign && value.len > 0 ? parse_db(value) : -1;
    if (number < 0)
        return bad(parts, why, BAD_DB);
    if (*db >= 0 && *db != number)
        return bad(parts, why, "a Redis URL with two different databases");
    *db = number;
    return BASE_OK;
}

static int take_query(const struct base_url *parts, int *db, struct base_why *why)
{
    struct base_slice left = parts->query;
    while (left.len > 0) {
        const char *end = memchr(left.data, '&', left.len);
        struct base_slice one = {left.data, end ? (size_t)(end - left.data) : left.len};
        size_t step = one.len + (end ? 1 : 0);
        int failed = one.len > 0 ? take_parameter(parts, one, db, why) : BASE_OK;
        if (failed)
            return failed;
        left.data += step;
        left.len -= step;
    }
    return BASE_OK;
}

/* ---- the two kinds ---- */

static int parse_tcp(const struct base_url *parts, struct arda_redis_url *url, struct base_why *why)
{
    struct base_slice text = parts->path;
    int db = -1;
    if (parts->port == 0)
        return bad(parts, why, "the port of a Redis URL: 1 to 65535");
    if (text.len > 1) {
        db = parse_db((struct base_slice){text.data + 1, text.len - 1});
        if (db < 0)
            return bad(parts, why, "the path of a Redis URL: " BAD_DB);
    }
    url->port = parts->port > 0 ? parts->port : ARDA_REDIS_PORT;
    int failed = take_query(parts, &db, why);
    url->db = db < 0 ? 0 : db;
    if (!failed)
        failed = copy_part(parts->host.len ? parts->host : (struct base_slice){"127.0.0.1", 9},
                           &url->host, why);
    if (!failed)
        snprintf(url->name, sizeof url->name, "%s:%d", url->host, url->port);
    return failed;
}

static int parse_unix(const struct base_url *parts, struct arda_redis_url *url,
                      struct base_why *why)
{
    int db = -1;
    if (parts->host.len > 0 || parts->port >= 0)
        return bad(parts, why, "a host in unix://: expected unix:///PATH");
    if (parts->path.len < 2)
        return base_why_set(why, BASE_ERR_CONFIG, "expected unix:///PATH");
    int failed = take_query(parts, &db, why);
    url->db = db < 0 ? 0 : db;
    if (!failed)
        failed = copy_part(parts->path, &url->path, why);
    if (!failed)
        snprintf(url->name, sizeof url->name, "%s", url->path);
    return failed;
}

int arda_redis_url_parse(const char *text, struct arda_redis_url *url, struct base_why *why)
{
    struct base_url parts;
    *url = (struct arda_redis_url){0};
    int failed = base_url_parse(text, &parts, why);
    if (failed) {
        base_why_prefix(why, "Redis");
        failed = BASE_ERR_CONFIG;
        if (why)
            why->code = failed;
    } else if (base_url_has_scheme(&parts, "rediss")) {
        failed = base_why_set(why, BASE_ERR_CONFIG, "rediss://: no TLS to Redis yet");
    } else if (parts.fragment.data) {
        failed = bad(&parts, why, "a fragment (#) in a Redis URL");
    } else if (base_url_has_scheme(&parts, "redis")) {
        failed = parse_tcp(&parts, url, why);
    } else if (base_url_has_scheme(&parts, "unix")) {
        failed = parse_unix(&parts, url, why);
    } else {
        failed = base_why_set(why, BASE_ERR_CONFIG, "a Redis URL begins with redis:// or unix://");
    }
    if (!failed && parts.user.len > 0)
        failed = copy_part(parts.user, &url->user, why);
    /* redis://:@host, as a template with empty variables makes it, has no password to send. */
    if (!failed && parts.user.len + parts.password.len > 0)
        failed = copy_part(parts.password, &url->password, why);
    if (failed)
        arda_redis_url_fini(url);
    return failed;
}

void arda_redis_url_fini(struct arda_redis_url *url)
{
    if (url->password)
        explicit_bzero(url->password, strlen(url->password));
    base_free_clear(&url->host);
    base_free_clear(&url->path);
    base_free_clear(&url->user);
    base_free_clear(&url->password);
}
