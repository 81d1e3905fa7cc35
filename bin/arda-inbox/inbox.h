/* SPDX-License-Identifier: ISC
 *
 * inbox: what the parts of arda-inbox share.
 *
 * Every request goes through one outbox, which outlives an absence of Redis. One thread, one loop.
 */
#ifndef ARDA_INBOX_TOOL_H
#define ARDA_INBOX_TOOL_H

#include "arda-inbox/options.h"

#include "app/tool.h"
#include "arda/inbox.h"
#include "arda/tenant.h"

struct settings {
    INBOX_OPTIONS(BASE_OPT_MEMBER)
};

/* What is asked of the inbox. */
struct request {
    struct app_outbox_item item;
    int (*send)(struct arda_bus *bus, struct request *request);
    struct tool *tool;
};

struct tool {
    struct app_tool base;
    struct settings settings;
    const struct command *command;
    char **operands; /* behind the command's name */
    int operand_count;
    struct arda_inbox inbox;
    uv_timer_t timer;
    struct base_buf line; /* being printed */
    uint64_t printed;     /* rows */

    /* list.c */
    uint64_t left; /* rows to print */
    bool more;
    char last[ARDA_ID_MAX + 1];

    /* watch.c */
    struct arda_inbox_watch *watch;

    /* add.c */
    struct add *add;
};

struct command {
    const char *name;
    bool of_user; /* --user has to say whose inbox it is */
    bool of_ids;  /* operands are ids, or there is --all */
    /* Makes the first request. 0, or an exit status that ends the program. */
    int (*start)(struct tool *tool);
    /* All requests are answered, none of them refused; may make another one, or end the program. */
    void (*on_done)(struct tool *tool);
};

extern const struct command list_command, count_command, add_command, read_command, unread_command,
    rm_command, watch_command;

/* Asks, now and again until there is an answer. */
void tool_ask(struct tool *tool, int (*send)(struct arda_bus *bus, struct request *request));
/* An answer to a request, which goes back to the outbox. */
void tool_answer(void *request, int result, const struct base_why *why);
/* Prints what is in tool->line and empties it; the program ends when that fails. */
void tool_print(struct tool *tool);
/* Prints a row, as JSON or for a person. */
void tool_print_row(struct tool *tool, struct base_slice row);

void add_free(struct tool *tool);

#endif
