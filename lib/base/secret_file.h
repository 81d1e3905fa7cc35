/* SPDX-License-Identifier: ISC
 *
 * secret_file: files with a secret, a key or a token. Threads: any.
 */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* Reads at most `room` bytes, all of the file if there are fewer. The number, or -1 with errno. */
ssize_t base_secret_file_read(const char *file, char *bytes, size_t room);

/* Warns if everybody on this computer can read the file or write it. For a file that turned out to
 * hold something secret. */
void base_secret_file_check(const char *file);

#endif
