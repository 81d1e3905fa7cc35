/* SPDX-License-Identifier: ISC
 *
 * The commands of stream.h: XRANGE and XREVRANGE, XINFO STREAM, TIME.
 */
#include "arda/stream/stream.h"

#include "arda/bus/command.h"
#include "arda/bus/reply.h"
#include "arda/name/keys.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define PAGE_FIRST 100
#define PAGE_MAX   1000
#define PAGE_BYTES (1024 * 1024)

/* ---- one command ---- */

struct question {
    struct arda_bus *bus;
    union {
        arda_stream_page_fn page;
        arda_stream_info_fn info;
        arda_stream_time_fn time;
    } done;
    void *data;
};

static bool is_id(const redisReply *reply, struct arda_stream_id *id)
{
    return arda_reply_is_text(reply) && arda_stream_id_parse(reply->str, reply->len, id);
}

/* What the answer says before anybody looks into it. */
static int check(const struct question *question, int result, const redisReply *reply,
                 struct base_why *why)
{
    if (result)
        return base_why_set(why, result, "the connection to Redis was lost before the answer");
    result = arda_bus_reply_error(question->bus, reply, why);
    if (result == BASE_ERR_INTERNAL && strncmp(reply->str, "WRONGTYPE", 9) == 0)
        result = why->code = BASE_ERR_SYNTAX;
    return result;
}

static int no_sense(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_SYNTAX, "the answer of Redis makes no sense");
}

static int ask(const struct question *model, int argc, const char *const *argv, const size_t *lens,
               arda_reply_fn on_reply)
{
    struct question *question = base_malloc(sizeof *question);
    if (!question)
        return BASE_ERR_NOMEM;
    *question = *model;
    int failed = arda_bus_command(model->bus, argc, argv, lens, on_reply, question);
    if (failed)
        base_free(question);
    return failed;
}

static size_t make_key(char key[static ARDA_KEY_MAX], struct arda_bus *bus,
                       struct base_slice tenant)
{
    return arda_key(key, arda_bus_prefix(bus), ARDA_KEY_STREAM, tenant.data, tenant.len);
}

/* ---- pages ---- */

static void take_field(struct arda_stream_entry *entry, struct base_slice name,
                       struct base_slice value)
{
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {{"envelope", offsetof(struct arda_stream_entry, envelope)},
                  {"type", offsetof(struct arda_stream_entry, type)},
                  {"source", offsetof(struct arda_stream_entry, source)},
                  {"timestamp", offsetof(struct arda_stream_entry, timestamp)}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (name.len == strlen(fields[i].name) && memcmp(name.data, fields[i].name, name.len) == 0)
            memcpy((char *)entry + fields[i].offset, &value, sizeof value);
}

/* [id, [name, value, ...]]; an entry that was deleted meanwhile has nil instead of the fields. */
static bool take_entry(const redisReply *reply, struct arda_stream_entry *entry, size_t *bytes)
{
    *entry = (struct arda_stream_entry){.id = {0, 0}};
    if (!arda_reply_is_array_of(reply, 2) || !is_id(reply->element[0], &entry->id))
        return false;
    const redisReply *fields = reply->element[1];
    size_t count = fields->type == REDIS_REPLY_ARRAY ? fields->elements : 0;
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (!arda_reply_is_text(fields->element[i]) || !arda_reply_is_text(fields->element[i + 1]))
            return false;
        take_field(entry, arda_reply_text(fields->element[i]),
                   arda_reply_text(fields->element[i + 1]));
        *bytes += fields->element[i]->len + fields->element[i + 1]->len;
    }
    return true;
}

static int take_page(const redisReply *reply, struct arda_stream_entry **entries,
                     struct arda_stream_page *page, struct base_why *why)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return no_sense(why);
    *entries = base_calloc(reply->elements + 1, sizeof **entries);
    if (!*entries)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < reply->elements; i++)
        if (!take_entry(reply->element[i], &(*entries)[i], &page->bytes))
            return no_sense(why);
    page->entries = *entries;
    page->count = reply->elements;
    return BASE_OK;
}

