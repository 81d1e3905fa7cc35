/* SPDX-License-Identifier: ISC */
#include "base/zone.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/zone_rule.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HEADER_LEN   44 /* RFC 9636 section 3.1 */
#define TYPE_LEN     6
#define SECOND_MS    1000
#define OFFSET_MAX_S (26 * 3600) /* "has to be between -89999 and 93599" */
#define COUNT_MAX    BASE_ZONE_FILE_MAX
#define NEVER_S      (INT64_MAX / SECOND_MS) /* a change from then on is none */

struct change {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};

struct base_zone {
    int32_t first_offset_s; /* before the first change */
    bool has_rule;          /* for what is behind the last one */
    struct base_zone_rule rule;
    size_t count;
    struct change changes[];
};

bool base_zone_name_valid(const char *name, size_t len)
{
    bool begins = true;
    if (len == 0 || len > BASE_ZONE_NAME_MAX || name[len - 1] == '/')
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c == '/' && !begins)
            begins = true;
        else if (isalpha(c) || (!begins && (isdigit(c) || c == '_' || c == '+' || c == '-')))
            begins = false;
        else
            return false;
    }
    return true;
}

/* ---- reading ---- */

/* A header, and the block of data behind it. */
struct block {
    unsigned char version;
    uint32_t ut_count, std_count, leap_count, time_count, type_count, char_count;
    size_t time_len; /* bytes of a time: 4, or 8 in the second block */
    const unsigned char *data;
    size_t len;
};

