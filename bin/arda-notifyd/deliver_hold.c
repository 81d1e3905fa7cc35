/* SPDX-License-Identifier: ISC */
#include "notifyd.h"

int64_t deliver_hold_until(const struct arda_delivery *delivery, int64_t now_ms, bool *digest)
{
    (void)delivery;
    (void)now_ms;
    *digest = false;
    return 0;
}
