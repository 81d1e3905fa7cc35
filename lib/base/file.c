/* SPDX-License-Identifier: ISC */
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES 16384
#define SUFFIX     ".new"

static int read_all(int fd, const char *path, size_t max_bytes, struct base_buf *out,
                    struct base_why *why)
{
    size_t before = out->len;
    for (;;) {
        if (base_buf_reserve(out, STEP_BYTES) < 0)
            return base_why_set(why, BASE_ERR_NOMEM, "%s: out of memory", path);
        ssize_t got = read(fd, out->data + out->len, STEP_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return base_why_errno(why, BASE_ERR_IO, errno, "%s", path);
        if (got == 0)
            return BASE_OK;
        out->len += (size_t)got;
        if (out->len - before > max_bytes)
            return base_why_set(why, BASE_ERR_LIMIT, "%s: larger than %zu bytes", path, max_bytes);
    }
}

int base_file_read(const char *path, size_t max_bytes, struct base_buf *out, struct base_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return base_why_errno(why, errno == ENOENT ? BASE_ERR_NOTFOUND : BASE_ERR_IO, errno, "%s",
                              path);
    int failed = read_all(fd, path, max_bytes, out, why);
    close(fd);
    return failed;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return errno;
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return 0;
}

/* 0, or what errno was. */
static int write_new(const char *path, const char *bytes, size_t len, int *code)
{
    *code = BASE_ERR_CANTCREATE;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno;
    *code = BASE_ERR_IO;
    int failed = write_all(fd, bytes, len);
    if (close(fd) < 0 && !failed)
        failed = errno;
    return failed;
}

int base_file_replace(const char *path, const char *bytes, size_t len, struct base_why *why)
{
    size_t path_len = strlen(path);
    char *aside = base_malloc(path_len + sizeof SUFFIX);
    int code;
    if (!aside)
        return base_why_set(why, BASE_ERR_NOMEM, "%s: out of memory", path);
    memcpy(aside, path, path_len);
    memcpy(aside + path_len, SUFFIX, sizeof SUFFIX);
    int failed = write_new(aside, bytes, len, &code);
    if (!failed && rename(aside, path) < 0)
        failed = errno;
    if (failed && code == BASE_ERR_IO)
        unlink(aside);
    base_free(aside);
    return failed ? base_why_errno(why, code, failed, "%s", path) : BASE_OK;
}
