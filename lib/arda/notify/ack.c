/* SPDX-License-Identifier: ISC
 *
 * What a notification daemon does with entries that become no notification, and with its traces in
 * Redis.
 */
#include "arda/notify/intake.h"

#include "arda/bus/command.h"
#include "arda/bus/reply.h"
#include "arda/bus/script.h"
#include "arda/name/keys.h"
#include "arda/notify_step.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SCAN_COUNT "1000"
#define DEAD_MAX   "10000" /* letters, about */

struct question {
    struct arda_bus *bus;
    union {
        arda_intake_done_fn done;
        arda_intake_start_fn on_start;
        arda_intake_handled_fn on_handled;
    };
    void *data;
};

static struct question *ask(struct arda_bus *bus, void *data)
{
    struct question *question = base_calloc(1, sizeof *question);
    if (question) {
        question->bus = bus;
        question->data = data;
    }
    return question;
}

static void on_done(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    struct base_why why = {0};
    result = arda_script_error(question->bus, result, reply, &why);
    if (question->done)
        question->done(question->data, result, &why);
    base_free(question);
}

static int command(struct arda_bus *bus, int argc, const char *const *argv, const size_t *lens,
                   arda_intake_done_fn done, void *data)
{
    struct question *question = ask(bus, data);
    if (!question)
        return BASE_ERR_NOMEM;
    question->done = done;
    int failed = arda_bus_command(bus, argc, argv, lens, on_done, question);
    if (failed)
        base_free(question);
    return failed;
}

/* ---- the beginning ---- */

ARDA_SCRIPT(notify_start);

static void on_start(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    struct base_why why = {0};
    struct arda_stream_id id;
    const char *start = NULL;
    result = arda_script_error(question->bus, result, reply, &why);
    if (!result) {
        start = arda_reply_text(reply).data;
        if (!arda_stream_id_parse(start, strlen(start), &id))
            result = base_why_set(&why, BASE_ERR_INTERNAL,
                                  "%s:notifyd:start: expected the id of a stream's entry, got `%s'",
                                  arda_bus_prefix(question->bus), start);
    }
    question->on_start(question->data, result, start, &why);
    base_free(question);
}

int arda_intake_start(struct arda_bus *bus, const char *since, arda_intake_start_fn done,
                      void *data)
{
    const char *argv[] = {arda_bus_prefix(bus), since ? since : ""};
    struct question *question = ask(bus, data);
    if (!question)
        return BASE_ERR_NOMEM;
    question->on_start = done;
    int failed =
        arda_script_call(bus, &arda_notify_start_script, 2, argv, NULL, on_start, question);
    if (failed)
        base_free(question);
    return failed;
}

/* ---- daemons ---- */

int arda_intake_forget(struct arda_bus *bus, uint64_t dead_ms)
{
    char key[ARDA_KEY_MAX], until[24];
    const char *argv[] = {"ZREMRANGEBYSCORE", key, "-inf", until};
    arda_key(key, arda_bus_prefix(bus), ARDA_KEY_NOTIFYD_DAEMONS, NULL, 0);
    snprintf(until, sizeof until, "(%" PRIu64, dead_ms);
    return command(bus, 4, argv, NULL, NULL, NULL);
}

int arda_intake_leave(struct arda_bus *bus, const char *consumer, arda_intake_done_fn done,
                      void *data)
{
    char key[ARDA_KEY_MAX];
    const char *argv[] = {"ZREM", key, consumer};
    arda_key(key, arda_bus_prefix(bus), ARDA_KEY_NOTIFYD_DAEMONS, NULL, 0);
    return command(bus, 3, argv, NULL, done, data);
}

/* ---- entries ---- */

int arda_intake_ack(struct arda_bus *bus, const char *tenant, const char *const *ids, size_t count,
                    arda_intake_done_fn done, void *data)
{
    const char *argv[ARDA_INTAKE_MAX_ACKS + 3];
    char key[ARDA_KEY_MAX];
    int argc = 0;
    if (count > ARDA_INTAKE_MAX_ACKS)
        return BASE_ERR_LIMIT;
    arda_key(key, arda_bus_prefix(bus), ARDA_KEY_STREAM, tenant, strlen(tenant));
    argv[argc++] = "XACK";
    argv[argc++] = key;
    argv[argc++] = ARDA_NOTIFY_GROUP;
    for (size_t i = 0; i < count; i++)
        argv[argc++] = ids[i];
    return command(bus, argc, argv, NULL, done, data);
}

