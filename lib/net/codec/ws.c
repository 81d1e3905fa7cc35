/* SPDX-License-Identifier: ISC */
#include "net/codec/ws.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

#define BIT_FIN    0x80
#define BITS_RSV   0x70
#define BIT_MASKED 0x80
#define BITS_LEN   0x7f
#define LEN_16     126 /* the length field says: 16 bits follow */
#define LEN_64     127
#define MASK_SIZE  4

#define FIRST_CAP 256

enum flag {
    IN_FRAME = 1 << 0,   /* the head is complete, its mask is turned to the next byte */
    IN_MESSAGE = 1 << 1, /* a data frame has begun and the final one has not ended */
    IS_TEXT = 1 << 2,    /* ... and the message is text */
    RELEASE = 1 << 3,    /* the last event lies in `partial`, which the next call frees */
    ENDED = 1 << 4,      /* a close or a violation: what comes now has no meaning */
    DEFLATES = 1 << 5,   /* messages may be compressed */
    COMPRESSED = 1 << 6, /* ... and the one that has begun is */
};

struct net_ws_partial {
    uint32_t cap; /* of data */
    uint32_t len;
    uint8_t utf8; /* state behind data */
    uint8_t control_len;
    char control[NET_WS_CONTROL_MAX]; /* may come between the fragments of data */
    char data[];
};

struct input {
    char *data;
    size_t len;
    size_t used;
};

static void release(struct net_ws *ws)
{
    base_free_clear(&ws->partial);
    ws->flags &= (uint8_t)~RELEASE;
}

void net_ws_fini(struct net_ws *ws)
{
    release(ws);
    *ws = (struct net_ws){0};
}

void net_ws_allow_compressed(struct net_ws *ws)
{
    ws->flags |= DEFLATES;
}

bool net_ws_allows_compressed(const struct net_ws *ws)
{
    return ws->flags & DEFLATES;
}

bool net_ws_midway(const struct net_ws *ws)
{
    return !(ws->flags & ENDED) && (ws->head_len > 0 || ws->flags & IN_MESSAGE);
}

static enum net_ws_opcode opcode_of(const struct net_ws *ws)
{
    return ws->head[0] & 0x0f;
}

static bool is_control(const struct net_ws *ws)
{
    return ws->head[0] & 0x08;
}

static int fail(struct net_ws_event *event, enum net_ws_code code)
{
    event->code = (uint16_t)code;
    return code == NET_WS_CODE_INTERNAL ? BASE_ERR_NOMEM : BASE_ERR_SYNTAX;
}

/* The block, with room for `more` bytes of a message that will not be longer than `ceiling`, unless
 * the bound has been lowered since its frame began. It grows to twice of what has come and not to
 * what was announced. */
static struct net_ws_partial *reserve(struct net_ws *ws, size_t more, uint64_t ceiling)
{
    struct net_ws_partial *partial = ws->partial;
    uint64_t need = (partial ? partial->len : 0) + (uint64_t)more;
    if (partial && need <= partial->cap)
        return partial;
    uint64_t cap = need * 2 > FIRST_CAP ? need * 2 : FIRST_CAP;
    if (cap > ceiling)
        cap = ceiling > need ? ceiling : need;
    partial = base_realloc(partial, sizeof *partial + (size_t)cap);
    if (!partial)
        return NULL;
    if (!ws->partial)
        memset(partial, 0, sizeof *partial);
    partial->cap = (uint32_t)cap;
    ws->partial = partial;
    return partial;
}

/* Takes bytes of the head until `want` are there. */
static bool fill_head(struct net_ws *ws, struct input *in, size_t want)
{
    if (ws->head_len >= want)
        return true;
    size_t take = want - ws->head_len;
    if (take > in->len - in->used)
        take = in->len - in->used;
    if (take)
        memcpy(ws->head + ws->head_len, in->data + in->used, take);
    ws->head_len = (uint8_t)(ws->head_len + take);
    in->used += take;
    return ws->head_len == want;
}

