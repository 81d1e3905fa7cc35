/* SPDX-License-Identifier: ISC
 *
 * keys: the names of channels and keys in Redis (catalog section 3). Threads: any.
 */
#ifndef ARDA_NAME_KEYS_H
#define ARDA_NAME_KEYS_H

#include "arda/name/key_table.h"
#include "arda/tenant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARDA_PREFIX_MAX 64
#define ARDA_KEY_MAX    (ARDA_PREFIX_MAX + ARDA_ID_MAX + 32)

/* 1 to ARDA_PREFIX_MAX characters of the id alphabet and ':'. */
bool arda_prefix_valid(const char *prefix);

/* Such as "stream"; what stands between the prefix and the rest of a key. */
const char *arda_key_family(enum arda_key_family family);

/* PREFIX:FAMILY:ID, or PREFIX:FAMILY when `id` is NULL, with a NUL; the length is the result. */
size_t arda_key(char out[static ARDA_KEY_MAX], const char *prefix, enum arda_key_family family,
                const char *id, size_t id_len);

/* PREFIX:dedupe:TENANT:EVENTID, the mark of an event that must not be published twice; TENANT is
 * "global" for an event without one. Ids are 1 to ARDA_ID_MAX characters. */
#define ARDA_MARK_KEY_MAX (ARDA_KEY_MAX + ARDA_ID_MAX)
size_t arda_mark_key(char out[static ARDA_MARK_KEY_MAX], const char *prefix, const char *tenant,
                     size_t tenant_len, const char *event_id, size_t event_id_len);

/* PREFIX:run:RUN:CHUNK, the marks of ARDA_RUN_CHUNK events of a run, one bit each. */
#define ARDA_RUN_CHUNK 65536
size_t arda_run_key(char out[static ARDA_MARK_KEY_MAX], const char *prefix, const char *run,
                    size_t run_len, uint64_t number);

/* PREFIX:FAMILY:TENANT:USER; families: ARDA_KEY_INBOX, _UNREAD, _ROWS. Ids are 1 to ARDA_ID_MAX
 * characters. */
#define ARDA_INBOX_KEY_MAX (ARDA_KEY_MAX + ARDA_ID_MAX + 1)
size_t arda_inbox_key(char out[static ARDA_INBOX_KEY_MAX], const char *prefix,
                      enum arda_key_family family, const char *tenant, const char *user);

#endif
