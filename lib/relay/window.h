/* SPDX-License-Identifier: ISC
 *
 * window: how much either side of a stream may send (arda-protocol(7), "LINKS BETWEEN GATEWAYS").
 * No I/O. Threads: one at a time.
 */
#ifndef RELAY_WINDOW_H
#define RELAY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay_window {
    int64_t credit;   /* bytes that may still be sent; little below zero at most */
    uint32_t waiting; /* bytes that were received and are not passed on */
    uint32_t owed;    /* that were, and for which no credit has been given */
};

void relay_window_init(struct relay_window *window);
/* Bytes have come. False when the other side has sent more than it may. */
bool relay_window_received(struct relay_window *window, size_t bytes);
/* This many of those that waited have been passed on. The credit that is to be given now, or 0: a
 * quarter of a window at least is given at once. */
uint32_t relay_window_passed_on(struct relay_window *window, uint32_t bytes);

#endif
