/* SPDX-License-Identifier: ISC
 *
 * publish: what the parts of arda-publish share.
 *
 * A line goes through prepare (check, complete, wrap) into the outbox, which sends it, sends it
 * again after a loss, and forgets it once Redis has confirmed it. One thread, one loop.
 */
#ifndef ARDA_PUBLISH_H
#define ARDA_PUBLISH_H

#include "arda-publish_options.h"

#include "arda/outbox.h"
#include "arda/publication.h"

struct settings {
    PUBLISH_OPTIONS(BASE_OPT_MEMBER)
};

/* ---- prepare.c ---- */

/* An event ready to go. */
struct outgoing {
    struct arda_outbox_item item;
    struct arda_publication_texts texts;
    struct arda_publication publication; /* points into them */
};

/* Completes and checks a line and fills `event`, whose buffers may hold a former one. Says what is
 * wrong. 0, BASE_ERR_SYNTAX, BASE_ERR_NOMEM, BASE_ERR_INTERNAL without a random source. */
int prepare(const struct settings *settings, const struct base_place *place, struct base_slice line,
            struct outgoing *event);

/* ---- arguments.c ---- */

/* Whether the operands are an event, TYPE NAME=VALUE..., and not files. */
bool arguments_are_event(char **operands, int count);
/* Appends them as JSON. BASE_ERR_SYNTAX (said), BASE_ERR_NOMEM. */
int arguments_to_json(char **operands, int count, struct base_buf *out);

/* ---- help.c ---- */

/* The help of an event type, or of all ("types"). */
bool help_topic(const char *topic);

#endif
