/* SPDX-License-Identifier: ISC
 *
 * What the daemon can be started for, as rows that the other files ask instead of the option.
 */
#include "notifyd.h"

const struct mode mode_run = {
    .use = ARDA_BUS_WRITES,
    .lasts = true,
    .delivers = true,
    .finishes = true,
    .on_up = intake_up,
    .begin_intake = intake_begin_as_member,
};

const struct mode mode_dry_run = {
    .use = ARDA_BUS_READS,
    .lasts = true,
    .finishes = true,
    .on_up = intake_up,
    .begin_intake = intake_begin_without_trace,
    .read_streams = dry_flush,
    .show = explain_work,
};

const struct mode mode_explain = {
    .use = ARDA_BUS_ASKS,
    .read = explain_read,
    .on_up = explain_up,
};

const struct mode mode_redrive = {
    .use = ARDA_BUS_WRITES,
    .takes_letters = true,
    .dies_of_signals = true,
    .finishes = true,
    .refuses_letters = true,
    .on_up = redrive_up,
};
