/* SPDX-License-Identifier: ISC */
#include "arda/stream/cursor_file.h"

#include "arda/tenant.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/file_draft.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES (256)       /* divides a page, so that the write of a line is never cut in two */
#define MAX_BYTES  (256 << 20) /* a million tenants */
#define REPLACE_US 1000000
#define OPEN_TRIES 100

static const char head[] = "{\"cursor\":1";

struct record {
    size_t at; /* of its line in the text */
    struct arda_stream_id position;
    uint64_t number;
};

struct arda_cursor_file {
    char *path;
    bool in_place; /* it cannot be replaced: see file_draft.h */
    int fd;
    struct base_buf text;    /* of the whole file */
    struct base_map records; /* of struct record, by tenant */
    uint64_t replaced_us;
    bool changed; /* since then */
};

/* ---- lines ---- */

/* Fills a line up to its length; the text without its closing brace. */
static void finish_line(char *line, int len)
{
    base_assert(len > 0 && len < LINE_BYTES - 2);
    memset(line + len, ' ', (size_t)(LINE_BYTES - len));
    line[LINE_BYTES - 2] = '}';
    line[LINE_BYTES - 1] = '\n';
}

static void write_line(char *line, struct base_slice tenant, const struct record *record)
{
    char id[ARDA_STREAM_ID_LEN + 1];
    arda_stream_id_format(record->position, id);
    int len = snprintf(line, LINE_BYTES,
                       "{\"tenantId\":\"%.*s\",\"position\":\"%s\",\"number\":", (int)tenant.len,
                       tenant.data, id);
    len += snprintf(line + len, (size_t)(LINE_BYTES - len), record->number ? "%" PRIu64 : "null",
                    record->number);
    finish_line(line, len);
}

static bool read_number(const struct base_json_value *value, uint64_t *number)
{
    char digits[24], *end;
    *number = 0;
    if (value->kind == BASE_JSON_NULL)
        return true;
    if (value->kind != BASE_JSON_NUMBER || value->len >= sizeof digits)
        return false;
    memcpy(digits, value->text, value->len);
    digits[value->len] = '\0';
    errno = 0;
    *number = strtoull(digits, &end, 10);
    return *digits != '-' && !*end && errno == 0;
}

static struct record *add_record(struct arda_cursor_file *file, struct base_slice tenant)
{
    struct record *record = base_calloc(1, sizeof *record);
    if (!record || base_buf_reserve(&file->text, LINE_BYTES) < 0 ||
        base_map_set(&file->records, tenant.data, tenant.len, record) < 0) {
        base_free(record);
        return NULL;
    }
    record->at = file->text.len;
    file->text.len += LINE_BYTES;
    return record;
}

static int read_line(struct arda_cursor_file *file, const char *line, size_t len)
{
    struct base_json_member found[] = {BASE_JSON_WANT("tenantId"), BASE_JSON_WANT("position"),
                                       BASE_JSON_WANT("number")};
    struct base_slice tenant, position;
    struct record read = {.number = 0};
    if (base_json_pick(line, len, found, 3, NULL, NULL) < 0 ||
        !base_json_plain(&found[0].value, &tenant) || !arda_tenant_valid(tenant.data, tenant.len) ||
        !base_json_plain(&found[1].value, &position) ||
        !arda_stream_id_parse(position.data, position.len, &read.position) ||
        !read_number(&found[2].value, &read.number) ||
        base_map_get(&file->records, tenant.data, tenant.len))
        return BASE_ERR_SYNTAX;
    struct record *record = add_record(file, tenant);
    if (!record)
        return BASE_ERR_NOMEM;
    read.at = record->at;
    *record = read;
    write_line(file->text.data + record->at, tenant, record);
    return BASE_OK;
}

static int write_head(struct arda_cursor_file *file)
{
    if (base_buf_reserve(&file->text, LINE_BYTES) < 0)
        return BASE_ERR_NOMEM;
    memcpy(file->text.data, head, sizeof head - 1);
    finish_line(file->text.data, (int)sizeof head - 1);
    file->text.len = LINE_BYTES;
    return BASE_OK;
}

