/* SPDX-License-Identifier: ISC
 *
 * internal: the notification step as its own files see it. Nobody else includes this.
 *
 *     step.c    a step: its chunks one after the other, and what their answers say
 *     chunk.c   the arguments of the script for one chunk
 *     step.lua  the script
 */
#ifndef ARDA_NOTIFY_INTERNAL_H
#define ARDA_NOTIFY_INTERNAL_H

#include "arda/bus/script.h"
#include "arda/notify_step.h"
#include "arda/tenant.h"

/* The words of ARGV before the users, as step.lua names them. */
enum notify_word {
    NOTIFY_PREFIX,
    NOTIFY_TENANT,
    NOTIFY_EVENT,   /* its key */
    NOTIFY_GROUP,   /* of the consumers */
    NOTIFY_ENTRY,   /* of the stream, or "" */
    NOTIFY_VERSION, /* of the directory, or "": any */
    NOTIFY_FROM,    /* the user behind whom the chunk begins, or "" */
    NOTIFY_UPTO,    /* its last user, or "": the last chunk */
    NOTIFY_HANDLED_S,
    NOTIFY_CAUSE_S,
    NOTIFY_NOW_MS,
    NOTIFY_NOW,    /* the same for a person */
    NOTIFY_COUNT,  /* rows a user keeps, or 0 */
    NOTIFY_CUTOFF, /* older rows go, ms, or "" */
    NOTIFY_TOLD,   /* "1": new rows are part of the answer */
    NOTIFY_TEXT,   /* of the event, for deliveries */
    /* A row is HEAD, notification id, MIDDLE, user, TAIL. */
    NOTIFY_ROW_HEAD,
    NOTIFY_ROW_MIDDLE,
    NOTIFY_ROW_TAIL,
    /* A notification.created is HEAD, user, MIDDLE, notification id, TAIL, its event id, END. */
    NOTIFY_CREATED_HEAD,
    NOTIFY_CREATED_MIDDLE,
    NOTIFY_CREATED_TAIL,
    NOTIFY_CREATED_END,
    NOTIFY_TYPE,
    NOTIFY_WORDS
};

ARDA_SCRIPT(notify_step);

/* Where a text lies in a buffer that may still move. */
struct notify_span {
    size_t at, len;
};

struct notify_run {
    struct arda_bus *bus;
    struct arda_notify_step step;
    arda_notify_step_fn done;
    void *data;
    struct arda_notify_result result;
    size_t next;                /* user of the chunk under way, or to come */
    size_t sent;                /* users of the chunk under way */
    char from[ARDA_ID_MAX + 1]; /* who was the last before them */
    struct base_buf words;      /* texts of the spans */
    struct notify_span spans[NOTIFY_WORDS];
    struct base_buf users; /* packed, of one chunk */
    struct base_buf row;
};

/* Writes the words that are the same for all chunks. BASE_ERR_INVALID for a text that is not
 * UTF-8 or metadata that is no object on one line; BASE_ERR_NOMEM, BASE_ERR_INTERNAL. */
int arda_notify_words(struct notify_run *run);
/* Sends the chunk at `next` and sets `sent`. Errors as arda_script_call. */
int arda_notify_send(struct notify_run *run, arda_reply_fn done);

#endif