ARDA_SCRIPT(notify_bury);

#define BURY_HEAD       5
#define BURY_MAX_FIELDS 1000 /* more of them are cut off, for the sake of Lua's stack */

int arda_intake_bury(struct arda_bus *bus, const char *tenant, const char *reason, const char *id,
                     const struct arda_intake_field *fields, size_t field_count,
                     arda_intake_done_fn done, void *data)
{
    size_t count = field_count < BURY_MAX_FIELDS ? field_count : BURY_MAX_FIELDS;
    const char **argv = base_calloc(BURY_HEAD + 2 * count, sizeof *argv);
    size_t *lens = base_calloc(BURY_HEAD + 2 * count, sizeof *lens);
    struct question *question = ask(bus, data);
    const char *head[BURY_HEAD] = {arda_bus_prefix(bus), tenant, id, reason, DEAD_MAX};
    int failed = argv && lens && question ? BASE_OK : BASE_ERR_NOMEM;
    if (!failed) {
        question->done = done;
        for (size_t i = 0; i < BURY_HEAD; i++) {
            argv[i] = head[i];
            lens[i] = strlen(head[i]);
        }
        for (size_t i = 0; i < count; i++) {
            argv[BURY_HEAD + 2 * i] = fields[i].name.data;
            lens[BURY_HEAD + 2 * i] = fields[i].name.len;
            argv[BURY_HEAD + 2 * i + 1] = fields[i].value.data;
            lens[BURY_HEAD + 2 * i + 1] = fields[i].value.len;
        }
        failed = arda_script_call(bus, &arda_notify_bury_script, (int)(BURY_HEAD + 2 * count), argv,
                                  lens, on_done, question);
    }
    if (failed)
        base_free(question);
    base_free(argv);
    base_free(lens);
    return failed;
}

/* ---- looking around ---- */

static void on_exists(void *data, int result, const struct redisReply *reply)
{
    struct question *question = data;
    result = arda_script_error(question->bus, result, reply, NULL);
    if (!result && !arda_reply_is_number(reply))
        result = BASE_ERR_INTERNAL;
    question->on_handled(question->data, result, !result && reply->integer > 0);
    base_free(question);
}

int arda_intake_handled(struct arda_bus *bus, const char *tenant, const char *event_key,
                        arda_intake_handled_fn done, void *data)
{
    char key[ARDA_KEY_MAX + ARDA_NOTIFY_KEY_MAX + 1];
    const char *argv[] = {"EXISTS", key};
    struct question *question = ask(bus, data);
    if (!question)
        return BASE_ERR_NOMEM;
    question->on_handled = done;
    size_t len = arda_key(key, arda_bus_prefix(bus), ARDA_KEY_HANDLED, tenant, strlen(tenant));
    snprintf(key + len, sizeof key - len, ":%s", event_key);
    int failed = arda_bus_command(bus, 2, argv, NULL, on_exists, question);
    if (failed)
        base_free(question);
    return failed;
}

struct scanning {
    struct arda_bus *bus;
    struct arda_intake_scan scan;
    char cursor[REPLY_CURSOR_MAX]; /* asked for */
};

static int scan_from(struct scanning *scanning, const char *cursor);

static void end_scan(struct scanning *scanning, int result, const struct base_why *why)
{
    scanning->scan.done(scanning->scan.data, result, why);
    base_free(scanning);
}

static void give_tenants(struct scanning *scanning, const redisReply *names)
{
    char family[ARDA_KEY_MAX];
    size_t at = arda_key(family, arda_bus_prefix(scanning->bus), ARDA_KEY_STREAM, "", 0);
    for (size_t i = 0; i < names->elements; i++) {
        const redisReply *name = names->element[i];
        if (name->len > at && arda_tenant_valid(name->str + at, name->len - at))
            scanning->scan.on_tenant(scanning->scan.data, name->str + at, name->len - at);
    }
}

static void on_scanned(void *data, int result, const struct redisReply *reply)
{
    struct scanning *scanning = data;
    struct base_why why = {0};
    result = arda_script_error(scanning->bus, result, reply, &why);
    if (!result && !arda_reply_is_scan(reply, scanning->cursor))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "SCAN gave no answer");
    if (!result) {
        give_tenants(scanning, reply->element[1]);
        if (strcmp(reply->element[0]->str, "0") != 0)
            result = scan_from(scanning, reply->element[0]->str);
        else
            end_scan(scanning, BASE_OK, &why);
        if (result)
            base_why_set(&why, result, "%s", base_err_text(result));
    }
    if (result)
        end_scan(scanning, result, &why);
}

