/* SPDX-License-Identifier: ISC
 *
 * filter: which events a person asks for.
 *
 * Values of one criterion: one of them is enough; several criteria: all must agree. A filter is
 * compiled once; matching is one pass over the event with the scanner, and does not allocate unless
 * a type is escaped or very long. Threads: one at a time for each filter.
 */
#ifndef ARDA_FILTER_H
#define ARDA_FILTER_H

#include "arda/message.h"
#include "base/api.h"
#include "base/err.h"

#include <stddef.h>

struct arda_filter;

struct arda_filter_values {
    const char *const *items;
    size_t count; /* 0: any event will do */
};

struct arda_filter_options {
    struct arda_filter_values type;  /* patterns of fnmatch(3), `*` matches dots and slashes */
    struct arda_filter_values loop;  /* loopId */
    struct arda_filter_values card;  /* cardId, or one of linkedCardIds */
    struct arda_filter_values order; /* orderId or orderNumber */
    struct arda_filter_values user;  /* userId */
    struct arda_filter_values correlation; /* correlationId of the envelope, else of the event */
    /* FIELD=VALUE or FIELD!=VALUE, FIELD a path (base/path.h) into the event. A string is compared
     * unescaped, anything else with its text: 1.0 is not 1, null is `null`. A missing field has no
     * value, also not the empty one. Of the values for one FIELD one is enough, each FIELD is a
     * criterion of its own; of those with != all must hold. */
    struct arda_filter_values match;
};

/* Texts and arrays are borrowed for the filter's life. 0; BASE_ERR_INVALID with a text that begins
 * with the option, such as "--match: expected FIELD=VALUE, got `x'"; BASE_ERR_NOMEM. */
ARDA_API int arda_filter_new(const struct arda_filter_options *options, struct arda_filter **filter,
                             struct base_why *why);
ARDA_API void arda_filter_free(struct arda_filter *filter); /* NULL is allowed */

/* 1: the event is asked for; 0: it is not; BASE_ERR_NOMEM: it could not be told. */
ARDA_API int arda_filter_match(struct arda_filter *filter, const struct arda_message *message);

#endif
