/* SPDX-License-Identifier: ISC
 *
 * pretty: a line about an event for a person at a terminal.
 *
 *     2026-02-08 13:00:00.000 3f2a1b4c card.transition         created -> triggered method=scan …
 *
 * Local time of the event, tenant, type, then the fields that the event table (arda/event.h) has
 * for the type: what changed first, then words and numbers, then identifiers. UUIDs are shortened
 * to eight characters, other texts cut at ARDA_PRETTY_VALUE_BYTES. Control characters and the like
 * are escaped (base/text.h). The form may change at any time: it is not for programs. Threads:
 * any.
 */
#ifndef ARDA_RECORD_PRETTY_H
#define ARDA_RECORD_PRETTY_H

#include "arda/record.h"

#include <stdbool.h>

#define ARDA_PRETTY_VALUE_BYTES 60
#define ARDA_PRETTY_FIELDS      8 /* of a type that the table does not know */

/* Appends a line, with colors if asked for. BASE_ERR_NOMEM: `out` is unchanged. */
int arda_pretty_write(struct base_buf *out, const struct arda_record *record, bool color);

#endif
