/* SPDX-License-Identifier: ISC
 *
 * One block holds the struct, the slices of a digest's rows, and the bytes of all texts.
 */
#include "arda/bus/reply.h"
#include "arda/delivery/internal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* In the order of the script. */
enum field {
    TENANT,
    CHANNEL,
    ID,
    USER,
    TYPE,
    ATTEMPTS,
    CREATED,
    HELD,
    PROBE,
    TAKEN_OVER,
    OFF,
    UNATTENDED,
    NOTIFICATION,
    CAUSE,
    PERSON,
    ENABLED,
    URL,
    SECRET,
    PREVIOUS,
    DIGEST,
    QUIET,
    ROWS,
    FIELDS
};

static bool is_whole(const redisReply *reply)
{
    if (!arda_reply_is_array_of(reply, FIELDS))
        return false;
    for (int i = 0; i < ROWS; i++)
        if (!arda_reply_is_text(reply->element[i]))
            return false;
    return arda_reply_are_texts(reply->element[ROWS], 1);
}

static struct base_slice copy(char **to, const redisReply *text)
{
    struct base_slice slice = {*to, text->len};
    memcpy(*to, text->str, text->len + 1);
    *to += text->len + 1;
    return slice;
}

/* False: it does not fit. */
static bool copy_id(char *out, size_t size, const redisReply *text)
{
    if (text->len >= size || strlen(text->str) != text->len)
        return false;
    memcpy(out, text->str, text->len + 1);
    return true;
}

static int fill(struct arda_delivery *delivery, redisReply *const *at)
{
    /* A type of a later version is shown as what concerns the system. */
    if (arda_notify_type_find(at[TYPE]->str, at[TYPE]->len, &delivery->type) < 0)
        delivery->type = ARDA_NOTIFY_SYSTEM_ALERT;
    if (!copy_id(delivery->tenant, sizeof delivery->tenant, at[TENANT]) ||
        !copy_id(delivery->user, sizeof delivery->user, at[USER]) ||
        !copy_id(delivery->id, sizeof delivery->id, at[ID]) ||
        arda_notify_channel_find(at[CHANNEL]->str, at[CHANNEL]->len, &delivery->channel) < 0)
        return BASE_ERR_SYNTAX;
    delivery->attempts = (uint32_t)strtoul(at[ATTEMPTS]->str, NULL, 10);
    delivery->created_ms = (int64_t)strtod(at[CREATED]->str, NULL);
    delivery->held = at[HELD]->str[0] == '1';
    delivery->probe = at[PROBE]->str[0] == '1';
    delivery->taken_over = at[TAKEN_OVER]->str[0] == '1';
    delivery->off = at[OFF]->str[0] == '1';
    delivery->unattended = at[UNATTENDED]->str[0] == '1';
    delivery->endpoint_enabled = strcmp(at[ENABLED]->str, "1") == 0;
    return BASE_OK;
}

int arda_delivery_parse(const struct redisReply *reply, const char *lease,
                        struct arda_delivery **out)
{
    if (!is_whole(reply))
        return BASE_ERR_SYNTAX;
    redisReply *const *at = reply->element;
    const redisReply *rows = at[ROWS];
    size_t bytes = 0;
    for (int i = NOTIFICATION; i < ROWS; i++)
        bytes += at[i]->len + 1;
    for (size_t i = 0; i < rows->elements; i++)
        bytes += rows->element[i]->len + 1;
    struct arda_delivery *delivery =
        base_calloc(1, sizeof *delivery + rows->elements * sizeof(struct base_slice) + bytes);
    if (!delivery)
        return BASE_ERR_NOMEM;
    base_list_init(&delivery->link);
    strcpy(delivery->lease, lease);
    int failed = fill(delivery, at);
    if (failed) {
        base_free(delivery);
        return failed;
    }
    delivery->items = (struct base_slice *)(delivery + 1);
    delivery->item_count = rows->elements;
    char *to = (char *)(delivery->items + rows->elements);
    delivery->notification = copy(&to, at[NOTIFICATION]);
    delivery->cause = copy(&to, at[CAUSE]);
    delivery->person = copy(&to, at[PERSON]);
    delivery->url = copy(&to, at[URL]);
    delivery->secret = copy(&to, at[SECRET]);
    delivery->previous_secret = copy(&to, at[PREVIOUS]);
    delivery->digest = copy(&to, at[DIGEST]);
    delivery->quiet = copy(&to, at[QUIET]);
    for (size_t i = 0; i < rows->elements; i++)
        delivery->items[i] = copy(&to, rows->element[i]);
    *out = delivery;
    return BASE_OK;
}
