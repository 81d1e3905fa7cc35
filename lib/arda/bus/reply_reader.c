/* SPDX-License-Identifier: ISC
 *
 * Arrays are bounded where their memory is taken, since releases of hiredis before 1.0 have no
 * bound of their own. The length of a text is looked at while the text is incomplete: hiredis
 * leaves its head, digits and a line end, in the buffer until then.
 */
#include "arda/bus/reply_reader.h"

#include "base/err.h"

#include <string.h>

#if HIREDIS_MAJOR >= 1
typedef size_t count_type;
#else
typedef int count_type;
#endif

#define MAX_DIGITS 20

static void *(*create_any_array)(const redisReadTask *task, count_type count);

/* NULL makes the reader fail. */
static void *create_array(const redisReadTask *task, count_type count)
{
    return count > REPLY_MAX_ELEMENTS ? NULL : create_any_array(task, count);
}

int arda_reply_reader_open(struct reply_reader *reader, redisReplyObjectFunctions *functions,
                           void *privdata)
{
    static redisReplyObjectFunctions bounded;
    *reader = (struct reply_reader){.max_bytes = REPLY_MAX_BYTES};
    reader->reader = functions ? redisReaderCreateWithFunctions(functions) : redisReaderCreate();
    if (!reader->reader)
        return BASE_ERR_NOMEM;
    if (!functions) {
        create_any_array = reader->reader->fn->createArray;
        bounded = *reader->reader->fn;
        bounded.createArray = create_array;
        reader->reader->fn = &bounded;
    }
    reader->reader->privdata = privdata;
    return BASE_OK;
}

void arda_reply_reader_close(struct reply_reader *reader)
{
    if (reader->reader)
        redisReaderFree(reader->reader);
    reader->reader = NULL;
}

int arda_reply_reader_feed(struct reply_reader *reader, const char *bytes, size_t len)
{
    if (reader->bytes > reader->max_bytes)
        return BASE_ERR_LIMIT;
    reader->bytes += len;
    return redisReaderFeed(reader->reader, bytes, len) == REDIS_OK ? BASE_OK : BASE_ERR_NOMEM;
}

/* Whether what is incomplete is a text that announces too much. Any other answer is incomplete as
 * long as its line has no end. */
static bool announces_too_much(const redisReader *reader)
{
    const char *at = reader->buf + reader->pos;
    size_t left = reader->len - reader->pos, digits = 0;
    unsigned long long length = 0;
    for (; digits < left && digits < MAX_DIGITS && at[digits] >= '0' && at[digits] <= '9'; digits++)
        length = length * 10 + (unsigned)(at[digits] - '0');
    bool has_end = left - digits >= 2 && at[digits] == '\r' && at[digits + 1] == '\n';
    return digits > 0 && has_end && length > REPLY_MAX_BULK;
}

int arda_reply_reader_next(struct reply_reader *reader, void **reply)
{
    *reply = NULL;
    if (redisReaderGetReply(reader->reader, reply) != REDIS_OK)
        return BASE_ERR_SYNTAX;
    if (*reply)
        reader->bytes = 0;
    else if (reader->bytes > reader->max_bytes || announces_too_much(reader->reader))
        return BASE_ERR_LIMIT;
    return BASE_OK;
}
