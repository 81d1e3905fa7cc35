/* SPDX-License-Identifier: ISC
 *
 * directory: what Redis knows of tenants, their users, loops, preferences, webhooks, digests and
 * quiet hours (arda-events(5)). Threads: the loop's.
 *
 * Whatever changes something of a tenant raises the tenant's version in the same atomic step, so
 * that a reader who keeps a copy sees whether it is still good.
 *
 * Functions that return int give 0 and call back later, or BASE_ERR_UNAVAILABLE while Redis is away
 * or BASE_ERR_NOMEM, and then never call back. Results they call back with: 0; BASE_ERR_CLOSED, the
 * answer was lost; BASE_ERR_AGAIN, Redis cannot just now; BASE_ERR_DENIED or BASE_ERR_INTERNAL,
 * refused, with the reason in `why`.
 */
#ifndef ARDA_DIRECTORY_H
#define ARDA_DIRECTORY_H

#include "arda/directory_line.h"
#include "base/api.h"

#include <stdint.h>

struct arda_bus;

/* ---- questions ---- */

/* `result`: 1 yes, 0 no, negative: the directory could not be read (BASE_ERR_UNAVAILABLE,
 * BASE_ERR_CLOSED, BASE_ERR_NOMEM, BASE_ERR_INTERNAL for an error of Redis). May be called before
 * the asking function has returned. */
typedef void (*arda_directory_answer_fn)(void *data, int result);

/* Whether the loop exists and belongs to the tenant. */
ARDA_API void arda_directory_has_loop(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                                      const char *loop, size_t loop_len,
                                      arda_directory_answer_fn done, void *data);
ARDA_API void arda_directory_has_tenant(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                                        arda_directory_answer_fn done, void *data);

/* ---- writing ---- */

typedef void (*arda_directory_done_fn)(void *data, int result, const struct base_why *why);

/* Stores an entry, in place of a former one with its id, and makes its tenant known. The line is
 * borrowed for the call. */
ARDA_API int arda_directory_put(struct arda_bus *bus, const struct arda_directory_line *line,
                                arda_directory_done_fn done, void *data);
/* Removes the entry with the line's kind, tenant and id; BASE_ERR_NOTFOUND when there was none. Of
 * kind ARDA_DIRECTORY_TENANT: the tenant with all its entries. */
ARDA_API int arda_directory_remove(struct arda_bus *bus, const struct arda_directory_line *line,
                                   arda_directory_done_fn done, void *data);

/* Entries of one tenant that are stored in one atomic step. Memory is what the entries take. */
struct arda_directory_batch;

/* NULL without memory. */
ARDA_API struct arda_directory_batch *arda_directory_batch_new(const char *tenant);
ARDA_API void arda_directory_batch_free(struct arda_directory_batch *batch); /* NULL is allowed */
/* Adds an entry of the batch's tenant, which is copied; of two with one id the later one counts.
 * BASE_ERR_NOMEM: the batch is as it was. */
ARDA_API int arda_directory_batch_add(struct arda_directory_batch *batch,
                                      const struct arda_directory_line *line);
/* Stores what was added and makes the tenant known; `replace`: what was not added is removed. The
 * batch is borrowed for the call and may be stored again, which changes nothing. */
ARDA_API int arda_directory_batch_store(struct arda_bus *bus,
                                        const struct arda_directory_batch *batch, bool replace,
                                        arda_directory_done_fn done, void *data);

/* ---- reading ---- */

/* Fills the value of `line`, which must live until `done`; BASE_ERR_NOTFOUND, or BASE_ERR_SYNTAX
 * for an entry that makes no sense. */
ARDA_API int arda_directory_get(struct arda_bus *bus, struct arda_directory_line *line,
                                arda_directory_done_fn done, void *data);

/* Every tenant, sorted by bytes, to `on_tenant`. */
ARDA_API int arda_directory_tenants(struct arda_bus *bus,
                                    void (*on_tenant)(void *data, const char *tenant, size_t len),
                                    arda_directory_done_fn done, void *data);

struct arda_directory_state {
    /* How often the tenant was changed, 0 if never; only compared. -1: what Redis has for it is not
     * such a number; the next change repairs that. */
    int64_t version;
    bool known; /* the tenant is in the directory */
};

struct arda_directory_handlers {
    /* The line is borrowed for the call. */
    void (*on_line)(void *data, const struct arda_directory_line *line);
    /* An entry of Redis that makes no sense; the reason names it. It is left out. */
    void (*on_bad)(void *data, const struct base_why *why);
    /* Last, after every line. `state` only if the result is 0. */
    void (*done)(void *data, int result, const struct arda_directory_state *state,
                 const struct base_why *why);
    void *data;
};

#define ARDA_DIRECTORY_BIT(kind) (1u << (kind))
#define ARDA_DIRECTORY_ALL       (ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_KINDS) - 1)

/* The entries of a tenant as they are at one instant, with the version of that instant: those of
 * the kinds in `kinds`, a set of ARDA_DIRECTORY_BIT, in the order of the kinds and sorted by the
 * bytes of their ids. `handlers` is copied. BASE_ERR_INVALID for an invalid tenant id. The result
 * may be BASE_ERR_SYNTAX, too: a key is of another type, and `why` names it. */
ARDA_API int arda_directory_snapshot(struct arda_bus *bus, const char *tenant, unsigned kinds,
                                     const struct arda_directory_handlers *handlers);

#endif
