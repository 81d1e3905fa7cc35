/* SPDX-License-Identifier: ISC
 *
 * tool: what the tools share that ask Redis something and end: a loop, the bus, an outbox that
 * keeps each request until there is an answer, signals, and one way to end. Threads: one.
 *
 *     status = app_tool_open(&tool, &options);
 *     ...requests into tool.outbox...
 *     app_tool_run(&tool);
 *     return app_tool_leave(&tool);
 *
 * What goes wrong is said on standard error, where statuses are those of base/exit.h.
 */
#ifndef APP_TOOL_H
#define APP_TOOL_H

#include "app/outbox.h"
#include "app/output.h"
#include "arda/bus.h"

#include <uv.h>

/* Texts are borrowed while it is open. */
struct app_tool_options {
    const char *name;   /* of the program */
    const char *redis;  /* its URL */
    const char *prefix; /* of names in Redis */
    enum arda_bus_use use;
    int64_t retry_for_ms;
    size_t
        item_size; /* of a request, and how many are under way: as of struct app_outbox_options */
    size_t window;
    int (*send)(void *data, struct app_outbox_item *item);
    void (*fini)(struct app_outbox_item *item); /* may be NULL */
    void (*on_change)(void *data); /* fewer requests are held, and standard output takes more; not
                                      called at the end */
    void (*on_ending)(void *data); /* once, when it begins to end: to close what is open; or NULL */
    bool (*waits)(void *data);     /* for Redis as long as it takes; NULL: it never does */
    void *data;
};

/* Members are to be read, `status` to be set as well: the first failure of what goes on. */
struct app_tool {
    struct app_tool_options options;
    uv_loop_t loop;
    uv_signal_t signals[3];
    struct arda_bus *bus;
    struct app_outbox *outbox;
    struct app_output *output; /* NULL: nothing was written, or no more will be */
    uv_timer_t grace;          /* of a reader that does not read, at a signal */
    bool held;                 /* on_change, until it has read */
    bool ending;
    bool refused; /* by Redis, at the first connection */
    int status;
    int signal;
};

/* 0, or an exit status, and then there is nothing to close. `options` is copied. */
int app_tool_open(struct app_tool *tool, const struct app_tool_options *options);
/* Runs until app_tool_end was called, what was written is read, and all is closed and freed. A
 * signal ends the wait for the reader after a second, another one at once. */
void app_tool_run(struct app_tool *tool);
/* Begins to end, with this status unless one was set before. Calling it again does nothing. */
void app_tool_end(struct app_tool *tool, int status);
/* Ends it for lack of memory. */
void app_tool_out_of_memory(struct app_tool *tool);
/* Writes to standard output, on the loop; ends it when that fails. Whole lines. */
void app_tool_write(struct app_tool *tool, const char *bytes, size_t len);
/* Bytes that the reader has not taken. */
size_t app_tool_unread(const struct app_tool *tool);
/* The last thing of main: closes standard output and returns the exit status, or raises the signal
 * that has ended the program, for the shell to see. */
int app_tool_leave(struct app_tool *tool);

#endif
