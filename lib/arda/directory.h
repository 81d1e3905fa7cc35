/* SPDX-License-Identifier: ISC
 *
 * directory: what Redis knows of tenants, users and loops (arda-events(5)). Threads: the loop's.
 */
#ifndef ARDA_DIRECTORY_H
#define ARDA_DIRECTORY_H

#include <stddef.h>

struct arda_bus;

/* `result`: 1 yes, 0 no, negative: the directory could not be read (BASE_ERR_UNAVAILABLE,
 * BASE_ERR_CLOSED, BASE_ERR_NOMEM, BASE_ERR_INTERNAL for an error of Redis). May be called before
 * the asking function has returned. */
typedef void (*arda_directory_answer_fn)(void *data, int result);

/* Whether the loop exists and belongs to the tenant. */
void arda_directory_has_loop(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                             const char *loop, size_t loop_len, arda_directory_answer_fn done,
                             void *data);
void arda_directory_has_tenant(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                               arda_directory_answer_fn done, void *data);

#endif
