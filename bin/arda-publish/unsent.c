/* SPDX-License-Identifier: ISC
 *
 * The file of --unsent: what could not be confirmed, as envelopes, one a line.
 *
 * An event that a run has numbered is marked in Redis by that number, so its line carries it, and
 * the next run asks for the same mark: {"publication":"RUN/NUMBER","id":…}. That the file can be
 * made is tried at the start; it is made with the first line, beside its place, and put there at
 * the end, so it may be the input, too. If that fails in the end, all lines go to standard error:
 * they are in no other place.
 */
#include "arda-publish/publish.h"

#include "base/exit.h"
#include "base/file_draft.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct unsent {
    char *path;
    uint64_t lines;
    bool is_device;               /* or a pipe: it cannot be replaced and is written as it is */
    bool in_place;                /* see base_file_draft_open */
    bool failed;                  /* lines go to standard error */
    struct base_file_draft draft; /* once there is a line; only its fd for a device */
    size_t used;
    char block[65536];
};

static int fail(const char *path, int error, int status)
{
    base_log(BASE_LOG_ERROR, "%s: %s", path, strerror(error));
    return status;
}

static void free_unsent(struct unsent *unsent)
{
    base_free(unsent->path);
    base_free(unsent);
}

static bool is_device(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* Tries to make the file, or opens the device. */
static int try_to_open(struct unsent *unsent)
{
    struct base_why why;
    unsent->is_device = is_device(unsent->path);
    if (unsent->is_device) {
        unsent->draft.fd = open(unsent->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return unsent->draft.fd < 0 ? fail(unsent->path, errno, BASE_EXIT_CANTCREAT) : BASE_EXIT_OK;
    }
    int failed = base_file_draft_open(&unsent->draft, unsent->path, &unsent->in_place, &why);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    else
        base_file_draft_close(&unsent->draft);
    return base_exit_status(failed);
}

int unsent_open(const char *path, struct unsent **out)
{
    struct unsent *unsent = base_calloc(1, sizeof *unsent);
    if (!unsent)
        return fail(path, ENOMEM, BASE_EXIT_SOFTWARE);
    unsent->draft.fd = -1;
    unsent->path = base_strdup(path);
    int status = unsent->path ? try_to_open(unsent) : fail(path, ENOMEM, BASE_EXIT_SOFTWARE);
    if (status)
        free_unsent(unsent);
    else
        *out = unsent;
    return status;
}

/* ---- lines ---- */

/* What has been written, and what follows: nobody else has it. */
static void fall_back(struct unsent *unsent, const char *reason)
{
    unsent->failed = true;
    base_log(BASE_LOG_ERROR, "%s; the unsent lines follow here", reason);
    if (unsent->draft.fd >= 0 && !unsent->is_device)
        (void)base_file_draft_copy(&unsent->draft, STDERR_FILENO);
}

/* Cuts the draft to the whole blocks, so that the copy of it does not repeat a part of this one. */
static void write_block(struct unsent *unsent)
{
    off_t before = unsent->is_device ? 0 : lseek(unsent->draft.fd, 0, SEEK_CUR);
    int error =
        unsent->failed ? 0 : base_file_write_all(unsent->draft.fd, unsent->block, unsent->used);
    if (error) {
        char reason[512];
        snprintf(reason, sizeof reason, "%.256s: %s", unsent->path, strerror(error));
        if (!unsent->is_device && ftruncate(unsent->draft.fd, before) < 0)
            base_log(BASE_LOG_WARNING, "%s: %s", unsent->path, strerror(errno));
        fall_back(unsent, reason);
    }
    if (unsent->failed)
        (void)base_file_write_all(STDERR_FILENO, unsent->block, unsent->used);
    unsent->used = 0;
}

static void put(struct unsent *unsent, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t room = sizeof unsent->block - unsent->used, step = len < room ? len : room;
        memcpy(unsent->block + unsent->used, bytes, step);
        unsent->used += step;
        bytes += step;
        len -= step;
        if (unsent->used == sizeof unsent->block)
            write_block(unsent);
    }
}

void unsent_add(struct unsent *unsent, const struct outgoing *event)
{
    const struct base_buf *envelope = &event->texts.envelope;
    struct base_why why;
    if (unsent->draft.fd < 0 && !unsent->failed &&
        base_file_draft_open(&unsent->draft, unsent->path, &unsent->in_place, &why) < 0)
        fall_back(unsent, why.text);
    if (event->run[0]) {
        char head[64 + sizeof event->run];
        int len = snprintf(head, sizeof head, "{\"publication\":\"%s/%" PRIu64 "\",", event->run,
                           event->publication.number);
        put(unsent, head, (size_t)len);
        put(unsent, envelope->data + 1, envelope->len - 1);
    } else {
        put(unsent, envelope->data, envelope->len);
    }
    put(unsent, "\n", 1);
    unsent->lines++;
}

uint64_t unsent_lines(const struct unsent *unsent)
{
    return unsent->lines;
}

/* ---- the end ---- */

static void put_in_place(struct unsent *unsent)
{
    write_block(unsent);
    int error = 0;
    if (!unsent->failed && !unsent->is_device)
        error = base_file_draft_commit(&unsent->draft, true);
    if (!error)
        return;
    char reason[512];
    snprintf(reason, sizeof reason, "%.256s: %s", unsent->path, strerror(error));
    fall_back(unsent, reason);
}

int unsent_close(struct unsent *unsent)
{
    if (!unsent)
        return BASE_EXIT_OK;
    if (unsent->lines > 0)
        put_in_place(unsent);
    int status = unsent->failed ? BASE_EXIT_IOERR : BASE_EXIT_OK;
    base_file_draft_close(&unsent->draft);
    free_unsent(unsent);
    return status;
}