/* RSV1 belongs to the first frame of a message, where it has been agreed on. */
static bool bits_allowed(const struct net_ws *ws)
{
    enum net_ws_opcode opcode = opcode_of(ws);
    bool may_compress = ws->flags & DEFLATES && (opcode == NET_WS_TEXT || opcode == NET_WS_BINARY);
    return !(ws->head[0] & (may_compress ? BITS_RSV & ~NET_WS_COMPRESSED : BITS_RSV));
}

/* Whether the first two bytes may stand there, sections 5.2 to 5.5. */
static bool start_allowed(const struct net_ws *ws)
{
    if (!bits_allowed(ws) || !(ws->head[1] & BIT_MASKED))
        return false;
    switch (opcode_of(ws)) {
    case NET_WS_CONTINUATION: return ws->flags & IN_MESSAGE;
    case NET_WS_TEXT:
    case NET_WS_BINARY: return !(ws->flags & IN_MESSAGE);
    case NET_WS_CLOSE:
    case NET_WS_PING:
    case NET_WS_PONG:
        return ws->head[0] & BIT_FIN && (ws->head[1] & BITS_LEN) <= NET_WS_CONTROL_MAX;
    }
    return false;
}

/* Bytes of the head in front of the mask. */
static size_t head_size(uint8_t second)
{
    switch (second & BITS_LEN) {
    case LEN_16: return 2 + 2;
    case LEN_64: return 2 + 8;
    default: return 2;
    }
}

/* The payload's length; false if fewer bytes could have said it, or the top bit is set. */
static bool read_len(const uint8_t *head, uint64_t *len)
{
    size_t size = head_size(head[1]);
    if (size == 2) {
        *len = head[1] & BITS_LEN;
        return true;
    }
    *len = 0;
    for (size_t i = 2; i < size; i++)
        *len = *len << 8 | head[i];
    return size == 2 + 2 ? *len >= LEN_16 : *len > UINT16_MAX && !(*len >> 63);
}

/* 1: the frame has begun. 0: more bytes are needed. */
static int read_head(struct net_ws *ws, uint32_t max, struct input *in, struct net_ws_event *event)
{
    if (!fill_head(ws, in, 2))
        return 0;
    if (!start_allowed(ws))
        return fail(event, NET_WS_CODE_PROTOCOL);
    size_t size = head_size(ws->head[1]);
    if (!fill_head(ws, in, size))
        return 0;
    uint64_t len;
    if (!read_len(ws->head, &len))
        return fail(event, NET_WS_CODE_PROTOCOL);
    uint32_t before = ws->partial ? ws->partial->len : 0;
    if (!is_control(ws) && (before > max || len > max - before))
        return fail(event, NET_WS_CODE_TOO_BIG);
    if (!fill_head(ws, in, size + MASK_SIZE))
        return 0;
    ws->frame_left = (uint32_t)len;
    ws->flags |= IN_FRAME;
    if (!is_control(ws))
        ws->flags |= IN_MESSAGE;
    if (opcode_of(ws) == NET_WS_TEXT)
        ws->flags |= IS_TEXT;
    if (ws->head[0] & NET_WS_COMPRESSED)
        ws->flags |= COMPRESSED;
    return 1;
}

/* Section 5.3. The mask is turned, so that it fits what comes behind `data`. */
static void unmask(uint8_t mask[static MASK_SIZE], char *data, size_t len)
{
    uint8_t twice[2 * MASK_SIZE];
    memcpy(twice, mask, MASK_SIZE);
    memcpy(twice + MASK_SIZE, mask, MASK_SIZE);
    uint64_t wide, word;
    memcpy(&wide, twice, sizeof wide);
    size_t at = 0;
    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, data + at, sizeof word);
        word ^= wide;
        memcpy(data + at, &word, sizeof word);
    }
    for (; at < len; at++)
        data[at] = (char)(data[at] ^ mask[at % MASK_SIZE]);
    memcpy(mask, twice + len % MASK_SIZE, MASK_SIZE);
}

