/* SPDX-License-Identifier: ISC
 *
 * Changing the directory: one MULTI, whose last command raises the tenant's version if the others
 * have changed something (script.h). A tenant stays known when its last entry is removed.
 */
#include "arda/bus/reply.h"
#include "arda/directory.h"
#include "arda/directory/script.h"
#include "arda/directory/stored.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>

/* ---- a step and its answer ---- */

struct request {
    struct arda_bus *bus;
    arda_directory_done_fn done;
    void *data;
    bool removes;
    char tenant[ARDA_ID_MAX + 1];
};

/* What the last command has answered: whether something has changed, and whether the version begins
 * again. */
static bool is_closed(const redisReply *replies, bool *changed, bool *again)
{
    if (!arda_reply_is_array(replies) || replies->elements == 0)
        return false;
    const redisReply *last = replies->element[replies->elements - 1];
    if (!arda_reply_are_numbers(last, 2))
        return false;
    *changed = last->element[0]->integer != 0;
    *again = last->element[1]->integer != 0;
    return true;
}

static void on_reply(void *data, int result, const struct redisReply *reply)
{
    struct request *request = data;
    struct base_why why = {0};
    bool changed = false, again = false;
    if (result)
        base_why_set(&why, result, "the connection to Redis was lost before the answer");
    else
        result = arda_bus_reply_error(request->bus, reply, &why);
    if (!result && !is_closed(reply, &changed, &again))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "an answer of Redis makes no sense");
    if (!result && again)
        base_log(BASE_LOG_WARNING, "tenant %s: %s:version:%s was not a number; it begins again",
                 request->tenant, arda_bus_prefix(request->bus), request->tenant);
    if (!result && request->removes && !changed)
        result = base_why_set(&why, BASE_ERR_NOTFOUND, "not found");
    request->done(request->data, result, &why);
    base_free(request);
}

int arda_directory_send_step(struct arda_bus *bus, const char *tenant,
                             const struct bus_commands *commands, bool removes,
                             arda_directory_done_fn done, void *data)
{
    struct request *request = base_malloc(sizeof *request);
    if (!request)
        return BASE_ERR_NOMEM;
    *request = (struct request){.bus = bus, .done = done, .data = data, .removes = removes};
    strcpy(request->tenant, tenant); /* an id fits */
    int failed = arda_bus_step(bus, commands, on_reply, request);
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
        failed = arda_directory_store(bus, batch, false, true, done, data);
    arda_directory_batch_free(batch);
    return failed;
}

/* ---- removing ---- */

static int add_tenant_removal(struct bus_commands *commands, struct arda_bus *bus,
                              const char *tenant)
{
    const char *families[ARDA_DIRECTORY_KINDS - 1];
    arda_directory_families(families);
    return arda_directory_add_script(commands, bus, &arda_directory_remove_tenant_script, tenant,
                                     ARDA_DIRECTORY_KINDS - 1, families) |
           arda_directory_add_forget(commands, bus, tenant);
}

static int add_entry_removal(struct bus_commands *commands, struct arda_bus *bus,
                             const struct arda_directory_line *line)
{
    const struct directory_kind *kind = &arda_directory_kinds[line->kind];
    static const char *const removals[] = {
        [DIRECTORY_SET] = "SREM", [DIRECTORY_HASH] = "HDEL", [DIRECTORY_FIELDS] = "DEL"};
    const char *const argv[] = {arda_key_family(kind->family), removals[kind->form], line->id};
    int failed =
        arda_directory_add_script(commands, bus, &arda_directory_remove_script, line->tenant,
                                  kind->form == DIRECTORY_FIELDS ? 2 : 3, argv);
    if (kind->form == DIRECTORY_FIELDS)
        failed |= arda_directory_add_forget(commands, bus, line->tenant);
    return failed;
}

int arda_directory_remove(struct arda_bus *bus, const struct arda_directory_line *line,
                          arda_directory_done_fn done, void *data)
{
    struct bus_commands commands = {0};
    int failed = line->kind == ARDA_DIRECTORY_TENANT
                     ? add_tenant_removal(&commands, bus, line->tenant)
                     : add_entry_removal(&commands, bus, line);
    failed |= arda_directory_add_script(&commands, bus, &arda_directory_close_script, line->tenant,
                                        0, NULL);
    failed = failed ? BASE_ERR_NOMEM
                    : arda_directory_send_step(bus, line->tenant, &commands, true, done, data);
    base_buf_fini(&commands.bytes);
    return failed;
}
