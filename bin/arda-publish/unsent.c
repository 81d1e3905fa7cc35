/* SPDX-License-Identifier: ISC
 *
 * The file of --unsent: what could not be confirmed, as envelopes, one a line.
 *
 * An event that a run has numbered is marked in Redis by that number, so its line carries it, and
 * the next run asks for the same mark: {"publication":"RUN/NUMBER","id":…}. The file is written
 * beside its place and put there at the end; so it may be the input, too.
 */
#include "arda-publish/publish.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct unsent {
    FILE *file;
    uint64_t lines;
    int error;     /* errno of the first write that has failed */
    bool replaces; /* `path` by `temporary` */
    char *path;
    char *temporary;
};

static int fail(const char *path, int error, int status)
{
    base_log(BASE_LOG_ERROR, "%s: %s", path, strerror(error));
    return status;
}

static void free_unsent(struct unsent *unsent)
{
    base_free(unsent->path);
    base_free(unsent->temporary);
    base_free(unsent);
}

/* A device or pipe cannot be replaced and is written as it is. */
static bool is_replaceable(const char *path)
{
    struct stat status;
    return stat(path, &status) < 0 ? errno == ENOENT : S_ISREG(status.st_mode);
}

static char *temporary_name(const char *path)
{
    struct base_buf name = BASE_BUF_INIT;
    if (base_buf_printf(&name, "%s.new", path) == 0 && base_buf_cstr(&name))
        return base_buf_take(&name, NULL);
    base_buf_fini(&name);
    return NULL;
}

int unsent_open(const char *path, struct unsent **out)
{
    struct unsent *unsent = base_calloc(1, sizeof *unsent);
    if (!unsent)
        return fail(path, ENOMEM, BASE_EXIT_SOFTWARE);
    unsent->path = base_strdup(path);
    unsent->temporary = temporary_name(path);
    unsent->replaces = is_replaceable(path);
    if (!unsent->path || !unsent->temporary) {
        free_unsent(unsent);
        return fail(path, ENOMEM, BASE_EXIT_SOFTWARE);
    }
    const char *name = unsent->replaces ? unsent->temporary : path;
    unsent->file = fopen(name, "we");
    if (!unsent->file) {
        int error = errno;
        free_unsent(unsent);
        return fail(path, error, BASE_EXIT_CANTCREAT);
    }
    *out = unsent;
    return BASE_EXIT_OK;
}

void unsent_add(struct unsent *unsent, const struct outgoing *event)
{
    const struct base_buf *envelope = &event->texts.envelope;
    bool failed = false;
    if (event->run[0]) {
        failed = fprintf(unsent->file, "{\"publication\":\"%s/%" PRIu64 "\",", event->run,
                         event->publication.number) < 0;
        failed |=
            fwrite(envelope->data + 1, 1, envelope->len - 1, unsent->file) < envelope->len - 1;
    } else {
        failed = fwrite(envelope->data, 1, envelope->len, unsent->file) < envelope->len;
    }
    failed |= putc('\n', unsent->file) == EOF;
    if (failed && !unsent->error)
        unsent->error = errno ? errno : EIO;
    unsent->lines++;
}

uint64_t unsent_lines(const struct unsent *unsent)
{
    return unsent->lines;
}

static int put_in_place(struct unsent *unsent)
{
    bool failed = fflush(unsent->file) != 0;
    if (unsent->replaces)
        failed = failed || fsync(fileno(unsent->file)) < 0;
    if (failed && !unsent->error)
        unsent->error = errno;
    if (fclose(unsent->file) != 0 && !unsent->error)
        unsent->error = errno;
    if (unsent->error)
        return unsent->error;
    return unsent->replaces && rename(unsent->temporary, unsent->path) < 0 ? errno : 0;
}

int unsent_close(struct unsent *unsent)
{
    int status = BASE_EXIT_OK;
    if (!unsent)
        return status;
    if (unsent->lines == 0) {
        fclose(unsent->file);
    } else {
        int error = put_in_place(unsent);
        status = error ? fail(unsent->path, error, BASE_EXIT_IOERR) : BASE_EXIT_OK;
    }
    if (unsent->replaces && (unsent->lines == 0 || status))
        (void)unlink(unsent->temporary);
    free_unsent(unsent);
    return status;
}
