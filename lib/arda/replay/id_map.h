/* SPDX-License-Identifier: ISC
 *
 * id_map: the identifiers in an event replaced by others, the same by the same.
 *
 * A new one is derived from a seed and the old one, so that nothing has to be remembered and two
 * programs with one seed agree. Threads: any.
 */
#ifndef ARDA_REPLAY_ID_MAP_H
#define ARDA_REPLAY_ID_MAP_H

#include "base/json.h"

/* Appends `event`, an object that the scanner has yielded, of the type with this (unescaped) name.
 * Replaced by UUIDs are: each string in it that is a UUID, at whatever depth, and, whatever its
 * form, what stands where the event table has a UUID or an array of them. Names of members, empty
 * strings, `eventId` and `tenantId` stay as they are. UUIDs that differ in the case of letters are
 * one. BASE_ERR_NOMEM, BASE_ERR_INTERNAL: `out` is as it was. */
int arda_id_map(struct base_buf *out, const struct base_json_value *event, struct base_slice type,
                struct base_slice seed);

#endif