static int scan_from(struct scanning *scanning, const char *cursor)
{
    char pattern[ARDA_KEY_MAX];
    const char *argv[] = {"SCAN", scanning->cursor, "MATCH", pattern, "COUNT", SCAN_COUNT};
    strcpy(scanning->cursor, cursor);
    arda_key(pattern, arda_bus_prefix(scanning->bus), ARDA_KEY_STREAM, "*", 1);
    return arda_bus_command(scanning->bus, 6, argv, NULL, on_scanned, scanning);
}

int arda_intake_scan(struct arda_bus *bus, const struct arda_intake_scan *scan)
{
    struct scanning *scanning = base_calloc(1, sizeof *scanning);
    if (!scanning)
        return BASE_ERR_NOMEM;
    scanning->bus = bus;
    scanning->scan = *scan;
    int failed = scan_from(scanning, "0");
    if (failed)
        base_free(scanning);
    return failed;
}

/* ---- dead letters ---- */

struct page {
    struct arda_bus *bus;
    arda_dead_page_fn done;
    void *data;
};

/* [id, [name, value, …]] */
static bool is_letter(const redisReply *entry)
{
    return arda_reply_is_array_of(entry, 2) && arda_reply_is_text(entry->element[0]) &&
           arda_reply_are_texts(entry->element[1], 2);
}

static void take_letter(const redisReply *entry, struct arda_dead_letter *letter)
{
    const redisReply *list = entry->element[1];
    letter->id = entry->element[0]->str;
    for (size_t i = 0; i + 1 < list->elements; i += 2) {
        struct base_slice value = {list->element[i + 1]->str, list->element[i + 1]->len};
        const char *name = list->element[i]->str;
        /* Ours come first; what the entry itself had of these names is left alone. */
        if (strcmp(name, "reason") == 0 && i == 0)
            letter->reason = value;
        else if (strcmp(name, "tenantId") == 0 && i == 2)
            letter->tenant = value;
        else if (strcmp(name, "streamId") == 0 && i == 4)
            letter->stream_id = value;
        else if (strcmp(name, "envelope") == 0)
            letter->envelope = value;
    }
}

static bool are_letters(const redisReply *reply)
{
    bool right = arda_reply_is_array(reply);
    for (size_t i = 0; right && i < reply->elements; i++)
        right = is_letter(reply->element[i]);
    return right;
}

static void on_page(void *data, int result, const struct redisReply *reply)
{
    struct page *page = data;
    struct base_why why = {0};
    struct arda_dead_letter *letters = NULL;
    size_t count = 0;
    result = arda_script_error(page->bus, result, reply, &why);
    if (!result && !are_letters(reply))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "an answer of Redis makes no sense");
    if (!result) {
        letters = base_calloc(reply->elements + 1, sizeof *letters);
        if (!letters)
            result = base_why_set(&why, BASE_ERR_NOMEM, "out of memory");
    }
    for (; !result && count < reply->elements; count++)
        take_letter(reply->element[count], &letters[count]);
    page->done(page->data, result, letters, count, &why);
    base_free(letters);
    base_free(page);
}

int arda_dead_read(struct arda_bus *bus, const char *after, uint32_t max, arda_dead_page_fn done,
                   void *data)
{
    char key[ARDA_KEY_MAX], from[ARDA_STREAM_ID_LEN + 2], count[16];
    const char *argv[] = {"XRANGE", key, from, "+", "COUNT", count};
    struct page *page = base_calloc(1, sizeof *page);
    if (!page)
        return BASE_ERR_NOMEM;
    *page = (struct page){bus, done, data};
    arda_key(key, arda_bus_prefix(bus), ARDA_KEY_NOTIFYD_DEAD, NULL, 0);
    snprintf(from, sizeof from, "(%s", after);
    snprintf(count, sizeof count, "%u", (unsigned)max);
    int failed = arda_bus_command(bus, 6, argv, NULL, on_page, page);
    if (failed)
        base_free(page);
    return failed;
}

int arda_dead_remove(struct arda_bus *bus, const char *id, arda_intake_done_fn done, void *data)
{
    char key[ARDA_KEY_MAX];
    const char *argv[] = {"XDEL", key, id};
    arda_key(key, arda_bus_prefix(bus), ARDA_KEY_NOTIFYD_DEAD, NULL, 0);
    return command(bus, 3, argv, NULL, done, data);
}
