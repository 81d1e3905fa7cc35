/* SPDX-License-Identifier: ISC
 *
 * reply: the shape of an answer of Redis, which is looked at before anything is taken from it: a
 * key may be of another type, a proxy or another server may answer. Not installed; includes
 * hiredis. Threads: any.
 */
#ifndef ARDA_BUS_REPLY_H
#define ARDA_BUS_REPLY_H

#include "base/buf.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <string.h>

static inline bool arda_reply_is_number(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_INTEGER;
}

/* `str`, which ends with a NUL, and `len` are set. */
static inline bool arda_reply_is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static inline bool arda_reply_is_array(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY;
}

static inline bool arda_reply_is_array_of(const redisReply *reply, size_t elements)
{
    return arda_reply_is_array(reply) && reply->elements == elements;
}

/* An array of `elements` numbers. */
static inline bool arda_reply_are_numbers(const redisReply *reply, size_t elements)
{
    bool right = arda_reply_is_array_of(reply, elements);
    for (size_t i = 0; right && i < elements; i++)
        right = arda_reply_is_number(reply->element[i]);
    return right;
}

/* An array of any number of texts that can be grouped by `step`. */
static inline bool arda_reply_are_texts(const redisReply *reply, size_t step)
{
    bool right = arda_reply_is_array(reply) && reply->elements % step == 0;
    for (size_t i = 0; right && i < reply->elements; i++)
        right = arda_reply_is_text(reply->element[i]);
    return right;
}

#define REPLY_CURSOR_MAX 24 /* with its NUL */

/* The answer to SCAN: the next cursor, or 0 at the end, and keys. The next one is another one than
 * `cursor`, or it would not end. */
static inline bool arda_reply_is_scan(const redisReply *reply, const char *cursor)
{
    if (!arda_reply_is_array_of(reply, 2) || !arda_reply_is_text(reply->element[0]) ||
        reply->element[0]->len >= REPLY_CURSOR_MAX)
        return false;
    const char *next = reply->element[0]->str;
    return (strcmp(next, "0") == 0 || strcmp(next, cursor) != 0) &&
           arda_reply_are_texts(reply->element[1], 1);
}

/* Empty for what is no text. */
static inline struct base_slice arda_reply_text(const redisReply *reply)
{
    bool text = arda_reply_is_text(reply);
    return (struct base_slice){text ? reply->str : "", text ? reply->len : 0};
}

#endif
