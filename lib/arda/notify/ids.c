/* SPDX-License-Identifier: ISC */
#include "arda/notify_ids.h"

#include "arda/tenant.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/id.h"
#include "base/rfc3339.h"

#include <stdio.h>
#include <string.h>

#define TEXTS_MAX  4
#define LATEST_MS  (((int64_t)1 << 48) - 1)
#define VERSION_AT 14 /* in the text of a UUID */

static const char hex[] = "0123456789abcdef";

/* ---- causes ---- */

static int put_hash(struct arda_notify_cause *cause, const char *kind, struct base_slice text)
{
    uint8_t hash[BASE_SHA256_LEN];
    if (base_crypto_sha256(text.data, text.len, hash) < 0)
        return BASE_ERR_INTERNAL;
    char *to = cause->key + snprintf(cause->key, sizeof cause->key, "%s:", kind);
    for (size_t i = 0; i < sizeof hash; i++) {
        *to++ = hex[hash[i] >> 4];
        *to++ = hex[hash[i] & 15];
    }
    *to = '\0';
    return BASE_OK;
}

/* The time of a UUID of version 7, -1 of any other text. */
static int64_t uuid7_ms(const char *text, size_t len)
{
    char uuid[BASE_UUID_LEN + 1] = "";
    uint64_t ms;
    if (len != BASE_UUID_LEN)
        return -1;
    memcpy(uuid, text, len);
    return base_id_uuid7_ms(uuid, &ms) ? (int64_t)ms : -1;
}

/* An id is what it says, however it is written; one that says nothing (a lone surrogate) is its
 * text. */
static int take_id(const struct arda_message *message, struct arda_notify_cause *cause)
{
    struct base_buf decoded = BASE_BUF_INIT;
    struct base_slice id;
    if (!base_json_plain(&message->id, &id)) {
        int failed = base_json_unescape(&message->id, &decoded);
        if (failed == BASE_ERR_NOMEM)
            return failed;
        id = failed ? (struct base_slice){message->id.text, message->id.len}
                    : (struct base_slice){decoded.data, decoded.len};
    }
    int failed = BASE_OK;
    if (arda_id_valid(id.data, id.len)) {
        memcpy(cause->key, id.data, id.len);
        cause->key[id.len] = '\0';
    } else {
        failed = put_hash(cause, "id", id);
    }
    cause->time_ms = uuid7_ms(id.data, id.len);
    if (message->id.len <= ARDA_NOTIFY_ID_TEXT_MAX)
        cause->id = (struct base_slice){message->id.text, message->id.len};
    base_buf_fini(&decoded);
    return failed;
}

static int64_t timestamp_ms(const struct base_json_value *timestamp)
{
    int64_t ms;
    bool usable = base_rfc3339_of_json(timestamp, &ms) == 0 && ms >= 0 && ms <= LATEST_MS;
    return usable ? ms : -1;
}

int arda_notify_cause_of(const struct arda_message *message, struct arda_notify_cause *cause)
{
    *cause = (struct arda_notify_cause){.time_ms = -1};
    int failed = message->id.kind == BASE_JSON_STRING ? take_id(message, cause)
                                                      : put_hash(cause, "event", message->event);
    if (!failed && cause->time_ms < 0)
        cause->time_ms = timestamp_ms(&message->timestamp);
    return failed;
}

/* ---- ids ---- */

static void put_ms(uint8_t bytes[static 16], int64_t ms)
{
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (8 * (5 - i)));
}

/* The hash of the texts as a UUID, with the milliseconds in front unless they are -1. */
static int derive(int64_t ms, const struct base_slice *texts, size_t count,
                  char out[static ARDA_NOTIFY_ID_LEN + 1])
{
    uint8_t hash[BASE_SHA256_LEN];
    char joined[TEXTS_MAX * (ARDA_NOTIFY_KEY_MAX + 1)], *to = joined;
    for (size_t i = 0; i < count; i++) {
        base_assert(texts[i].len <= ARDA_NOTIFY_KEY_MAX);
        memcpy(to, texts[i].data, texts[i].len);
        to += texts[i].len;
        *to++ = '\0';
    }
    if (base_crypto_sha256(joined, (size_t)(to - joined), hash) < 0)
        return BASE_ERR_INTERNAL;
    if (ms >= 0)
        put_ms(hash, ms);
    hash[6] = (uint8_t)(0x80 | (hash[6] & 0x0F));
    hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3F));
    base_id_format_uuid(hash, out);
    return BASE_OK;
}

int arda_notify_id(int64_t time_ms, struct base_slice tenant, const char *key,
                   struct base_slice user, struct base_slice type,
                   char out[static ARDA_NOTIFY_ID_LEN + 1])
{
    const struct base_slice texts[] = {tenant, {key, strlen(key)}, user, type};
    return derive(time_ms, texts, 4, out);
}

/* The first 48 bits of a UUID. */
static int64_t ms_of(const char uuid[static ARDA_NOTIFY_ID_LEN])
{
    char as_version_7[ARDA_NOTIFY_ID_LEN];
    memcpy(as_version_7, uuid, ARDA_NOTIFY_ID_LEN);
    as_version_7[VERSION_AT] = '7';
    return uuid7_ms(as_version_7, ARDA_NOTIFY_ID_LEN);
}

static int derive_from(const char notification[static ARDA_NOTIFY_ID_LEN], const char *purpose,
                       char out[static ARDA_NOTIFY_ID_LEN + 1])
{
    const struct base_slice texts[] = {{notification, ARDA_NOTIFY_ID_LEN},
                                       {purpose, strlen(purpose)}};
    return derive(ms_of(notification), texts, 2, out);
}

int arda_notify_event_id(const char notification[static ARDA_NOTIFY_ID_LEN],
                         char out[static ARDA_NOTIFY_ID_LEN + 1])
{
    return derive_from(notification, "notification.created", out);
}

int arda_notify_delivery_id(const char notification[static ARDA_NOTIFY_ID_LEN],
                            enum arda_notify_channel channel,
                            char out[static ARDA_NOTIFY_ID_LEN + 1])
{
    return derive_from(notification, arda_notify_channel_name(channel), out);
}
