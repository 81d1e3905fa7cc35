/* SPDX-License-Identifier: ISC */
#include "base/file.h"

#include "base/file_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define STEP_BYTES 16384

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

int base_file_replace(const char *path, const char *bytes, size_t len, bool *in_place,
                      struct base_why *why)
{
    struct base_file_draft draft;
    int failed = base_file_draft_open(&draft, path, in_place, why);
    if (failed)
        return failed;
    int error = base_file_draft_write(&draft, bytes, len);
    if (!error)
        error = base_file_draft_commit(&draft, false);
    base_file_draft_close(&draft);
    return error ? base_why_errno(why, BASE_ERR_IO, error, "%s", path) : BASE_OK;
}
