/* SPDX-License-Identifier: ISC
 *
 * directory: what the parts of arda-directory share.
 *
 * Every request goes through one outbox, which outlives an absence of Redis. A command makes its
 * requests when it starts or when its input has ended, and more of them when the outbox is empty.
 * One thread, one loop.
 */
#ifndef ARDA_DIRECTORY_TOOL_H
#define ARDA_DIRECTORY_TOOL_H

#include "arda-directory/options.h"

#include "app/input.h"
#include "app/tool.h"
#include "arda/directory.h"
#include "base/map.h"

struct settings {
    DIRECTORY_OPTIONS(BASE_OPT_MEMBER)
};

/* What is asked of the directory. */
struct request {
    struct app_outbox_item item;
    int (*send)(struct arda_bus *bus, struct request *request);
    struct tool *tool;
    struct arda_directory_line line;
    uint64_t lines;          /* of a snapshot, so far */
    struct loading *loading; /* of a tenant that is stored */
    bool replaces;           /* what the input lacks of it is removed */
};

struct tool {
    struct app_tool base;
    struct settings settings;
    const struct command *command;
    char **operands; /* behind the command's name */
    int operand_count;

    /* load.c */
    struct app_input *input;
    int next_file;
    struct base_place place;
    struct arda_directory_line line; /* the one being read */
    uint64_t lines, bad_lines;
    bool incomplete;           /* lines are missing, and nobody knows of which tenant */
    struct base_list loadings; /* tenants of the input, as they came */
    struct base_map loading_by_id;

    /* dump.c */
    struct base_buf tenants; /* names, each with its NUL */
    size_t next_tenant;      /* in them */

    /* changes.c */
    struct arda_directory_change *changes;
    size_t change_count;
    struct base_buf *texts; /* values that were read from files */
    size_t text_count;
};

struct command {
    const char *name;
    int min_operands, max_operands; /* -1: any number */
    const char *operands;
    /* Makes the first requests. 0, or an exit status that ends the program. */
    int (*start)(struct tool *tool);
    /* The outbox holds less than before; ends the program when all is done. */
    void (*on_change)(struct tool *tool);
};

extern const struct command load_command, dump_command, get_command, set_command, rm_command;

/* A request to fill; NULL without memory, and then the program ends. */
struct request *tool_request(struct tool *tool,
                             int (*send)(struct arda_bus *bus, struct request *request));
/* Prints a line; the program ends when that fails. */
void tool_print(struct tool *tool, const struct arda_directory_line *line);
void load_free(struct tool *tool);
/* Takes the members that an entry is to get. 0, or an exit status, and then the reason was said. */
int changes_read(struct tool *tool, char **operands, int count);
void changes_free(struct tool *tool);
/* An answer to a request, which goes back to the outbox. */
void tool_answer(void *request, int result, const struct base_why *why);

#endif
