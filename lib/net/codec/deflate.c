/* SPDX-License-Identifier: ISC */
#include "net/codec/deflate.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

/* Level 4 takes a third of the time of the default for a large event and gives 9 % more bytes;
 * for one of 350 bytes they are the same. */
#define LEVEL       4
#define MEMORY      8
#define RAW_WINDOW  (-15)
#define FIRST_CAP   4096u
#define KEEP_BYTES  (256u * 1024) /* a larger buffer is not kept for a smaller message */
#define GZIP_HEAD   10
#define GZIP_TAIL   8
#define TRAILER_LEN 4

/* The end of a flush, which is not sent (RFC 7692 section 7.2.1). */
static const char trailer[TRAILER_LEN] = {0, 0, (char)0xff, (char)0xff};

struct net_deflate {
    bool can_shrink; /* the stream has been made */
    bool can_expand;
    z_stream shrink;
    z_stream expand;
    struct base_buf shrunk;
    struct base_buf expanded;
};

static void *allocate(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return base_calloc(count, size);
}

static void release(void *unused, void *block)
{
    (void)unused;
    base_free(block);
}

struct net_deflate *net_deflate_new(void)
{
    struct net_deflate *state = base_calloc(1, sizeof *state);
    if (!state)
        return NULL;
    state->shrink.zalloc = state->expand.zalloc = allocate;
    state->shrink.zfree = state->expand.zfree = release;
    return state;
}

void net_deflate_free(struct net_deflate *state)
{
    if (!state)
        return;
    if (state->can_shrink)
        deflateEnd(&state->shrink);
    if (state->can_expand)
        inflateEnd(&state->expand);
    base_buf_fini(&state->shrunk);
    base_buf_fini(&state->expanded);
    base_free(state);
}

/* An empty buffer with room for `bytes`. */
static int clear(struct base_buf *buffer, size_t bytes)
{
    if (buffer->cap > KEEP_BYTES && bytes <= KEEP_BYTES)
        base_buf_fini(buffer);
    buffer->len = 0;
    return base_buf_reserve(buffer, bytes);
}

/* ---- compressing ---- */

