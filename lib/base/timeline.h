/* SPDX-License-Identifier: ISC
 *
 * timeline: when recorded events are due again.
 *
 * Every due time is computed from one point of reference with whole numbers, so errors do not add
 * up: after a day the schedule is as exact as after a second. A zeroed struct with its settings is
 * at the beginning. Pure; reads no clock. Threads: one at a time.
 */
#ifndef BASE_TIMELINE_H
#define BASE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#define BASE_TIMELINE_NO_TIME INT64_MIN

struct base_timeline {
    double speed;         /* of the recorded pauses; 0: no waiting at all */
    double rate;          /* events a second instead of the recorded times; 0: none */
    int64_t max_pause_ms; /* longer pauses, as they would be waited, are cut to this; 0: none */

    int64_t latest_ms;   /* the latest recorded time; meaningful when `begun` */
    int64_t recorded_us; /* from the beginning to latest_ms, what was cut taken out */
    uint64_t count;      /* of events so far */
    bool begun;
};

/* The due time of the next event in microseconds after the beginning; never less than that of the
 * one before. `time_ms` is when it was recorded, since 1970, or BASE_TIMELINE_NO_TIME: such a one
 * follows its predecessor at once. So does one that is older than the latest, and then `*behind`
 * (may be NULL) is set to true, else to false. */
uint64_t base_timeline_next(struct base_timeline *timeline, int64_t time_ms, bool *behind);

/* The recording begins once more: the next event, whatever its time, follows at once. */
void base_timeline_again(struct base_timeline *timeline);

/* Of a timeline at its beginning: an event with this time has been before, so that the next one is
 * due after the pause between the two. */
void base_timeline_resume(struct base_timeline *timeline, int64_t latest_ms);

#endif
