/* SPDX-License-Identifier: ISC
 *
 * list: intrusive doubly linked lists. A link is a member of what is listed; the head is a link
 * of its own. Safe for removal of the current element with BASE_LIST_FOREACH_SAFE. No function
 * here can fail. Threads: one at a time.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct base_list {
    struct base_list *prev;
    struct base_list *next;
};

/* The struct that `link` is the member `member` of. */
#define base_container(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void base_list_init(struct base_list *head)
{
    head->prev = head->next = head;
}

static inline bool base_list_empty(const struct base_list *head)
{
    return head->next == head;
}

static inline void base_list_append(struct base_list *head, struct base_list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* The link is initialised again, so removing twice does no harm. */
static inline void base_list_remove(struct base_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    base_list_init(link);
}

/* Moves everything from `from` to the end of `to`. */
static inline void base_list_splice(struct base_list *to, struct base_list *from)
{
    if (base_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    base_list_init(from);
}

#define BASE_LIST_FOREACH(link, head)                                                              \
    for (struct base_list *link = (head)->next; link != (head); link = link->next)

#define BASE_LIST_FOREACH_SAFE(link, head)                                                         \
    for (struct base_list *link = (head)->next, *link##_next = link->next; link != (head);         \
         link = link##_next, link##_next = link->next)

#endif
