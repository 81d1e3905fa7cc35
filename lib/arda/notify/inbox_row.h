/* SPDX-License-Identifier: ISC
 *
 * inbox_row: a row of an inbox, as Redis holds it and as readers get it. Redis holds a JSON object
 * without isRead and readAt, which change; the reader's has both behind `body`. Threads: any.
 */
#ifndef ARDA_NOTIFY_INBOX_ROW_H
#define ARDA_NOTIFY_INBOX_ROW_H

#include "base/buf.h"

/* Appends a stored row for readers; `read_at` empty: it is unread. BASE_ERR_SYNTAX for a text that
 * is no row, BASE_ERR_NOMEM; `out` is then unchanged. */
int arda_inbox_row_write(struct base_buf *out, struct base_slice stored, struct base_slice read_at);

#endif
