/* SPDX-License-Identifier: ISC
 *
 * Pure functions on texts: URLs are taken apart and put together, the answer's head is read line by
 * line, and the accept key compared with the one that was expected.
 */
#include "client/handshake.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PATH  "/socket.io/"
#define GUID          "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */
#define KEY_BYTES     16
#define ACCEPT_LEN    28
#define MOST_PINGS_MS 86400000 /* a day: more is taken for a mistake */

/* ---- where ---- */

void client_place_fini(struct client_place *place)
{
    base_buf_fini(&place->origin);
    base_buf_fini(&place->path);
}

static bool is_path(struct base_slice path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] <= ' ' || path.data[i] >= 0x7f)
            return false;
    return true;
}

static int add_path(struct base_slice path, struct base_buf *out)
{
    if (path.len < 2)
        return base_buf_add_text(out, DEFAULT_PATH);
    if (base_buf_add(out, path.data, path.len) < 0)
        return BASE_ERR_NOMEM;
    return path.data[path.len - 1] == '/' ? BASE_OK : base_buf_add_byte(out, '/');
}

/* The part that has no meaning for a gateway, by its kind. */
static const char *unwanted(const struct base_url *parts)
{
    return parts->user.data       ? "a user or a password (@)"
           : parts->query.data    ? "a query (?)"
           : parts->fragment.data ? "a fragment (#)"
                                  : "bad character in the path";
}

int client_place_parse(const char *url, struct client_place *place, struct base_why *why)
{
    struct base_url parts;
    struct base_buf http = BASE_BUF_INIT;
    *place = (struct client_place){0};
    int failed = base_url_parse(url, &parts, why);
    if (failed)
        return failed;
    if (parts.user.data || parts.query.data || parts.fragment.data || !is_path(parts.path))
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: expected http[s]://HOST[:PORT][/PATH]",
                            unwanted(&parts));
    /* ws is http, and wss https. */
    bool ws = parts.scheme.len >= 2 && strncasecmp(parts.scheme.data, "ws", 2) == 0;
    if (base_buf_add_text(&http, ws ? "http" : "") < 0 ||
        base_buf_add_text(&http, ws ? url + 2 : url) < 0 || !base_buf_cstr(&http))
        failed = BASE_ERR_NOMEM;
    else
        failed = base_url_origin(http.data, &place->origin, why);
    base_buf_fini(&http);
    if (!failed && (!base_buf_cstr(&place->origin) || add_path(parts.path, &place->path) < 0))
        failed = BASE_ERR_NOMEM;
    return failed == BASE_ERR_NOMEM ? base_why_set(why, failed, "%s", base_err_text(failed))
                                    : failed;
}

static int add_target(const struct client_place *place, const char *transport, const char *sid,
                      struct base_buf *out)
{
    int failed = base_buf_printf(out, "%.*s?EIO=4&transport=%s", (int)place->path.len,
                                 place->path.data, transport);
    return failed || !sid ? failed : base_buf_printf(out, "&sid=%s", sid);
}

int client_place_url(const struct client_place *place, const char *transport, const char *sid,
                     struct base_buf *out)
{
    if (base_buf_add(out, place->origin.data, place->origin.len) < 0 ||
        add_target(place, transport, sid, out) < 0 || !base_buf_cstr(out))
        return BASE_ERR_NOMEM;
    return BASE_OK;
}

/* ---- the handshake of a WebSocket ---- */

int client_ws_key(char key[static CLIENT_KEY_LEN + 1])
{
    char bytes[KEY_BYTES];
    if (base_crypto_random(bytes, sizeof bytes) < 0)
        return BASE_ERR_INTERNAL;
    base_base64_encode(BASE_BASE64_STD, bytes, sizeof bytes, key);
    key[CLIENT_KEY_LEN] = '\0';
    return BASE_OK;
}

int client_ws_request(const struct client_place *place, const char *sid, const char *user_agent,
                      const char *key, struct base_buf *out)
{
    const char *host = strstr(place->origin.data, "://") + 3;
    if (base_buf_add_text(out, "GET ") < 0 || add_target(place, "websocket", sid, out) < 0)
        return BASE_ERR_NOMEM;
    return base_buf_printf(out,
                           " HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                           "Sec-WebSocket-Version: 13\r\n\r\n",
                           host, user_agent, key);
}

struct fields {
    struct base_slice upgrade;
    struct base_slice connection;
    struct base_slice accept;
    bool extension; /* an extension or protocol is named; none was asked for */
};

static bool equals(struct base_slice slice, const char *text)
{
    return slice.len == strlen(text) && strncasecmp(slice.data, text, slice.len) == 0;
}

static struct base_slice trim(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (from < to && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    return (struct base_slice){from, (size_t)(to - from)};
}

static void read_field(const char *line, const char *end, struct fields *fields)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (!colon)
        return;
    struct base_slice name = {line, (size_t)(colon - line)};
    struct base_slice value = trim(colon + 1, end);
    if (equals(name, "Upgrade"))
        fields->upgrade = value;
    else if (equals(name, "Connection"))
        fields->connection = value;
    else if (equals(name, "Sec-WebSocket-Accept"))
        fields->accept = value;
    else if (equals(name, "Sec-WebSocket-Extensions") || equals(name, "Sec-WebSocket-Protocol"))
        fields->extension = true;
}

