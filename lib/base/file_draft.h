/* SPDX-License-Identifier: ISC
 *
 * file_draft: a file is written beside its place and put there when it is complete. For whatever
 * keeps state or data of tenants.
 *
 * Where links lead to is what is replaced. The draft has a name that cannot be foreseen and is
 * created exclusively, so nobody can have put a link there; only its owner may read it, or whoever
 * could read the file that it replaces.
 *
 * Some files cannot be replaced by renaming: one that is mounted by itself, or one in a folder that
 * is closed to writing. Such a file is overwritten, whole, then cut to its length, and a warning
 * says so once: a crash meanwhile may damage it. Threads: any; a draft belongs to one.
 */
#ifndef BASE_FILE_DRAFT_H
#define BASE_FILE_DRAFT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct base_file_draft {
    char *path; /* what is replaced; owned */
    char *name; /* of the draft, beside it; NULL: it has none, and `path` is overwritten; owned */
    int fd;     /* open for reading and writing, at its end; owned */
    bool *in_place; /* of the caller: renaming has failed before, and it has been reported */
};

/* Makes a draft for `path`, which may exist. `*in_place` is false at first and kept by the caller
 * for further drafts of the same file. 0; BASE_ERR_CANTCREATE, and then neither way is open, or it
 * is not a regular file; BASE_ERR_NOMEM. The reason begins with the path. */
int base_file_draft_open(struct base_file_draft *draft, const char *path, bool *in_place,
                         struct base_why *why);

/* Appends to the draft. 0, or the errno. */
int base_file_draft_write(const struct base_file_draft *draft, const char *bytes, size_t len);

/* Puts the draft in its place, its descriptor stays open. 0, or the errno; EBUSY, EACCES, EPERM,
 * EROFS and EXDEV set `*in_place` and are reported: the caller overwrites the file then. */
int base_file_draft_rename(struct base_file_draft *draft);

/* Puts it in its place in either way, with `sync` on the disk. 0, or the errno; the draft can still
 * be read then. */
int base_file_draft_commit(struct base_file_draft *draft, bool sync);

/* Writes what the draft has to `fd`. 0, or the errno. */
int base_file_draft_copy(const struct base_file_draft *draft, int fd);

/* Closes it, and removes it if it was not put in its place. */
void base_file_draft_close(struct base_file_draft *draft);

/* All bytes, whatever interrupts. 0, or the errno. */
int base_file_write_all(int fd, const char *bytes, size_t len);

#endif
