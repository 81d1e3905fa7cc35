/* SPDX-License-Identifier: ISC
 *
 * A draft beside the file if there can be one, else one without a name in the folder for temporary
 * files, or in memory, whose bytes are copied over the file.
 */
#include "base/file_draft.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX     ".XXXXXX"
#define STEP_BYTES 16384
#define LINKS_MAX  40 /* as Linux follows them */

/* What stands in the way of a name in the folder, and not of writing the file itself. */
static bool is_no_place(int error)
{
    return error == EBUSY || error == EACCES || error == EPERM || error == EROFS || error == EXDEV;
}

static void note_in_place(const struct base_file_draft *draft, int error)
{
    if (!*draft->in_place)
        base_log(
            BASE_LOG_WARNING,
            "%s: cannot be replaced (%s), so it is overwritten; a crash meanwhile may damage it",
            draft->path, strerror(error));
    *draft->in_place = true;
}

/* ---- what is replaced ---- */

struct target {
    struct stat status;
    bool exists;
};

/* The file that is to be made: `path`, or where links lead to, though it does not exist yet. 0, or
 * the errno. */
static int follow(const char *path, char real[static PATH_MAX])
{
    char next[PATH_MAX];
    ssize_t len;
    if (strlen(path) >= PATH_MAX)
        return ENAMETOOLONG;
    memcpy(real, path, strlen(path) + 1);
    for (int links = 0; (len = readlink(real, next, sizeof next)) >= 0; links++) {
        const char *slash = strrchr(real, '/');
        size_t kept = slash && *next != '/' ? (size_t)(slash - real) + 1 : 0;
        if (links == LINKS_MAX)
            return ELOOP;
        if (kept + (size_t)len >= PATH_MAX)
            return ENAMETOOLONG;
        memcpy(real + kept, next, (size_t)len);
        real[kept + (size_t)len] = '\0';
    }
    return 0;
}

/* 0, and `real` is what is to be replaced; or the errno. A link is followed by opening it, so that
 * the system's rules for links hold. */
static int look(const char *path, struct target *target, char real[static PATH_MAX])
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    target->exists = false;
    if (fd >= 0) {
        if (fstat(fd, &target->status) < 0)
            error = errno;
        close(fd);
    } else if (error != ENOENT) {
        int cause = error;
        error = lstat(path, &target->status) < 0 ? errno : 0;
        if (!error && !S_ISREG(target->status.st_mode))
            return cause;
    } else {
        return follow(path, real);
    }
    if (!error && !S_ISREG(target->status.st_mode))
        error = S_ISDIR(target->status.st_mode) ? EISDIR : ENOTSUP;
    target->exists = true;
    if (!error && !realpath(path, real))
        error = errno;
    return error;
}

/* The mode of the old file, and its owners if we may; never more than the old group could do. */
static int take_over(int fd, const struct stat *old)
{
    mode_t mode = old->st_mode & 0777;
    struct stat own;
    if (fstat(fd, &own) < 0)
        return errno;
    if (own.st_gid != old->st_gid && fchown(fd, (uid_t)-1, old->st_gid) < 0)
        mode &= ~(mode_t)0070;
    if (own.st_uid != old->st_uid && fchown(fd, old->st_uid, (gid_t)-1) < 0)
        errno = 0; /* it becomes ours, as any file that is replaced */
    return fchmod(fd, mode) < 0 ? errno : 0;
}

/* ---- beginning ---- */

static int open_beside(struct base_file_draft *draft, const struct target *target)
{
    size_t len = strlen(draft->path);
    draft->name = base_malloc(len + sizeof SUFFIX);
    if (!draft->name)
        return ENOMEM;
    memcpy(draft->name, draft->path, len);
    memcpy(draft->name + len, SUFFIX, sizeof SUFFIX);
    draft->fd = mkostemp(draft->name, O_CLOEXEC); /* 0600, exclusively */
    int error = draft->fd < 0 ? errno : 0;
    if (!error && target->exists)
        error = take_over(draft->fd, &target->status);
    if (!error)
        return 0;
    if (draft->fd >= 0) {
        close(draft->fd);
        unlink(draft->name);
    }
    base_free(draft->name);
    draft->name = NULL;
    draft->fd = -1;
    return error;
}

