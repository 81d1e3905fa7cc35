/* SPDX-License-Identifier: ISC */
#include "arda/stream_id.h"

#include <inttypes.h>
#include <stdio.h>

static bool take_number(const char **at, const char *end, uint64_t *number)
{
    const char *first = *at;
    *number = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        unsigned digit = (unsigned)(**at - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return *at > first && (*first != '0' || *at == first + 1);
}

bool arda_stream_id_parse(const char *text, size_t len, struct arda_stream_id *id)
{
    const char *at = text, *end = text + len;
    struct arda_stream_id read;
    if (!take_number(&at, end, &read.ms) || at == end || *at++ != '-' ||
        !take_number(&at, end, &read.seq) || at != end)
        return false;
    *id = read;
    return true;
}

size_t arda_stream_id_format(struct arda_stream_id id, char out[static ARDA_STREAM_ID_LEN + 1])
{
    int len = snprintf(out, ARDA_STREAM_ID_LEN + 1, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
    return (size_t)len;
}

int arda_stream_id_compare(struct arda_stream_id a, struct arda_stream_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

bool arda_stream_id_is_zero(struct arda_stream_id id)
{
    return id.ms == 0 && id.seq == 0;
}

struct arda_stream_id arda_stream_id_next(struct arda_stream_id id)
{
    if (id.seq < UINT64_MAX)
        return (struct arda_stream_id){id.ms, id.seq + 1};
    return id.ms < UINT64_MAX ? (struct arda_stream_id){id.ms + 1, 0} : id;
}

struct arda_stream_id arda_stream_id_previous(struct arda_stream_id id)
{
    if (id.seq > 0)
        return (struct arda_stream_id){id.ms, id.seq - 1};
    return id.ms > 0 ? (struct arda_stream_id){id.ms - 1, UINT64_MAX} : id;
}
