/* SPDX-License-Identifier: ISC
 *
 * A receiver gives credit for what it has passed on, so that what waits on its side is bounded by
 * the window however slow the reader behind it is.
 */
#include "relay/window.h"

#include "relay/frame.h"

void relay_window_init(struct relay_window *window)
{
    *window = (struct relay_window){.credit = RELAY_FRAME_WINDOW};
}

/* A sender stops when it has sent its window, but does not cut what it has read: as much again is
 * allowed for that. */
bool relay_window_received(struct relay_window *window, size_t bytes)
{
    window->waiting += (uint32_t)bytes;
    return window->waiting + window->owed <= 2 * RELAY_FRAME_WINDOW;
}

uint32_t relay_window_passed_on(struct relay_window *window, uint32_t bytes)
{
    window->waiting -= bytes;
    window->owed += bytes;
    if (window->owed < RELAY_FRAME_WINDOW / 4)
        return 0;
    uint32_t credit = window->owed;
    window->owed = 0;
    return credit;
}
