/* SPDX-License-Identifier: ISC
 *
 * compare: the events of a tenant on the bus beside those that come through a gateway.
 *
 * Differences count from when both stand: the subscription, and behind it the connection to the
 * gateway. What is published around that moment may have come one way only, so it is optional
 * (match.h): all that comes before the bus has answered twice to a question that was asked after
 * the gateway has let us in. A loss of either begins that anew. Threads: the loop's only.
 */
#ifndef SUBSCRIBE_COMPARE_H
#define SUBSCRIBE_COMPARE_H

#include "client/record.h"

struct uv_loop_s;
struct compare;

struct compare_options {
    const char *redis; /* texts are borrowed for its life */
    const char *prefix;
    const char *tenant;
    int64_t grace_ms;
    struct base_buf *out; /* differences are appended to it as lines of JSON */
    /* The subscription stands for the first time: now the gateway may be connected to. */
    void (*on_ready)(void *data);
    /* Something may have been decided, or written to `out`. May stop the comparison. */
    void (*on_change)(void *data);
    /* It has failed for good, and the reason is logged: BASE_ERR_NOMEM, or what Redis refused at
     * the first connection. */
    void (*on_fail)(void *data, int result);
    void *data;
};

/* 0; BASE_ERR_CONFIG for a wrong URL or prefix, BASE_ERR_NOMEM. */
int compare_new(struct uv_loop_s *loop, const struct compare_options *options,
                struct compare **compare, struct base_why *why);
/* What the client of the gateway has seen. */
void compare_record(struct compare *compare, const struct client_record *record);
uint64_t compare_decided(const struct compare *compare);
/* Whether it has ever begun to count. */
bool compare_has_begun(const struct compare *compare);
/* Logs the sums, closes, and frees the struct from the loop; no handler is called any more. Whether
 * there was a difference. */
bool compare_end(struct compare *compare);

#endif
