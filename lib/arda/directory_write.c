/* SPDX-License-Identifier: ISC
 *
 * Changing the directory: one MULTI, whose last command raises the tenant's version. A tenant stays
 * known when its last entry is removed.
 */
#include "arda/directory.h"
#include "arda/directory_stored.h"

#include "base/mem.h"

#include <string.h>

/* ---- a step and its answer ---- */

struct request {
    struct arda_bus *bus;
    arda_directory_done_fn done;
    void *data;
    bool removes;
};

/* Whether a command before the last has removed something. */
static bool has_removed(const redisReply *replies)
{
    bool removed = false;
    for (size_t i = 0; i + 1 < replies->elements; i++)
        removed |= replies->element[i]->integer > 0;
    return removed;
}

static void on_reply(void *data, int result, const struct redisReply *reply)
{
    struct request *request = data;
    struct base_why why = {0};
    if (result)
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    else
        result = bus_reply_error(request->bus, reply, &why);
    if (!result && request->removes && !has_removed(reply))
        result = base_why_set(&why, BASE_ERR_NOTFOUND, "not found");
    request->done(request->data, result, &why);
    base_free(request);
}

int directory_send_step(struct arda_bus *bus, const struct base_buf *commands, unsigned count,
                        bool removes, arda_directory_done_fn done, void *data)
{
    struct request *request = base_malloc(sizeof *request);
    if (!request)
        return BASE_ERR_NOMEM;
    *request = (struct request){bus, done, data, removes};
    int failed =
        bus_step(bus, (struct base_slice){commands->data, commands->len}, count, on_reply, request);
    if (failed)
        base_free(request);
    return failed;
}

/* ---- putting ---- */

int arda_directory_put(struct arda_bus *bus, const struct arda_directory_line *line,
                       arda_directory_done_fn done, void *data)
{
    struct arda_directory_batch *batch = arda_directory_batch_new(line->tenant);
    int failed = batch ? arda_directory_batch_add(batch, line) : BASE_ERR_NOMEM;
    if (!failed)
        failed = arda_directory_batch_store(bus, batch, false, done, data);
    arda_directory_batch_free(batch);
    return failed;
}

/* ---- removing ---- */

int directory_add_removal(struct base_buf *out, unsigned *count, const struct arda_bus *bus,
                          const char *tenant)
{
    char keys[ARDA_DIRECTORY_KINDS][ARDA_KEY_MAX];
    const char *argv[ARDA_DIRECTORY_KINDS + 1] = {"DEL"};
    int argc = 1;
    for (int i = 0; i < ARDA_DIRECTORY_KINDS; i++) {
        if (i == ARDA_DIRECTORY_TENANT)
            continue;
        directory_key(keys[i], bus, (enum arda_directory_kind)i, tenant);
        argv[argc++] = keys[i];
    }
    return directory_add_command(out, count, argc, argv) |
           directory_add_forget(out, count, bus, tenant);
}

static int add_entry_removal(struct base_buf *out, unsigned *count, const struct arda_bus *bus,
                             const struct arda_directory_line *line)
{
    char key[ARDA_KEY_MAX];
    enum directory_form form = directory_kinds[line->kind].form;
    const char *command = form == DIRECTORY_SET ? "SREM" : "HDEL";
    directory_key(key, bus, line->kind, line->tenant);
    if (form == DIRECTORY_FIELDS)
        return directory_add_command(out, count, 2, (const char *const[]){"DEL", key}) |
               directory_add_forget(out, count, bus, line->tenant);
    const char *id = line->kind == ARDA_DIRECTORY_TENANT ? line->tenant : line->id;
    return directory_add_command(out, count, 3, (const char *const[]){command, key, id});
}

int arda_directory_remove(struct arda_bus *bus, const struct arda_directory_line *line,
                          arda_directory_done_fn done, void *data)
{
    char version[ARDA_KEY_MAX];
    struct base_buf commands = BASE_BUF_INIT;
    unsigned count = 0;
    directory_version_key(version, bus, line->tenant);
    int failed = add_entry_removal(&commands, &count, bus, line);
    if (line->kind == ARDA_DIRECTORY_TENANT)
        failed |= directory_add_removal(&commands, &count, bus, line->tenant);
    failed |= directory_add_command(&commands, &count, 2, (const char *const[]){"INCR", version});
    failed = failed ? BASE_ERR_NOMEM : directory_send_step(bus, &commands, count, true, done, data);
    base_buf_fini(&commands);
    return failed;
}