/* The codes of section 7.4 that may be sent, and the later ones of the registry (1012 to 1014). */
static bool close_code_allowed(unsigned code)
{
    if (code >= 3000)
        return code <= 4999;
    return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

static int yield_close(struct net_ws *ws, char *data, size_t len, struct net_ws_event *event)
{
    ws->flags |= ENDED | RELEASE; /* also of a message that is cut short */
    *event = (struct net_ws_event){NET_WS_CLOSE, data, 0, NET_WS_CODE_NONE, false};
    if (len == 0)
        return 1;
    if (len == 1)
        return fail(event, NET_WS_CODE_PROTOCOL);
    unsigned code = (unsigned)(uint8_t)data[0] << 8 | (uint8_t)data[1];
    if (!close_code_allowed(code))
        return fail(event, NET_WS_CODE_PROTOCOL);
    if (!base_utf8_valid(data + 2, len - 2))
        return fail(event, NET_WS_CODE_DATA);
    *event = (struct net_ws_event){NET_WS_CLOSE, data + 2, len - 2, (uint16_t)code, false};
    return 1;
}

static void end_frame(struct net_ws *ws)
{
    ws->head_len = 0;
    ws->flags &= (uint8_t)~IN_FRAME;
}

static int take_control(struct net_ws *ws, char *piece, size_t len, struct net_ws_event *event)
{
    bool begun = ws->partial && ws->partial->control_len > 0;
    if (ws->frame_left > 0 || begun) {
        struct net_ws_partial *partial = reserve(ws, 0, 0);
        if (!partial)
            return fail(event, NET_WS_CODE_INTERNAL);
        memcpy(partial->control + partial->control_len, piece, len);
        partial->control_len = (uint8_t)(partial->control_len + len);
        if (ws->frame_left > 0)
            return 0;
        piece = partial->control;
        len = partial->control_len;
        partial->control_len = 0;
        if (!(ws->flags & IN_MESSAGE))
            ws->flags |= RELEASE;
    }
    enum net_ws_opcode opcode = opcode_of(ws);
    end_frame(ws);
    if (opcode == NET_WS_CLOSE)
        return yield_close(ws, piece, len, event);
    *event = (struct net_ws_event){opcode, piece, len, NET_WS_CODE_NONE, false};
    return 1;
}

static int yield_message(struct net_ws *ws, char *data, size_t len, struct net_ws_event *event)
{
    enum net_ws_opcode opcode = ws->flags & IS_TEXT ? NET_WS_TEXT : NET_WS_BINARY;
    bool compressed = ws->flags & COMPRESSED;
    *event = (struct net_ws_event){opcode, data, len, NET_WS_CODE_NONE, compressed};
    ws->flags &= (uint8_t) ~(IN_MESSAGE | IS_TEXT | COMPRESSED);
    if (ws->partial)
        ws->flags |= RELEASE;
    return 1;
}

static int take_data(struct net_ws *ws, uint32_t max, char *piece, size_t len,
                     struct net_ws_event *event)
{
    struct net_ws_partial *partial = ws->partial;
    bool final = ws->head[0] & BIT_FIN;
    bool ends = final && ws->frame_left == 0;
    uint8_t utf8 = partial ? partial->utf8 : BASE_UTF8_START;
    if ((ws->flags & (IS_TEXT | COMPRESSED)) == IS_TEXT) {
        utf8 = base_utf8_feed(utf8, piece, len);
        if (utf8 == BASE_UTF8_REJECT || (ends && utf8 != BASE_UTF8_START))
            return fail(event, NET_WS_CODE_DATA);
    }
    if (!ends || (partial && partial->len > 0)) {
        uint32_t before = partial ? partial->len : 0;
        uint64_t ceiling = final ? before + (uint64_t)len + ws->frame_left : max;
        partial = len || partial ? reserve(ws, len, ceiling) : NULL;
        if (len && !partial)
            return fail(event, NET_WS_CODE_INTERNAL);
        if (partial) {
            memcpy(partial->data + partial->len, piece, len);
            partial->len += (uint32_t)len;
            partial->utf8 = utf8;
            piece = partial->data;
            len = partial->len;
        }
    }
    if (ws->frame_left == 0)
        end_frame(ws);
    return ends ? yield_message(ws, piece, len, event) : 0;
}

/* 1: an event. 0: the frame goes on, or ended without one. */
static int read_payload(struct net_ws *ws, uint32_t max, struct input *in,
                        struct net_ws_event *event)
{
    size_t len = in->len - in->used;
    if (len > ws->frame_left)
        len = ws->frame_left;
    if (len == 0 && ws->frame_left > 0)
        return 0;
    char *piece = in->data + in->used;
    unmask(ws->head + ws->head_len - MASK_SIZE, piece, len);
    in->used += len;
    ws->frame_left -= (uint32_t)len;
    if (is_control(ws))
        return take_control(ws, piece, len, event);
    return take_data(ws, max, piece, len, event);
}

int net_ws_next(struct net_ws *ws, size_t max_message_bytes, char *data, size_t len, size_t *used,
                struct net_ws_event *event)
{
    uint32_t max = max_message_bytes < UINT32_MAX ? (uint32_t)max_message_bytes : UINT32_MAX;
    struct input in = {data, len, 0};
    int result = 0;
    if (ws->flags & RELEASE)
        release(ws);
    if (ws->flags & ENDED)
        in.used = len;
    while (result == 0 && in.used < len) {
        result = 1;
        if (!(ws->flags & IN_FRAME))
            result = read_head(ws, max, &in, event);
        if (result == 1)
            result = read_payload(ws, max, &in, event);
    }
    if (result < 0) {
        release(ws);
        ws->flags |= ENDED;
    }
    *used = in.used;
    return result;
}

size_t net_ws_header(char out[static NET_WS_HEADER_MAX], enum net_ws_opcode opcode,
                     size_t payload_len)
{
    out[0] = (char)(BIT_FIN | opcode);
    if (payload_len < LEN_16) {
        out[1] = (char)payload_len;
        return 2;
    }
    out[1] = payload_len <= UINT16_MAX ? LEN_16 : LEN_64;
    size_t size = head_size((uint8_t)out[1]);
    uint64_t rest = payload_len;
    for (size_t i = size; i-- > 2; rest >>= 8)
        out[i] = (char)(rest & 0xff);
    return size;
}

size_t net_ws_header_read(const char *frame, size_t *payload_len)
{
    uint64_t len;
    bool ours = read_len((const uint8_t *)frame, &len);
    base_assert(ours && len <= SIZE_MAX);
    *payload_len = (size_t)len;
    return head_size((uint8_t)frame[1]);
}

int net_ws_accept(const char *key, size_t key_len, char out[static NET_WS_ACCEPT_LEN + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    enum { KEY_LEN = 24, KEY_BYTES = 16, GUID_LEN = sizeof guid - 1 };
    char bytes[KEY_LEN / 4 * 3 + 3], text[KEY_LEN + GUID_LEN];
    if (key_len != KEY_LEN || base_base64_decode(BASE_BASE64_STD, key, key_len, bytes) != KEY_BYTES)
        return BASE_ERR_SYNTAX;
    memcpy(text, key, KEY_LEN);
    memcpy(text + KEY_LEN, guid, GUID_LEN);
    uint8_t digest[BASE_SHA1_LEN];
    int result = base_crypto_sha1(text, sizeof text, digest);
    if (result < 0)
        return result;
    base_base64_encode(BASE_BASE64_STD, digest, sizeof digest, out);
    out[NET_WS_ACCEPT_LEN] = '\0';
    return BASE_OK;
}
