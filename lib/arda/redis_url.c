/* SPDX-License-Identifier: ISC */
#include "arda/redis_url.h"

#include "base/mem.h"
#include "base/url.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DB 65535

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
        return failed == BASE_ERR_SYNTAX
                   ? base_why_set(why, BASE_ERR_CONFIG, "bad percent escape in the Redis URL")
                   : base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    }
    *out = base_buf_take(&decoded, NULL);
    return BASE_OK;
}

static int parse_db(struct base_slice text, int *db, struct base_why *why)
{
    *db = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        *db = *db * 10 + (text.data[i] - '0');
        if (!digit || *db > MAX_DB)
            return base_why_set(why, BASE_ERR_CONFIG,
                                "the database of a Redis URL is a number up to %d", MAX_DB);
    }
    return BASE_OK;
}

static int parse_tcp(const struct base_url *parts, struct arda_redis_url *url, struct base_why *why)
{
    struct base_slice db = parts->path;
    if (db.len > 0) {
        db.data++;
        db.len--;
    }
    url->port = parts->port > 0 ? parts->port : ARDA_REDIS_PORT;
    int failed = parse_db(db, &url->db, why);
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
    struct base_slice db = parts->query;
    if (parts->path.len < 2)
        return base_why_set(why, BASE_ERR_CONFIG, "expected unix:///PATH");
    if (db.len > 0 && (db.len < 4 || memcmp(db.data, "db=", 3) != 0))
        return base_why_set(why, BASE_ERR_CONFIG, "expected ?db=N behind the path");
    if (db.len > 0) {
        db.data += 3;
        db.len -= 3;
    }
    int failed = parse_db(db, &url->db, why);
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
    } else if (is(parts.scheme, "rediss")) {
        failed = base_why_set(why, BASE_ERR_CONFIG, "rediss://: no TLS to Redis yet");
    } else if (is(parts.scheme, "redis")) {
        failed = parse_tcp(&parts, url, why);
    } else if (is(parts.scheme, "unix")) {
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
