/* SPDX-License-Identifier: ISC
 *
 * reply_reader: the reader of hiredis with bounds. An answer announces how long it is, and memory
 * is allocated for it before it has arrived; so an answer that announces more than Redis ever sends
 * is refused by its head. Not installed; includes hiredis. Threads: one at a time per reader.
 */
#ifndef ARDA_BUS_REPLY_READER_H
#define ARDA_BUS_REPLY_READER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

#define REPLY_MAX_ELEMENTS (1 << 24)    /* of an array: a hash of eight million fields */
#define REPLY_MAX_BULK     (512u << 20) /* bytes of a text: what Redis takes unless told otherwise */
#define REPLY_MAX_BYTES    (1u << 30)   /* of one answer, as it comes */

/* Zeroed: closed. */
struct reply_reader {
    redisReader *reader;
    size_t max_bytes; /* REPLY_MAX_BYTES unless set later */
    size_t bytes;     /* fed since the last answer, at most max_bytes and one feed */
};

/* `functions` build the objects; NULL: redisReply, which are the caller's to free. With functions
 * of its own the caller bounds arrays. BASE_ERR_NOMEM. */
int arda_reply_reader_open(struct reply_reader *reader, redisReplyObjectFunctions *functions,
                           void *privdata);
void arda_reply_reader_close(struct reply_reader *reader); /* a closed one is allowed */
/* Takes bytes as they came. BASE_ERR_NOMEM; BASE_ERR_LIMIT: the answer is too long. */
int arda_reply_reader_feed(struct reply_reader *reader, const char *bytes, size_t len);
/* The next answer, or NULL while none is complete. BASE_ERR_SYNTAX: not the protocol of Redis, or
 * out of memory; BASE_ERR_LIMIT. */
int arda_reply_reader_next(struct reply_reader *reader, void **reply);

#endif