/* A file without a name, for one that is overwritten: it has to be open to that now. */
static int open_nameless(struct base_file_draft *draft)
{
    int fd = open(draft->path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    close(fd);
    draft->fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (draft->fd < 0)
        draft->fd = memfd_create("draft", MFD_CLOEXEC);
    return draft->fd < 0 ? errno : 0;
}

int base_file_draft_open(struct base_file_draft *draft, const char *path, bool *in_place,
                         struct base_why *why)
{
    struct target target;
    char real[PATH_MAX];
    *draft = (struct base_file_draft){.fd = -1, .in_place = in_place};
    int error = look(path, &target, real), first;
    draft->path = error ? NULL : base_strdup(real);
    if (!error && !draft->path)
        error = ENOMEM;
    if (!error && !*in_place) {
        error = first = open_beside(draft, &target);
        if (is_no_place(first) && target.exists && open_nameless(draft) == 0) {
            note_in_place(draft, first);
            error = 0;
        }
    } else if (!error) {
        error = open_nameless(draft);
    }
    if (!error)
        return BASE_OK;
    base_file_draft_close(draft);
    if (error == ENOMEM)
        return base_why_set(why, BASE_ERR_NOMEM, "%s: out of memory", path);
    return base_why_errno(why, BASE_ERR_CANTCREATE, error, "%s", path);
}

/* ---- writing ---- */

int base_file_write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, bytes, len);
        if (wrote < 0 && errno == EAGAIN) /* shared with somebody who does not want to block */
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        else if (wrote < 0 && errno != EINTR)
            return errno;
        if (wrote < 0)
            continue;
        bytes += wrote;
        len -= (size_t)wrote;
    }
    return 0;
}

int base_file_draft_write(const struct base_file_draft *draft, const char *bytes, size_t len)
{
    return base_file_write_all(draft->fd, bytes, len);
}

int base_file_draft_copy(const struct base_file_draft *draft, int fd)
{
    char block[STEP_BYTES];
    off_t at = 0;
    for (;;) {
        ssize_t got = pread(draft->fd, block, sizeof block, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        int error = base_file_write_all(fd, block, (size_t)got);
        if (error)
            return error;
        at += got;
    }
}

/* ---- the end ---- */

int base_file_draft_rename(struct base_file_draft *draft)
{
    if (rename(draft->name, draft->path) < 0) {
        int error = errno;
        if (is_no_place(error))
            note_in_place(draft, error);
        return error;
    }
    base_free(draft->name);
    draft->name = NULL;
    return 0;
}

/* Whole, then cut to its length: it is never shorter than the old and the new one. */
static int overwrite(const struct base_file_draft *draft, bool sync)
{
    off_t len = lseek(draft->fd, 0, SEEK_END);
    int fd = len < 0 ? -1 : open(draft->path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = base_file_draft_copy(draft, fd);
    if (!error && (ftruncate(fd, len) < 0 || (sync && fsync(fd) < 0)))
        error = errno;
    if (close(fd) < 0 && !error)
        error = errno;
    return error;
}

int base_file_draft_commit(struct base_file_draft *draft, bool sync)
{
    if (!draft->name)
        return overwrite(draft, sync);
    if (sync && fsync(draft->fd) < 0)
        return errno;
    int error = base_file_draft_rename(draft);
    return is_no_place(error) ? overwrite(draft, sync) : error;
}

void base_file_draft_close(struct base_file_draft *draft)
{
    if (draft->fd >= 0)
        close(draft->fd);
    if (draft->name)
        unlink(draft->name);
    base_free(draft->name);
    base_free(draft->path);
    *draft = (struct base_file_draft){.fd = -1, .in_place = draft->in_place};
}