static int begin_shrink(struct net_deflate *state)
{
    if (state->can_shrink) {
        deflateReset(&state->shrink);
        return BASE_OK;
    }
    if (deflateInit2(&state->shrink, LEVEL, Z_DEFLATED, RAW_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return BASE_ERR_NOMEM;
    state->can_shrink = true;
    return BASE_OK;
}

/* Adds the compressed bytes, `room` at most, behind what the buffer holds. */
static int shrink(struct net_deflate *state, struct base_slice in, size_t room, int flush)
{
    struct base_buf *out = &state->shrunk;
    z_stream *z = &state->shrink;
    int failed = begin_shrink(state);
    if (failed)
        return failed;
    z->next_in = (const unsigned char *)in.data;
    z->avail_in = (unsigned)in.len;
    z->next_out = (unsigned char *)out->data + out->len;
    z->avail_out = (unsigned)room;
    int got = deflate(z, flush);
    /* A flush is complete when it has left room. */
    if (got != (flush == Z_FINISH ? Z_STREAM_END : Z_OK) || z->avail_out == 0)
        return BASE_ERR_LIMIT;
    out->len += room - z->avail_out;
    return BASE_OK;
}

int net_deflate_message(struct net_deflate *state, struct base_slice message,
                        struct base_slice *out)
{
    if (message.len > UINT32_MAX - TRAILER_LEN)
        return BASE_ERR_LIMIT;
    size_t room = message.len + TRAILER_LEN;
    if (clear(&state->shrunk, room) < 0)
        return BASE_ERR_NOMEM;
    int failed = shrink(state, message, room, Z_SYNC_FLUSH);
    if (failed)
        return failed;
    *out = (struct base_slice){state->shrunk.data, state->shrunk.len - TRAILER_LEN};
    return BASE_OK;
}

static void put_le32(char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)(value >> 8 * i);
}

int net_deflate_gzip(struct net_deflate *state, struct base_slice body, struct base_slice *out)
{
    /* Deflate, no flags, no time, no hints, system unknown. */
    static const char head[GZIP_HEAD] = {0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, (char)0xff};
    struct base_buf *file = &state->shrunk;
    if (body.len > UINT32_MAX || body.len < GZIP_HEAD + GZIP_TAIL)
        return BASE_ERR_LIMIT;
    if (clear(file, body.len) < 0 || base_buf_add(file, head, sizeof head) < 0)
        return BASE_ERR_NOMEM;
    int failed = shrink(state, body, body.len - GZIP_HEAD - GZIP_TAIL, Z_FINISH);
    if (failed)
        return failed;
    char tail[GZIP_TAIL];
    put_le32(tail, (uint32_t)crc32_z(0, (const unsigned char *)body.data, body.len));
    put_le32(tail + 4, (uint32_t)body.len);
    if (base_buf_add(file, tail, sizeof tail) < 0)
        return BASE_ERR_NOMEM;
    *out = (struct base_slice){file->data, file->len};
    return BASE_OK;
}

/* ---- expanding ---- */

static int begin_expand(struct net_deflate *state)
{
    if (state->can_expand) {
        inflateReset(&state->expand);
        return BASE_OK;
    }
    if (inflateInit2(&state->expand, RAW_WINDOW) != Z_OK)
        return BASE_ERR_NOMEM;
    state->can_expand = true;
    return BASE_OK;
}

/* Room for more of the result, and for one byte more than it may have, which tells that it is too
 * long. The buffer grows with what has come, not with what might. */
static int make_room(struct base_buf *out, size_t max_bytes)
{
    if (out->len > max_bytes)
        return BASE_ERR_LIMIT;
    if (out->cap > out->len)
        return BASE_OK;
    return base_buf_reserve(out, 1);
}

/* Expands the bytes behind those before. `z` is asked again while its output may go on. */
static int expand(struct net_deflate *state, struct base_slice in, size_t max_bytes)
{
    struct base_buf *out = &state->expanded;
    z_stream *z = &state->expand;
    z->next_in = (const unsigned char *)in.data;
    z->avail_in = (unsigned)in.len;
    do {
        int failed = make_room(out, max_bytes);
        if (failed)
            return failed;
        size_t room = out->cap - out->len;
        if (room > max_bytes - out->len + 1)
            room = max_bytes - out->len + 1;
        z->next_out = (unsigned char *)out->data + out->len;
        z->avail_out = (unsigned)room;
        int got = inflate(z, Z_SYNC_FLUSH);
        out->len += room - z->avail_out;
        /* A final block is not the end of the message: section 7.2.3.4 has another behind it. */
        if (got == Z_STREAM_END)
            inflateReset(z);
        else if (got == Z_MEM_ERROR)
            return BASE_ERR_NOMEM;
        else if (got != Z_OK && got != Z_BUF_ERROR)
            return BASE_ERR_SYNTAX;
    } while (z->avail_in > 0 || z->avail_out == 0);
    return out->len > max_bytes ? BASE_ERR_LIMIT : BASE_OK;
}

/* Behind the message comes the trailer, which must be what it is: the lengths of an empty stored
 * block, whose header the message has ended with, and which ends on a byte's border. `data_type` is
 * the number of bits left over, with 128 between two blocks. In a block that was cut short the
 * trailer would be read as codes, and something would come of it. */
static int finish(struct net_deflate *state, size_t max_bytes)
{
    struct base_slice end = {trailer, TRAILER_LEN};
    size_t before = state->expanded.len;
    int failed = expand(state, end, max_bytes);
    if (failed)
        return failed;
    bool complete = state->expand.data_type == 128 && state->expanded.len == before;
    return complete ? BASE_OK : BASE_ERR_SYNTAX;
}

int net_deflate_expand(struct net_deflate *state, struct base_slice message, size_t max_bytes,
                       struct base_slice *out)
{
    if (message.len > UINT32_MAX)
        return BASE_ERR_LIMIT;
    if (max_bytes >= UINT32_MAX)
        max_bytes = UINT32_MAX - 1;
    size_t first = message.len * 4 > FIRST_CAP ? message.len * 4 : FIRST_CAP;
    if (begin_expand(state) < 0 ||
        clear(&state->expanded, first < max_bytes ? first : max_bytes + 1) < 0)
        return BASE_ERR_NOMEM;
    int failed = expand(state, message, max_bytes);
    if (!failed)
        failed = finish(state, max_bytes);
    if (failed)
        return failed;
    *out = (struct base_slice){state->expanded.data, state->expanded.len};
    return BASE_OK;
}
