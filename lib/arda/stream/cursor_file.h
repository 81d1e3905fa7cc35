/* SPDX-License-Identifier: ISC
 *
 * cursor_file: how far a reader of streams has come, per tenant, in a file (arda-events(5)).
 *
 * The file is JSON lines of equal length. It is replaced as a whole (base/file_draft.h) when it is
 * opened, about once a second while positions move, and when it is closed; in between a position
 * moves in place, by one write of its line, which is what makes it cheap enough to move after every
 * event. At any time, and after a SIGKILL, the file is whole and has the last position that was
 * set. A file that cannot be replaced is overwritten when it is opened and closed; killed just
 * then, it may be damaged. Nothing is flushed to the disk: a crash of the system may take back the
 * last seconds. One process at a time uses a file: it is locked. Threads: one at a time.
 */
#ifndef ARDA_STREAM_CURSOR_FILE_H
#define ARDA_STREAM_CURSOR_FILE_H

#include "arda/stream_id.h"
#include "base/buf.h"
#include "base/err.h"

struct arda_cursor_file;

/* Reads the file, or makes it. `why` names file and line. BASE_ERR_SYNTAX: it is no cursor file,
 * and is left alone; BASE_ERR_CANTCREATE; BASE_ERR_AGAIN: another process uses it; BASE_ERR_IO,
 * BASE_ERR_NOMEM. */
int arda_cursor_file_open(const char *path, struct arda_cursor_file **file, struct base_why *why);
/* Replaces it a last time if it has changed, and frees. 0, BASE_ERR_IO or BASE_ERR_CANTCREATE. NULL
 * is allowed. */
int arda_cursor_file_close(struct arda_cursor_file *file, struct base_why *why);

/* The last entry that was read, and how many there had ever been up to it (0: not known). False:
 * there is none of this tenant. */
bool arda_cursor_file_get(const struct arda_cursor_file *file, struct base_slice tenant,
                          struct arda_stream_id *position, uint64_t *number);
/* Sets it; when it returns 0 the file tells it. BASE_ERR_IO, BASE_ERR_CANTCREATE, BASE_ERR_NOMEM.
 */
int arda_cursor_file_set(struct arda_cursor_file *file, struct base_slice tenant,
                         struct arda_stream_id position, uint64_t number, struct base_why *why);

#endif