static bool is_head(const char *line, size_t len)
{
    struct base_json_member version = BASE_JSON_WANT("cursor");
    return base_json_pick(line, len, &version, 1, NULL, NULL) == 0 &&
           version.value.kind == BASE_JSON_NUMBER && version.value.len == 1 &&
           *version.value.text == '1';
}

/* What the file tells, as it will be written. An empty one tells nothing yet. */
static int read_text(struct arda_cursor_file *file, const char *text, size_t len,
                     struct base_why *why)
{
    int failed = write_head(file);
    size_t number = 1;
    for (const char *at = text, *end = text + len; at < end && !failed; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t line_len = (size_t)((stop ? stop : end) - at);
        if (!stop)
            failed = BASE_ERR_SYNTAX;
        else if (number > 1)
            failed = read_line(file, at, line_len);
        else if (!is_head(at, line_len))
            failed = BASE_ERR_SYNTAX;
        at += line_len + 1;
        if (failed == BASE_ERR_SYNTAX)
            return base_why_set(why, failed, "%s: line %zu: not a line of a cursor file",
                                file->path, number);
    }
    return failed ? base_why_set(why, failed, "out of memory") : BASE_OK;
}

/* ---- the file ---- */

static int write_all(int fd, const char *bytes, size_t len, size_t at)
{
    while (len > 0) {
        ssize_t wrote = pwrite(fd, bytes, len, (off_t)at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return BASE_ERR_IO;
        bytes += wrote;
        at += (size_t)wrote;
        len -= (size_t)wrote;
    }
    return BASE_OK;
}

static int overwrite(struct arda_cursor_file *file, struct base_why *why)
{
    if (write_all(file->fd, file->text.data, file->text.len, 0) < 0 ||
        ftruncate(file->fd, (off_t)file->text.len) < 0)
        return base_why_errno(why, BASE_ERR_IO, errno, "%s", file->path);
    return BASE_OK;
}

/* Puts the draft in the place of the file. 0, or the errno. */
static int put_in_place(struct arda_cursor_file *file, struct base_file_draft *draft)
{
    int error = base_file_draft_write(draft, file->text.data, file->text.len);
    /* Locked before it gets its name, so that nobody can come between. */
    if (!error && flock(draft->fd, LOCK_EX | LOCK_NB) < 0)
        error = errno;
    if (!error)
        error = base_file_draft_rename(draft);
    if (error)
        return error;
    if (file->fd >= 0)
        close(file->fd);
    file->fd = draft->fd;
    draft->fd = -1;
    return 0;
}

/* The file as a whole, by a new one or, where that is not possible, as it is. */
static int replace(struct arda_cursor_file *file, struct base_why *why)
{
    struct base_file_draft draft;
    int failed = BASE_OK, error = 0;
    if (!file->in_place) {
        failed = base_file_draft_open(&draft, file->path, &file->in_place, why);
        if (!failed && !file->in_place)
            error = put_in_place(file, &draft);
        if (!failed)
            base_file_draft_close(&draft);
    }
    if (!failed && file->in_place)
        failed = overwrite(file, why);
    else if (error)
        failed = base_why_errno(why, BASE_ERR_IO, error, "%s", file->path);
    if (failed)
        return failed;
    file->replaced_us = base_clock_mono_us();
    file->changed = false;
    return BASE_OK;
}

/* The file of that name, locked: another one may take its place until it is. */
static int open_locked(struct arda_cursor_file *file, struct base_why *why)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        struct stat opened, named;
        file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file->fd < 0)
            return base_why_errno(why, BASE_ERR_CANTCREATE, errno, "%s", file->path);
        if (flock(file->fd, LOCK_EX | LOCK_NB) < 0 && errno != EINTR)
            return base_why_set(why, BASE_ERR_AGAIN, "%s: another process uses it", file->path);
        if (fstat(file->fd, &opened) == 0 && stat(file->path, &named) == 0 &&
            opened.st_dev == named.st_dev && opened.st_ino == named.st_ino) {
            if (S_ISREG(opened.st_mode))
                return BASE_OK;
            return base_why_set(why, BASE_ERR_CANTCREATE, "%s: not a file", file->path);
        }
        close(file->fd);
        file->fd = -1;
    }
    return base_why_set(why, BASE_ERR_AGAIN, "%s: another process uses it", file->path);
}

