/* SPDX-License-Identifier: ISC
 *
 * via: arda-subscribe --via, the events as a gateway passes them on, and --compare, how they differ
 * from those on the bus. Threads: the main one.
 */
#ifndef SUBSCRIBE_VIA_H
#define SUBSCRIBE_VIA_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts are borrowed for the call. */
struct via_options {
    const char *url;
    int transport; /* enum client_transport */
    const char *token_file;
    const char *cacert;
    bool no_reconnect;
    bool compare;
    const char *tenant; /* to compare */
    const char *redis;
    const char *prefix;
    int64_t grace_ms;
    int64_t connect_timeout_ms;
    int64_t count;      /* of events, 0: never */
    int64_t idle_ms;    /* without an event, 0: never */
    int64_t timeout_ms; /* 0: never */
    bool line_buffered;
    /* Whether an event, an object, is wanted; NULL: all are. */
    bool (*wanted)(const void *data, struct base_slice event);
    const void *data;
};

/* Runs until it ends. The exit status; `signal` is the signal that has ended it and is to end the
 * program, or 0. */
int via_run(const struct via_options *options, int *signal);

#endif
