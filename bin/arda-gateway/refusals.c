/* SPDX-License-Identifier: ISC
 *
 * The log's line for what the server refuses before there is a session: the client's address, and
 * what was wrong in words that help. A browser shows none of it to its user, so this is where an
 * operator finds out why clients get 400, 403, 404 or 429.
 */
#include "gateway.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define WHAT_BYTES 120 /* of a client's text that are shown */
#define LINE_BYTES 640

/* The text of a client: what could be mistaken for our own words, or moves a cursor, is escaped. */
static const char *readable(char out[static 4 * WHAT_BYTES + 4], struct base_slice text)
{
    size_t len = 0, shown = text.len < WHAT_BYTES ? text.len : WHAT_BYTES;
    for (size_t i = 0; i < shown; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte > ' ' && byte < 0x7f && byte != '\\')
            out[len++] = (char)byte;
        else
            len += (size_t)sprintf(out + len, "\\x%02x", byte);
    }
    strcpy(out + len, shown < text.len ? "..." : "");
    return out;
}

static int put_version(char line[static LINE_BYTES], const char *revision)
{
    if (strcmp(revision, "3") == 0)
        return snprintf(line, LINE_BYTES,
                        "uses revision 3 of Engine.IO, as Socket.IO 2 clients do; only 4 is "
                        "supported");
    if (*revision)
        return snprintf(line, LINE_BYTES, "uses revision %s of Engine.IO; only 4 is supported",
                        revision);
    return snprintf(line, LINE_BYTES, "names no revision of Engine.IO: EIO=4 is needed");
}

/* What stands after `refused: `. */
static int put_cause(char line[static LINE_BYTES], const struct gateway *gateway,
                     const struct net_refused *refused)
{
    char shown[4 * WHAT_BYTES + 4];
    const char *what = readable(shown, refused->what), *why = refused->why ? refused->why : "";
    unsigned long long limit = refused->limit;
    switch (refused->refusal) {
    case NET_REFUSED_CONNECTIONS:
        return snprintf(line, LINE_BYTES, "there %s %llu connection%s, as --max-connections allows",
                        limit == 1 ? "is" : "are", limit, limit == 1 ? "" : "s");
    case NET_REFUSED_ADDRESS:
        return snprintf(line, LINE_BYTES, "has %llu session%s, as --max-per-address allows", limit,
                        limit == 1 ? "" : "s");
    case NET_REFUSED_JOINING:
        return snprintf(line, LINE_BYTES,
                        "has not shown a token, and has to make room for others: --max-joining "
                        "allows %llu such sessions",
                        limit);
    case NET_REFUSED_ORIGIN:
        return snprintf(line, LINE_BYTES, "origin %s is not allowed by --app-url or --cors-origin",
                        what);
    case NET_REFUSED_PATH:
        return snprintf(line, LINE_BYTES, "asked for %s, but clients are served at %s/", what,
                        gateway->path);
    case NET_REFUSED_VERSION: return put_version(line, what);
    case NET_REFUSED_SESSION:
        return snprintf(line, LINE_BYTES,
                        "unknown session, one that has ended or is another gateway's");
    case NET_REFUSED_UPGRADE:
        return snprintf(line, LINE_BYTES,
                        "asked for a WebSocket without the headers Connection and Upgrade, which a "
                        "proxy has to pass on");
    case NET_REFUSED_HEAD:
        return snprintf(line, LINE_BYTES,
                        "request line and headers are longer than --max-header allows, %llu bytes",
                        limit);
    case NET_REFUSED_BODY:
        return snprintf(line, LINE_BYTES, "the body is longer than %llu bytes", limit);
    case NET_REFUSED_LATE:
        return snprintf(line, LINE_BYTES, "the %s of a request was not complete after %llu ms", why,
                        limit);
    case NET_REFUSED_MALFORMED:
        return snprintf(line, LINE_BYTES, "%s", *why ? why : "what it sent is not an HTTP request");
    case NET_REFUSED_TLS:
        return snprintf(line, LINE_BYTES, "TLS: %s", *why ? why : "the handshake was aborted");
    default:
        return snprintf(line, LINE_BYTES, "%s", *why ? why : net_refusal_text(refused->refusal));
    }
}

/* Where the cause is more likely a setting than a client. */
static enum base_log_level level_of(enum net_refusal refusal)
{
    switch (refusal) {
    case NET_REFUSED_SESSION:
    case NET_REFUSED_LATE:
    case NET_REFUSED_MALFORMED:
    case NET_REFUSED_TLS: return BASE_LOG_INFO;
    default: return BASE_LOG_WARNING;
    }
}

void refusals_log(void *data, const struct net_refused *refused)
{
    static struct base_log_limit limits[NET_REFUSAL_COUNT];
    static atomic_bool seen[NET_REFUSAL_COUNT];
    enum net_refusal refusal = refused->refusal;
    if (refusal == NET_REFUSED_DESCRIPTORS) /* the listener logs it as an error of ours */
        return;
    bool first = !atomic_exchange_explicit(&seen[refusal], true, memory_order_relaxed);
    enum base_log_level level = first ? level_of(refusal) : BASE_LOG_DEBUG;
    char line[LINE_BYTES];
    if (!base_log_enabled(level))
        return;
    struct base_slice address = refused->address;
    if (address.len == 0)
        address = (struct base_slice){"a client", 8};
    put_cause(line, data, refused);
    if (!first)
        base_log_limited(&limits[refusal], level, "%.*s: refused: %s", (int)address.len,
                         address.data, line);
    else
        base_log(level, "%.*s: refused: %s%s", (int)address.len, address.data, line,
                 base_log_enabled(BASE_LOG_DEBUG) ? "" : " (the first of its kind; -v shows more)");
}