static int read_file(struct arda_cursor_file *file, struct base_why *why)
{
    struct base_buf text = BASE_BUF_INIT;
    ssize_t got;
    int failed = BASE_OK;
    do {
        if (text.len > MAX_BYTES || base_buf_reserve(&text, 65536) < 0)
            failed = base_why_set(why, text.len > MAX_BYTES ? BASE_ERR_SYNTAX : BASE_ERR_NOMEM,
                                  "%s: too large", file->path);
        got = failed ? 0 : read(file->fd, text.data + text.len, 65536);
        if (got > 0)
            text.len += (size_t)got;
        else if (got < 0 && errno != EINTR)
            failed = base_why_errno(why, BASE_ERR_IO, errno, "%s", file->path);
    } while (!failed && got != 0);
    struct base_slice bytes = {text.data ? text.data : "", text.len};
    if (!failed && base_encoding_strip(&bytes, why) < 0)
        failed = base_why_prefix(why, "%s", file->path);
    if (!failed)
        failed = read_text(file, bytes.data, bytes.len, why);
    base_buf_fini(&text);
    return failed;
}

static void free_file(struct arda_cursor_file *file)
{
    size_t cursor = 0;
    struct base_map_entry *entry;
    while ((entry = base_map_next(&file->records, &cursor)))
        base_free(entry->value);
    base_map_fini(&file->records);
    base_buf_fini(&file->text);
    if (file->fd >= 0)
        close(file->fd);
    base_free(file->path);
    base_free(file);
}

/* Where a link leads to is what is replaced. */
static int set_path(struct arda_cursor_file *file, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) /* what is not there has no real path */
        close(fd);
    char *real = realpath(path, NULL);
    file->path = base_strdup(real ? real : path);
    free(real);
    return file->path ? BASE_OK : BASE_ERR_NOMEM;
}

int arda_cursor_file_open(const char *path, struct arda_cursor_file **out, struct base_why *why)
{
    struct arda_cursor_file *file = base_calloc(1, sizeof *file);
    if (!file)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    file->fd = -1;
    int failed = set_path(file, path);
    if (failed)
        base_why_set(why, failed, "out of memory");
    if (!failed)
        failed = open_locked(file, why);
    if (!failed)
        failed = read_file(file, why);
    if (!failed)
        failed = replace(file, why);
    if (failed)
        free_file(file);
    else
        *out = file;
    return failed;
}

int arda_cursor_file_close(struct arda_cursor_file *file, struct base_why *why)
{
    if (!file)
        return BASE_OK;
    int failed = file->changed ? replace(file, why) : BASE_OK;
    free_file(file);
    return failed;
}

/* ---- positions ---- */

bool arda_cursor_file_get(const struct arda_cursor_file *file, struct base_slice tenant,
                          struct arda_stream_id *position, uint64_t *number)
{
    const struct record *record = base_map_get(&file->records, tenant.data, tenant.len);
    if (!record)
        return false;
    *position = record->position;
    *number = record->number;
    return true;
}

int arda_cursor_file_set(struct arda_cursor_file *file, struct base_slice tenant,
                         struct arda_stream_id position, uint64_t number, struct base_why *why)
{
    struct record *record = base_map_get(&file->records, tenant.data, tenant.len);
    if (!record)
        record = add_record(file, tenant);
    if (!record)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    record->position = position;
    record->number = number;
    write_line(file->text.data + record->at, tenant, record);
    file->changed = true;
    if (!file->in_place && base_clock_mono_us() - file->replaced_us >= REPLACE_US)
        return replace(file, why);
    if (write_all(file->fd, file->text.data + record->at, LINE_BYTES, record->at) < 0)
        return base_why_errno(why, BASE_ERR_IO, errno, "%s", file->path);
    return BASE_OK;
}