static void on_page(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    struct base_why why = {0};
    struct arda_stream_entry *entries = NULL;
    struct arda_stream_page page = {NULL, 0, 0};
    result = check(question, result, reply, &why);
    if (!result)
        result = take_page(reply, &entries, &page, &why);
    question->done.page(question->data, result, &page, &why);
    base_free(entries);
    base_free(question);
}

int arda_stream_read(struct arda_bus *bus, const struct arda_stream_range *range,
                     arda_stream_page_fn done, void *data)
{
    char key[ARDA_KEY_MAX], count[24];
    char first[ARDA_STREAM_ID_LEN + 1], last[ARDA_STREAM_ID_LEN + 1];
    if (!arda_tenant_valid(range->tenant.data, range->tenant.len))
        return BASE_ERR_INVALID;
    arda_stream_id_format(range->first, first);
    arda_stream_id_format(range->last, last);
    snprintf(count, sizeof count, "%zu", range->max_entries);
    make_key(key, bus, range->tenant);
    const char *const argv[] = {
        range->backwards ? "XREVRANGE" : "XRANGE", key,     range->backwards ? last : first,
        range->backwards ? first : last,           "COUNT", count};
    return ask(&(struct question){bus, {.page = done}, data}, 6, argv, NULL, on_page);
}

size_t arda_stream_page_size(const struct arda_stream_page *page, size_t asked)
{
    if (!page || page->count == 0)
        return page ? asked : PAGE_FIRST;
    size_t fits = PAGE_BYTES / (page->bytes / page->count + 1);
    return fits < 1 ? 1 : fits > PAGE_MAX ? PAGE_MAX : fits;
}

/* ---- what a stream is ---- */

/* The id of [id, fields], the form of first-entry; 0-0 for nil. */
static bool take_edge(const redisReply *reply, struct arda_stream_id *id)
{
    *id = (struct arda_stream_id){0, 0};
    if (reply->type == REDIS_REPLY_NIL)
        return true;
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && is_id(reply->element[0], id);
}

/* One pair of the answer; names that are not known here are passed over. */
static bool take_fact(struct arda_stream_info *info, const redisReply *name,
                      const redisReply *value)
{
    bool number = value->type == REDIS_REPLY_INTEGER && value->integer >= 0;
    if (!arda_reply_is_text(name))
        return false;
    if (strcmp(name->str, "length") == 0) {
        info->length = number ? (uint64_t)value->integer : 0;
        return number;
    }
    if (strcmp(name->str, "last-generated-id") == 0)
        return is_id(value, &info->last);
    if (strcmp(name->str, "first-entry") == 0)
        return take_edge(value, &info->first);
    if (strcmp(name->str, "max-deleted-entry-id") == 0)
        return is_id(value, &info->last_deleted);
    if (strcmp(name->str, "entries-added") == 0) {
        info->added = number ? (uint64_t)value->integer : 0;
        info->counts = true;
        return number;
    }
    return true;
}

static int take_info(const redisReply *reply, struct arda_stream_info *info, struct base_why *why)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2)
        return no_sense(why);
    info->exists = true;
    for (size_t i = 0; i < reply->elements; i += 2)
        if (!take_fact(info, reply->element[i], reply->element[i + 1]))
            return no_sense(why);
    return BASE_OK;
}

static void on_info(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    struct base_why why = {0};
    struct arda_stream_info info = {0};
    bool missing =
        !result && reply->type == REDIS_REPLY_ERROR && strcmp(reply->str, "ERR no such key") == 0;
    if (!missing)
        result = check(question, result, reply, &why);
    if (!result && !missing)
        result = take_info(reply, &info, &why);
    question->done.info(question->data, result, &info, &why);
    base_free(question);
}

