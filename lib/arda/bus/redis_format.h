/* SPDX-License-Identifier: ISC
 *
 * redis_format: commands in the form of Redis's protocol (RESP). Threads: any.
 */
#ifndef ARDA_BUS_REDIS_FORMAT_H
#define ARDA_BUS_REDIS_FORMAT_H

#include "base/buf.h"

#include <stdint.h>

/* Appends a whole command; `argv_len` NULL: arguments end with NUL. BASE_ERR_NOMEM: `out`
 * unchanged. */
int arda_redis_format(struct base_buf *out, int argc, const char *const *argv,
                      const size_t *argv_len);
/* The parts of one: the number of arguments, and each of them. */
int arda_redis_add_header(struct base_buf *out, size_t argc);
int arda_redis_add_argument(struct base_buf *out, const char *bytes, size_t len);
int arda_redis_add_number(struct base_buf *out, uint64_t number);

#endif
