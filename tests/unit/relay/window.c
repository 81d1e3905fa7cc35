/* SPDX-License-Identifier: ISC */
#include "relay/window.h"

#include "lib/test.h"
#include "relay/frame.h"

static void credit_comes_back_a_quarter_at_a_time(void)
{
    struct relay_window window;
    relay_window_init(&window);
    CHECK_INT(window.credit, RELAY_FRAME_WINDOW);
    CHECK(relay_window_received(&window, 1000));
    CHECK_INT(relay_window_passed_on(&window, 1000), 0);
    CHECK(relay_window_received(&window, RELAY_FRAME_WINDOW / 4));
    CHECK_INT(relay_window_passed_on(&window, RELAY_FRAME_WINDOW / 4),
              RELAY_FRAME_WINDOW / 4 + 1000);
    CHECK_INT(window.owed, 0);
    CHECK_INT(window.waiting, 0);
}

static void two_windows_are_the_most(void)
{
    struct relay_window window;
    relay_window_init(&window);
    CHECK(relay_window_received(&window, 2 * RELAY_FRAME_WINDOW));
    CHECK(!relay_window_received(&window, 1));
}

static void what_is_owed_counts_too(void)
{
    struct relay_window window;
    relay_window_init(&window);
    CHECK(relay_window_received(&window, 10));
    CHECK_INT(relay_window_passed_on(&window, 10), 0);
    CHECK(relay_window_received(&window, 2 * RELAY_FRAME_WINDOW - 10));
    CHECK(!relay_window_received(&window, 1));
}

int main(void)
{
    RUN(credit_comes_back_a_quarter_at_a_time);
    RUN(two_windows_are_the_most);
    RUN(what_is_owed_counts_too);
    return test_end();
}
