/* SPDX-License-Identifier: ISC
 *
 * body: what a webhook says, arda-protocol(7), "WEBHOOKS". Threads: any.
 */
#ifndef ARDA_WEBHOOK_BODY_H
#define ARDA_WEBHOOK_BODY_H

#include "base/buf.h"

#include <stdint.h>

/* Appends the JSON for a notification and the event that it was made of, both JSON objects; what is
 * none becomes null. `at_ms`: when the delivery was recorded, which is the same in every attempt.
 * 0 or BASE_ERR_NOMEM; then `out` may hold a part. */
int arda_webhook_body_add(struct base_buf *out, struct base_slice notification,
                          struct base_slice event, int64_t at_ms);

#endif
