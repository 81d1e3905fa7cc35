/* SPDX-License-Identifier: ISC
 *
 * file: small files read and replaced as a whole. Threads: any.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* Appends the file's bytes. 0; BASE_ERR_NOTFOUND when there is none; BASE_ERR_LIMIT for more than
 * `max_bytes`; BASE_ERR_IO, BASE_ERR_NOMEM. The reason begins with the path; `out` may hold a
 * part. */
int base_file_read(const char *path, size_t max_bytes, struct base_buf *out, struct base_why *why);

/* Puts a file with these bytes in the place of the one at `path`, or makes it. Whoever reads it,
 * whenever this process is killed, finds the old one or the new one whole, unless the file cannot
 * be replaced by renaming (file_draft.h, which explains `in_place`, too). 0; BASE_ERR_CANTCREATE,
 * BASE_ERR_IO, BASE_ERR_NOMEM; the old one is then as it was. */
int base_file_replace(const char *path, const char *bytes, size_t len, bool *in_place,
                      struct base_why *why);

#endif