int arda_stream_info(struct arda_bus *bus, struct base_slice tenant, arda_stream_info_fn done,
                     void *data)
{
    char key[ARDA_KEY_MAX];
    if (!arda_tenant_valid(tenant.data, tenant.len))
        return BASE_ERR_INVALID;
    make_key(key, bus, tenant);
    const char *const argv[] = {"XINFO", "STREAM", key};
    return ask(&(struct question){bus, {.info = done}, data}, 3, argv, NULL, on_info);
}

/* ---- the clock ---- */

static bool is_number(const redisReply *reply, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; arda_reply_is_text(reply) && i < reply->len; i++) {
        if (reply->str[i] < '0' || reply->str[i] > '9' || i >= 18)
            return false;
        *number = *number * 10 + (uint64_t)(reply->str[i] - '0');
    }
    return arda_reply_is_text(reply) && reply->len > 0;
}

static void on_time(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    struct base_why why = {0};
    uint64_t seconds = 0, us = 0;
    result = check(question, result, reply, &why);
    if (!result && (!arda_reply_is_array_of(reply, 2) || !is_number(reply->element[0], &seconds) ||
                    !is_number(reply->element[1], &us)))
        result = no_sense(&why);
    question->done.time(question->data, result, seconds * 1000 + us / 1000, &why);
    base_free(question);
}

int arda_stream_time(struct arda_bus *bus, arda_stream_time_fn done, void *data)
{
    const char *const argv[] = {"TIME"};
    return ask(&(struct question){bus, {.time = done}, data}, 1, argv, NULL, on_time);
}

/* ---- all streams ---- */

struct scan {
    struct arda_bus *bus;
    void (*on_tenant)(void *data, struct base_slice tenant);
    void (*done)(void *data, int result, const struct base_why *why);
    void *data;
    size_t head_len;               /* of a key, before the tenant */
    char cursor[REPLY_CURSOR_MAX]; /* asked for */
};

static int scan_from(struct scan *scan, const char *cursor);

static void give_tenants(const struct scan *scan, const redisReply *keys)
{
    for (size_t i = 0; i < keys->elements; i++) {
        const redisReply *key = keys->element[i];
        if (!arda_reply_is_text(key) || key->len <= scan->head_len)
            continue;
        struct base_slice tenant = {key->str + scan->head_len, key->len - scan->head_len};
        if (arda_tenant_valid(tenant.data, tenant.len))
            scan->on_tenant(scan->data, tenant);
    }
}

/* [cursor, [key, ...]]; the cursor 0 ends it. */
static void on_keys(void *data, int result, const struct redisReply *reply)
{
    struct scan *scan = data;
    struct base_why why = {0};
    result = check(&(struct question){.bus = scan->bus}, result, reply, &why);
    if (!result && !arda_reply_is_scan(reply, scan->cursor))
        result = no_sense(&why);
    if (!result) {
        give_tenants(scan, reply->element[1]);
        if (strcmp(reply->element[0]->str, "0") != 0) {
            result = scan_from(scan, reply->element[0]->str);
            if (!result)
                return;
            base_why_set(&why, result, "%s", base_err_text(result));
        }
    }
    scan->done(scan->data, result, &why);
    base_free(scan);
}

static int scan_from(struct scan *scan, const char *cursor)
{
    char pattern[ARDA_KEY_MAX];
    strcpy(scan->cursor, cursor);
    scan->head_len = arda_key(pattern, arda_bus_prefix(scan->bus), ARDA_KEY_STREAM, "*", 1) - 1;
    const char *const argv[] = {"SCAN", scan->cursor, "MATCH", pattern, "COUNT", "1000"};
    return arda_bus_command(scan->bus, 6, argv, NULL, on_keys, scan);
}

int arda_stream_scan(struct arda_bus *bus, void (*on_tenant)(void *data, struct base_slice tenant),
                     void (*done)(void *data, int result, const struct base_why *why), void *data)
{
    struct scan *scan = base_malloc(sizeof *scan);
    if (!scan)
        return BASE_ERR_NOMEM;
    *scan = (struct scan){.bus = bus, .on_tenant = on_tenant, .done = done, .data = data};
    int failed = scan_from(scan, "0");
    if (failed)
        base_free(scan);
    return failed;
}
