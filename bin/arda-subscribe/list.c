/* SPDX-License-Identifier: ISC
 *
 * --tenants: those of the directory and those that have a stream, sorted, one line each. The
 * directory is asked first, then the keys are scanned, then each stream is asked what it is.
 */
#include "arda-subscribe/subscribe.h"

#include "arda/directory.h"
#include "arda/stream/stream.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASKED_AT_ONCE 64

struct row {
    struct subscriber *subscriber;
    bool known; /* by the directory */
    struct arda_stream_info info;
    char tenant[ARDA_ID_MAX + 1];
};

static struct {
    struct base_map found; /* of struct row, by tenant */
    struct row **rows;     /* sorted */
    size_t count, asked, answered;
    bool is_partial; /* a key is no stream */
} list;

static void fail(struct subscriber *subscriber, int result, const struct base_why *why)
{
    if (result == BASE_ERR_CLOSED || result == BASE_ERR_AGAIN || result == BASE_ERR_UNAVAILABLE)
        return; /* begun anew when Redis is back */
    subscriber_fail(subscriber, result, why);
}

/* ---- lines ---- */

static int add_line(struct base_buf *line, const struct row *row)
{
    const struct arda_stream_info *info = &row->info;
    char id[ARDA_STREAM_ID_LEN + 1], time[BASE_RFC3339_LEN + 1];
    int failed = base_buf_printf(line, "{\"tenantId\":\"%s\",\"directory\":%s,\"length\":%" PRIu64,
                                 row->tenant, row->known ? "true" : "false", info->length);
    if (arda_stream_id_is_zero(info->last))
        return failed | base_buf_add_text(line, ",\"last\":null,\"time\":null}");
    arda_stream_id_format(info->last, id);
    base_rfc3339_format(info->last.ms < INT64_MAX ? (int64_t)info->last.ms : INT64_MAX, time);
    return failed | base_buf_printf(line, ",\"last\":\"%s\",\"time\":\"%s\"}", id, time);
}

static int add_table_line(struct base_buf *line, const struct row *row)
{
    const struct arda_stream_info *info = &row->info;
    char time[BASE_RFC3339_LEN + 1] = "-";
    if (!arda_stream_id_is_zero(info->last))
        base_rfc3339_format(info->last.ms < INT64_MAX ? (int64_t)info->last.ms : INT64_MAX, time);
    return base_buf_printf(line, "%-36s  %10" PRIu64 "  %-24s  %s", row->tenant, info->length, time,
                           row->known ? "" : "not in the directory");
}

static void print(struct subscriber *subscriber)
{
    bool table = isatty(STDOUT_FILENO);
    for (size_t i = 0; i < list.count && !subscriber->ending; i++) {
        struct base_buf line = BASE_BUF_INIT;
        int failed = table ? add_table_line(&line, list.rows[i]) : add_line(&line, list.rows[i]);
        failed |= writer_add(&subscriber->writer, (struct base_slice){line.data, line.len}, NULL);
        base_buf_fini(&line);
        if (failed) {
            struct base_why why;
            subscriber_fail(subscriber, base_why_set(&why, BASE_ERR_NOMEM, "out of memory"), &why);
            return;
        }
        subscriber->printed++;
    }
    if (list.is_partial)
        subscriber_end(subscriber, BASE_EXIT_DATAERR);
    else
        subscriber_finish(subscriber);
}

/* ---- streams ---- */

static void ask_streams(struct subscriber *subscriber);

static void on_info(void *data, int result, const struct arda_stream_info *info,
                    const struct base_why *why)
{
    struct row *row = data;
    struct subscriber *subscriber = row->subscriber;
    if (subscriber->ending)
        return;
    if (result == BASE_ERR_SYNTAX) {
        base_log(BASE_LOG_ERROR, "tenant %s: %s", row->tenant, why->text);
        list.is_partial = true;
    } else if (result) {
        fail(subscriber, result, why);
        return;
    }
    row->info = *info;
    list.answered++;
    ask_streams(subscriber);
}

static void ask_streams(struct subscriber *subscriber)
{
    while (list.asked < list.count && list.asked - list.answered < ASKED_AT_ONCE) {
        struct row *row = list.rows[list.asked];
        struct base_slice tenant = {row->tenant, strlen(row->tenant)};
        int failed = arda_stream_info(subscriber->bus, tenant, on_info, row);
        if (failed) {
            struct base_why why;
            base_why_set(&why, failed, "%s", base_err_text(failed));
            fail(subscriber, failed, &why);
            return;
        }
        list.asked++;
    }
    if (list.answered == list.count)
        print(subscriber);
}

static int compare(const void *left, const void *right)
{
    return strcmp((*(struct row *const *)left)->tenant, (*(struct row *const *)right)->tenant);
}

static void sort(struct subscriber *subscriber)
{
    struct base_map_entry *entry;
    size_t cursor = 0;
    base_free(list.rows);
    list.count = list.asked = list.answered = 0;
    list.is_partial = false;
    list.rows = base_calloc(list.found.count + 1, sizeof(struct row *));
    while (list.rows && (entry = base_map_next(&list.found, &cursor)))
        list.rows[list.count++] = entry->value;
    if (!list.rows) {
        struct base_why why;
        subscriber_fail(subscriber, base_why_set(&why, BASE_ERR_NOMEM, "out of memory"), &why);
        return;
    }
    qsort(list.rows, list.count, sizeof *list.rows, compare);
    ask_streams(subscriber);
}

/* ---- tenants ---- */

static void note(struct subscriber *subscriber, const char *tenant, size_t len, bool known)
{
    struct row *row = base_map_get(&list.found, tenant, len);
    if (subscriber->ending || !arda_tenant_valid(tenant, len))
        return;
    if (!row) {
        row = base_calloc(1, sizeof *row);
        if (!row || base_map_set(&list.found, tenant, len, row) < 0) {
            struct base_why why;
            base_free(row);
            subscriber_fail(subscriber, base_why_set(&why, BASE_ERR_NOMEM, "out of memory"), &why);
            return;
        }
        row->subscriber = subscriber;
        memcpy(row->tenant, tenant, len);
    }
    row->known = row->known || known;
}

static void on_stream(void *data, struct base_slice tenant)
{
    note(data, tenant.data, tenant.len, false);
}

static void on_scanned(void *data, int result, const struct base_why *why)
{
    struct subscriber *subscriber = data;
    if (subscriber->ending)
        return;
    if (result)
        fail(subscriber, result, why);
    else
        sort(subscriber);
}

static void on_tenant(void *data, const char *tenant, size_t len)
{
    note(data, tenant, len, true);
}

static void on_listed(void *data, int result, const struct base_why *why)
{
    struct subscriber *subscriber = data;
    struct base_why reason = *why;
    if (subscriber->ending)
        return;
    if (!result)
        result = arda_stream_scan(subscriber->bus, on_stream, on_scanned, subscriber);
    if (result)
        fail(subscriber, result, &reason);
}

void list_ask(struct subscriber *subscriber)
{
    int failed = subscriber->ending
                     ? BASE_OK
                     : arda_directory_tenants(subscriber->bus, on_tenant, on_listed, subscriber);
    struct base_why why;
    if (failed)
        fail(subscriber, failed, (base_why_set(&why, failed, "%s", base_err_text(failed)), &why));
}

void list_free(void)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&list.found, &cursor)))
        base_free(entry->value);
    base_map_fini(&list.found);
    base_free_clear(&list.rows);
}
