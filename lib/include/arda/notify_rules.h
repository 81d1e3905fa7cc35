/* SPDX-License-Identifier: ISC
 *
 * notify_rules: which event becomes which notification: the nine rows of the catalog's section 8 as
 * one table, which the code, the tests and `arda-notifyd --rules` share. Threads: any.
 *
 * Events come from publishers of any kind, so a field may be missing, of another kind, or long.
 * What is then left out is said below; the notification is made all the same.
 */
#ifndef ARDA_NOTIFY_RULES_H
#define ARDA_NOTIFY_RULES_H

#include "base/api.h"
#include "base/buf.h"
#include "base/json.h"

/* Templates have {names} of the event's members, and alternatives with '|' between them, the first
 * of which counts whose members are all there. {stage} stands for toStage. */
struct arda_notify_rule {
    const char *event;      /* its type */
    const char *order_type; /* it must have; "*": one of the three; NULL: it has none */
    const char *field;      /* that decides; NULL: no further condition */
    const char *values;     /* of it, "a|b|c"; NULL: any, or none */
    const char *type;       /* of the notification */
    const char *title;
    const char *body;
    const char *action_url;
    const char *metadata; /* members of the event, "a|b|c" */
};

/* The first row that fits an event is its row; ends with a NULL event. */
ARDA_API extern const struct arda_notify_rule arda_notify_rules[];

enum arda_notify_match {
    ARDA_NOTIFY_NOTHING,       /* no row: the event makes no notification */
    ARDA_NOTIFY_RULE,          /* `rule` is set */
    ARDA_NOTIFY_FOREIGN_ORDER, /* its orderType is missing or none of the three; to be counted */
};

/* `event` is the text of an object that has been checked (arda_message.event). */
ARDA_API enum arda_notify_match arda_notify_rule_find(struct base_slice event,
                                                      const struct arda_notify_rule **rule);

/* What a person is told; UTF-8, not escaped. */
struct arda_notification {
    struct base_slice type;
    struct base_slice title;
    struct base_slice body;       /* empty: none */
    struct base_slice action_url; /* empty: none */
    struct base_slice metadata;   /* text of a JSON object without line ends; empty: none */
};

#define ARDA_NOTIFY_VALUE_MAX    200  /* bytes of a member in a title or body; then "…" */
#define ARDA_NOTIFY_METADATA_MAX 4096 /* bytes of a member in the metadata; else it is left out */

/* Fills a notification from the event its rule was found for. `room` is overwritten and holds its
 * texts, which live until it changes. BASE_ERR_NOMEM.
 *
 * In a title or body a member is a string or a number; control characters in it become blanks, and
 * of a stage, status or type of order underscores too. In an URL it is an identifier of the wire
 * that is not made of dots alone. In the metadata it stands as in the event. One that is not so
 * counts as missing: the next alternative is taken, or there is no body. */
ARDA_API int arda_notify_render(const struct arda_notify_rule *rule, struct base_slice event,
                                struct base_buf *room, struct arda_notification *notification);

/* Appends the table: for a person, or as a JSON object per row and line. BASE_ERR_NOMEM. */
ARDA_API int arda_notify_rules_print(struct base_buf *out, bool json);

#endif