/* Whether a list with commas has this item. A header that was not there has no data. */
static bool lists(struct base_slice list, const char *item)
{
    const char *at = list.data, *end = at ? at + list.len : NULL;
    while (at && at <= end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (equals(trim(at, comma ? comma : end), item))
            return true;
        at = comma ? comma + 1 : NULL;
    }
    return false;
}

static bool accepts(struct base_slice accept, const char *key)
{
    char text[CLIENT_KEY_LEN + sizeof GUID];
    char expected[ACCEPT_LEN];
    uint8_t hash[BASE_SHA1_LEN];
    memcpy(text, key, CLIENT_KEY_LEN);
    memcpy(text + CLIENT_KEY_LEN, GUID, sizeof GUID);
    if (base_crypto_sha1(text, sizeof text - 1, hash) < 0)
        return false;
    base_base64_encode(BASE_BASE64_STD, hash, sizeof hash, expected);
    return accept.len == ACCEPT_LEN && memcmp(accept.data, expected, ACCEPT_LEN) == 0;
}

static int check_fields(const struct fields *fields, const char *key, struct base_why *why)
{
    const char *wrong = NULL;
    if (!equals(fields->upgrade, "websocket") || !lists(fields->connection, "upgrade"))
        wrong = "HTTP 101 without an upgrade to websocket";
    else if (!accepts(fields->accept, key))
        wrong = "Sec-WebSocket-Accept is not the answer to our key";
    else if (fields->extension)
        wrong = "an extension or protocol that was not asked for";
    return wrong ? base_why_set(why, BASE_ERR_SYNTAX, "%s", wrong) : 1;
}

/* HTTP/1.x NNN */
static int read_status(const char *bytes, size_t len)
{
    if (len < 12 || memcmp(bytes, "HTTP/1.", 7) != 0 || bytes[8] != ' ')
        return -1;
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (!isdigit((unsigned char)bytes[i]))
            return -1;
        status = status * 10 + (bytes[i] - '0');
    }
    return status;
}

int client_ws_answer_parse(const char *bytes, size_t len, const char *key,
                           struct client_ws_answer *answer, struct base_why *why)
{
    struct fields fields = {0};
    size_t known = len < sizeof "HTTP/1." - 1 ? len : sizeof "HTTP/1." - 1;
    if (len && memcmp(bytes, "HTTP/1.", known) != 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "what answers does not speak HTTP");
    const char *end = len ? memmem(bytes, len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return len <= CLIENT_MAX_HEAD
                   ? 0
                   : base_why_set(why, BASE_ERR_LIMIT, "an answer's head is longer than %d bytes",
                                  CLIENT_MAX_HEAD);
    answer->head_bytes = (size_t)(end - bytes) + 4;
    answer->status = read_status(bytes, len);
    if (answer->status < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "what answers does not speak HTTP");
    if (answer->status != 101)
        return 1;
    for (const char *line = bytes; line < end;) {
        const char *line_end = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
        read_field(line, line_end, &fields);
        line = line_end + 2;
    }
    return check_fields(&fields, key, why);
}

/* ---- the open packet ---- */

static bool read_number(const struct base_json_value *value, double most, int64_t *out)
{
    double number;
    if (base_json_double(value, &number) < 0 || !(number >= 0 && number <= most))
        return false;
    *out = (int64_t)number;
    return true;
}

static bool read_sid(const struct base_json_value *value, char out[static CLIENT_SID_MAX + 1])
{
    struct base_slice sid;
    if (!base_json_plain(value, &sid) || sid.len == 0 || sid.len > CLIENT_SID_MAX)
        return false;
    for (size_t i = 0; i < sid.len; i++)
        if (!isalnum((unsigned char)sid.data[i]) && !strchr("-._~", sid.data[i]))
            return false;
    memcpy(out, sid.data, sid.len);
    out[sid.len] = '\0';
    return true;
}

static bool has_websocket(const struct base_json_value *upgrades)
{
    struct base_json_iter iter;
    struct base_json_value item;
    if (upgrades->kind != BASE_JSON_ARRAY)
        return false;
    base_json_iter_init(&iter, upgrades);
    while (base_json_iter_next(&iter, NULL, &item))
        if (base_json_equals(&item, "websocket", strlen("websocket")))
            return true;
    return false;
}

int client_open_parse(const char *text, size_t len, struct client_open *open)
{
    struct base_json_member wanted[] = {
        BASE_JSON_WANT("sid"),         BASE_JSON_WANT("upgrades"),   BASE_JSON_WANT("pingInterval"),
        BASE_JSON_WANT("pingTimeout"), BASE_JSON_WANT("maxPayload"),
    };
    *open = (struct client_open){0};
    if (base_json_pick(text, len, wanted, sizeof wanted / sizeof *wanted, NULL, NULL) < 0 ||
        !read_sid(&wanted[0].value, open->sid) ||
        !read_number(&wanted[2].value, MOST_PINGS_MS, &open->ping_interval_ms) ||
        !read_number(&wanted[3].value, MOST_PINGS_MS, &open->ping_timeout_ms))
        return BASE_ERR_SYNTAX;
    if (wanted[4].value.kind != BASE_JSON_ABSENT &&
        !read_number(&wanted[4].value, 1e15, &open->max_payload_bytes))
        return BASE_ERR_SYNTAX;
    open->upgrade = has_websocket(&wanted[1].value);
    return BASE_OK;
}
