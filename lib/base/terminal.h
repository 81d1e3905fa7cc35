/* SPDX-License-Identifier: ISC
 *
 * terminal: what may not reach a terminal as it stands: the one list for all that is written there.
 * Threads: any.
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a terminal may take the character for a command, or show others elsewhere for it: control
 * characters (C0, DEL, C1), line and paragraph separators, and the marks and embeddings that turn
 * the direction of writing (Unicode, UAX #9). */
bool base_terminal_obeys(uint32_t code);

/* Appends lines of UTF-8 that are JSON, or cleaned already, as a terminal may have them: what it
 * obeys, C0 left out, becomes \uXXXX. In JSON that can only stand inside strings, so it stays the
 * same JSON; a C0 character is a blank, a line end, or a color of ours. BASE_ERR_NOMEM; `out` may
 * then hold a part. */
int base_terminal_add(struct base_buf *out, const char *text, size_t len);

#endif
