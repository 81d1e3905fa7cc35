/* SPDX-License-Identifier: ISC
 *
 * deliveries: what the parts of arda-deliveries share.
 *
 * A command asks, and when all is answered its on_done asks more or ends the program. Which
 * tenants are meant is known before it starts. One thread, one loop.
 */
#ifndef ARDA_DELIVERIES_TOOL_H
#define ARDA_DELIVERIES_TOOL_H

#include "arda-deliveries/options.h"

#include "app/tool.h"
#include "arda/delivery/read.h"
#include "arda/directory.h"
#include "arda/tenant.h"
#include "base/map.h"

struct settings {
    DELIVERIES_OPTIONS(BASE_OPT_MEMBER)
};

/* What is asked of Redis. */
struct request {
    struct app_outbox_item item;
    int (*send)(struct arda_bus *bus, struct request *request);
    struct tool *tool;
    /* A delivery that is looked for: its id, and the tenant that is asked, as a place in
     * tool->tenants. */
    char id[ARDA_ID_MAX + 1];
    size_t tenant;
};

struct tool {
    struct app_tool base;
    struct settings settings;
    const struct command *command;
    struct base_buf ids;     /* of the operands and standard input, each with its NUL */
    struct base_buf tenants; /* likewise */
    bool from_stdin;         /* ids were read there, perhaps none */
    bool started;
    struct arda_delivery_filter filter;
    struct base_buf line; /* being printed */
    uint64_t printed;     /* deliveries */

    /* walk.c */
    size_t next_tenant;
    struct arda_delivery_position position;
    const char *walked; /* the tenant whose deliveries are being listed */
    bool more;
    uint64_t left;

    /* list.c */
    struct arda_delivery_tally tally;

    /* redrive.c */
    struct base_buf found;   /* ids of a page, each with its NUL */
    struct base_map digests; /* that were found */
    uint64_t redriven, under_way;

    /* explain.c */
    struct explain *explain;
};

struct command {
    const char *name;
    bool of_ids;    /* ids may be given */
    bool of_one;    /* not more than one of them */
    bool of_tenant; /* --tenant has to be given */
    void (*start)(struct tool *tool);
    /* All requests are answered, none of them refused. */
    void (*on_done)(struct tool *tool);
};

extern const struct command list_command, count_command, show_command, explain_command,
    redrive_command, endpoint_command;

/* ---- main.c ---- */

/* A request; NULL without memory, and then the program ends. It is to be given to tool_send. */
struct request *tool_request(struct tool *tool,
                             int (*send)(struct arda_bus *bus, struct request *request));
void tool_send(struct request *request);
/* Both at once. */
void tool_ask(struct tool *tool, int (*send)(struct arda_bus *bus, struct request *request));
/* An answer to a request, which goes back to the outbox. */
void tool_answer(void *request, int result, const struct base_why *why);
/* The same, and what is said of an entry that makes no sense, of arda_directory_snapshot. */
void tool_snapshot(void *request, int result, const struct arda_directory_state *state,
                   const struct base_why *why);
void tool_left_out(void *request, const struct base_why *why);
/* Asks for the request's delivery at the next tenant; false: there is none left. */
bool tool_try_next_tenant(struct request *request);
/* The tenant that a request asks. */
const char *tool_tenant(const struct request *request);
void tool_end(struct tool *tool, int status);

/* ---- print.c ---- */

/* Prints what is in tool->line and empties it; `failed`: memory ran out, and the program ends. */
void tool_print(struct tool *tool, int failed);
/* As JSON or for a person, counted in tool->printed. */
void tool_print_record(struct tool *tool, const struct arda_delivery_record *record);
/* "failed, 3 attempts" and what is next, on one line. */
int print_state(struct base_buf *out, const struct arda_delivery_record *record);
/* A line for each attempt, with that many blanks before. */
int print_attempts(struct base_buf *out, const struct arda_delivery_record *record, int blanks);
int print_ms(struct base_buf *out, int64_t ms); /* local time */

/* ---- walk.c ---- */

/* Asks for the next page of what the filter lets through, of all tenants one after the other; each
 * record goes to `on_record`, or, if that is NULL, into tool->tally. False: there is no more. */
bool walk_on(struct tool *tool,
             void (*on_record)(void *request, const struct arda_delivery_record *record));
/* An answer that has nothing but a record that makes no sense. */
void walk_on_bad(void *request, const char *id);

/* ---- explain.c ---- */

void explain_free(struct tool *tool);

#endif