static uint32_t read_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_time(const unsigned char *at, size_t len)
{
    if (len == 4)
        return (int32_t)read_u32(at);
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static bool read_block(const unsigned char *at, size_t left, size_t time_len, struct block *block)
{
    if (left < HEADER_LEN || memcmp(at, "TZif", 4) != 0)
        return false;
    *block = (struct block){
        .version = at[4],
        .ut_count = read_u32(at + 20),
        .std_count = read_u32(at + 24),
        .leap_count = read_u32(at + 28),
        .time_count = read_u32(at + 32),
        .type_count = read_u32(at + 36),
        .char_count = read_u32(at + 40),
        .time_len = time_len,
        .data = at + HEADER_LEN,
    };
    if (block->ut_count > COUNT_MAX || block->std_count > COUNT_MAX ||
        block->leap_count > COUNT_MAX || block->time_count > COUNT_MAX || block->type_count == 0 ||
        block->type_count > COUNT_MAX || block->char_count > COUNT_MAX)
        return false;
    block->len = block->time_count * (time_len + 1) + block->type_count * TYPE_LEN +
                 block->char_count + block->leap_count * (time_len + 4) + block->std_count +
                 block->ut_count;
    return block->len <= left - HEADER_LEN;
}

static bool read_offset(const struct block *block, unsigned type, int32_t *offset)
{
    if (type >= block->type_count)
        return false;
    *offset = (int32_t)read_u32(block->data + block->time_count * (block->time_len + 1) +
                                type * TYPE_LEN);
    return *offset > -OFFSET_MAX_S && *offset < OFFSET_MAX_S;
}

static bool read_changes(const struct block *block, struct base_zone *zone)
{
    if (!read_offset(block, 0, &zone->first_offset_s))
        return false;
    for (size_t i = 0; i < block->time_count; i++) {
        struct change *change = &zone->changes[i];
        change->at_s = read_time(block->data + i * block->time_len, block->time_len);
        if ((i > 0 && change->at_s <= change[-1].at_s) ||
            !read_offset(block, block->data[block->time_count * block->time_len + i],
                         &change->offset_s))
            return false;
        zone->count++;
    }
    return true;
}

/* The line behind the second block; an empty one knows no rule. */
static bool read_footer(const unsigned char *at, size_t left, struct base_zone *zone)
{
    const unsigned char *end = left > 1 && *at == '\n' ? memchr(at + 1, '\n', left - 1) : NULL;
    if (!end)
        return false;
    size_t len = (size_t)(end - at) - 1;
    zone->has_rule = len > 0;
    return len == 0 || base_zone_rule_parse((const char *)at + 1, len, &zone->rule) == 0;
}

int base_zone_parse(struct base_slice file, struct base_zone **zone)
{
    const unsigned char *at = (const unsigned char *)file.data, *end = at + file.len;
    struct block block;
    *zone = NULL;
    if (!read_block(at, file.len, 4, &block))
        return BASE_ERR_SYNTAX;
    bool second = block.version >= '2';
    if (second) {
        at = block.data + block.len;
        if (!read_block(at, (size_t)(end - at), 8, &block))
            return BASE_ERR_SYNTAX;
    }
    struct base_zone *new = base_calloc(1, sizeof *new + block.time_count * sizeof new->changes[0]);
    if (!new)
        return BASE_ERR_NOMEM;
    at = block.data + block.len;
    if (!read_changes(&block, new) || (second && !read_footer(at, (size_t)(end - at), new))) {
        base_free(new);
        return BASE_ERR_SYNTAX;
    }
    *zone = new;
    return BASE_OK;
}

int base_zone_load(const char *folder, const char *name, size_t len, struct base_zone **zone)
{
    struct base_buf path = BASE_BUF_INIT, bytes = BASE_BUF_INIT;
    int failed = BASE_ERR_INVALID;
    *zone = NULL;
    if (!base_zone_name_valid(name, len))
        return failed;
    failed = base_buf_printf(&path, "%s/%.*s", folder, (int)len, name);
    if (!failed && !base_buf_cstr(&path))
        failed = BASE_ERR_NOMEM;
    if (!failed)
        failed = base_file_read(path.data, BASE_ZONE_FILE_MAX, &bytes, NULL);
    if (!failed)
        failed = base_zone_parse((struct base_slice){bytes.data, bytes.len}, zone);
    base_buf_fini(&bytes);
    base_buf_fini(&path);
    return failed;
}

void base_zone_free(struct base_zone *zone)
{
    base_free(zone);
}

/* ---- asking ---- */

/* A time during which the clock is not changed, up to `until_s`. */
struct period {
    int64_t until_s; /* INT64_MAX: no end */
    int32_t offset_s;
};

static struct period period_at(const struct base_zone *zone, int64_t utc_s)
{
    struct period period = {INT64_MAX, 0};
    if (!zone)
        return period;
    size_t low = 0, high = zone->count; /* changes up to then */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at_s <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < zone->count && zone->changes[low].at_s < NEVER_S)
        period.until_s = zone->changes[low].at_s;
    if (low == zone->count && zone->has_rule)
        period.offset_s = base_zone_rule_at(&zone->rule, utc_s, &period.until_s);
    else
        period.offset_s = low > 0 ? zone->changes[low - 1].offset_s : zone->first_offset_s;
    return period;
}

static int64_t floor_s(int64_t ms)
{
    return ms / SECOND_MS - (ms % SECOND_MS < 0);
}

int64_t base_zone_wall(const struct base_zone *zone, int64_t utc_ms)
{
    return utc_ms + (int64_t)period_at(zone, floor_s(utc_ms)).offset_s * SECOND_MS;
}

/* The first moment at which the clock shows this or more. */
int64_t base_zone_utc(const struct base_zone *zone, int64_t wall_ms)
{
    for (int64_t from_ms = wall_ms - (int64_t)OFFSET_MAX_S * SECOND_MS;;) {
        struct period period = period_at(zone, floor_s(from_ms));
        int64_t at_ms = wall_ms - (int64_t)period.offset_s * SECOND_MS;
        if (at_ms < from_ms)
            at_ms = from_ms;
        if (period.until_s == INT64_MAX || at_ms < period.until_s * SECOND_MS)
            return at_ms;
        from_ms = period.until_s * SECOND_MS;
    }
}

int64_t base_zone_change(const struct base_zone *zone, int64_t utc_ms)
{
    struct period period = period_at(zone, floor_s(utc_ms));
    return period.until_s == INT64_MAX ? INT64_MAX : period.until_s * SECOND_MS;
}
