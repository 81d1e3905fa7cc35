/* SPDX-License-Identifier: ISC
 *
 * Entries are kept as the arguments of the commands that will store them, many to a command: one
 * MULTI of a command per entry would cost Redis several times as much.
 */
#include "arda/directory.h"
#include "arda/directory/script.h"
#include "arda/directory/stored.h"

#include "base/mem.h"
#include "base/vec.h"

#include <string.h>

#define MOST_ARGUMENTS 2000 /* of one command, so that Redis is not held up by a single one */

/* Arguments of one command. */
struct group {
    enum arda_directory_kind kind;
    unsigned argc;
    struct base_buf args;
};

struct arda_directory_batch {
    char tenant[ARDA_ID_MAX + 1];
    struct group *groups; /* in the order they were begun */
    size_t count, cap;
    size_t latest[ARDA_DIRECTORY_KINDS]; /* index of the one that grows, plus 1; 0: none */
};

struct arda_directory_batch *arda_directory_batch_new(const char *tenant)
{
    struct arda_directory_batch *batch = base_calloc(1, sizeof *batch);
    if (batch)
        memcpy(batch->tenant, tenant, strlen(tenant) + 1);
    return batch;
}

void arda_directory_batch_free(struct arda_directory_batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; i < batch->count; i++)
        base_buf_fini(&batch->groups[i].args);
    base_free(batch->groups);
    base_free(batch);
}

/* The group that takes entries of a kind; NULL without memory. */
static struct group *group_of(struct arda_directory_batch *batch, enum arda_directory_kind kind)
{
    size_t latest = batch->latest[kind];
    if (latest && batch->groups[latest - 1].argc < MOST_ARGUMENTS)
        return &batch->groups[latest - 1];
    if (BASE_VEC_RESERVE(batch->groups, batch->cap, batch->count + 1) < 0)
        return NULL;
    batch->groups[batch->count] = (struct group){.kind = kind};
    batch->latest[kind] = ++batch->count;
    return &batch->groups[batch->count - 1];
}

int arda_directory_batch_add(struct arda_directory_batch *batch,
                             const struct arda_directory_line *line)
{
    base_assert(strcmp(line->tenant, batch->tenant) == 0);
    if (line->kind == ARDA_DIRECTORY_TENANT)
        return BASE_OK; /* every batch makes its tenant known */
    struct group *group = group_of(batch, line->kind);
    return group ? arda_directory_add_stored(&group->args, &group->argc, line) : BASE_ERR_NOMEM;
}

/* ---- the step ---- */

/* Of a tenant that is replaced nothing is there to compare with. */
static int add_plain_group(struct bus_commands *commands, const struct arda_bus *bus,
                           const char *tenant, const struct group *group)
{
    struct base_buf *out = &commands->bytes;
    char key[ARDA_KEY_MAX];
    const char *command = arda_directory_store_command(group->kind);
    size_t len = arda_directory_key(key, bus, group->kind, tenant);
    commands->count++;
    return arda_redis_add_header(out, group->argc + 2) |
           arda_redis_add_argument(out, command, strlen(command)) |
           arda_redis_add_argument(out, key, len) |
           base_buf_add(out, group->args.data, group->args.len);
}

static int add_script_group(struct bus_commands *commands, struct arda_bus *bus, const char *tenant,
                            const struct group *group)
{
    const struct directory_kind *kind = &arda_directory_kinds[group->kind];
    const struct arda_script *script = kind->form == DIRECTORY_SET
                                           ? &arda_directory_put_set_script
                                           : &arda_directory_put_hash_script;
    const char *const words[] = {arda_bus_prefix(bus), tenant, arda_key_family(kind->family)};
    const size_t count = sizeof words / sizeof words[0];
    int failed = arda_bus_step_call(commands, bus, script, count + group->argc);
    for (size_t i = 0; i < count; i++)
        failed |= arda_redis_add_argument(&commands->bytes, words[i], strlen(words[i]));
    return failed | base_buf_add(&commands->bytes, group->args.data, group->args.len);
}

static int add_groups(struct bus_commands *commands, struct arda_bus *bus,
                      const struct arda_directory_batch *batch, bool replace)
{
    int failed = BASE_OK;
    for (size_t i = 0; i < batch->count; i++) {
        const struct group *group = &batch->groups[i];
        if (group->argc == 0) /* memory was short when it was begun */
            continue;
        failed |= replace ? add_plain_group(commands, bus, batch->tenant, group)
                          : add_script_group(commands, bus, batch->tenant, group);
    }
    return failed;
}

static int add_step(struct bus_commands *commands, struct arda_bus *bus,
                    const struct arda_directory_batch *batch, bool replace, bool forgets)
{
    const char *families[ARDA_DIRECTORY_KINDS - 1];
    const char *tenant = batch->tenant;
    int replaced = replace ? ARDA_DIRECTORY_KINDS - 1 : 0;
    arda_directory_families(families);
    int failed = arda_directory_add_script(commands, bus, &arda_directory_open_script, tenant,
                                           replaced, families);
    if (batch->latest[ARDA_DIRECTORY_WEBHOOK])
        failed |= forgets ? arda_directory_add_forget(commands, bus, tenant)
                          : arda_directory_add_look(commands, bus, tenant);
    failed |= add_groups(commands, bus, batch, replace);
    return failed | arda_directory_add_script(commands, bus, &arda_directory_close_script, tenant,
                                              replaced, families);
}

int arda_directory_store(struct arda_bus *bus, const struct arda_directory_batch *batch,
                         bool replace, bool forgets, arda_directory_done_fn done, void *data)
{
    struct bus_commands commands = {0};
    int failed = add_step(&commands, bus, batch, replace, forgets) ? BASE_ERR_NOMEM : BASE_OK;
    if (!failed)
        failed = arda_directory_send_step(bus, batch->tenant, &commands, false, done, data);
    base_buf_fini(&commands.bytes);
    return failed;
}

int arda_directory_batch_store(struct arda_bus *bus, const struct arda_directory_batch *batch,
                               bool replace, arda_directory_done_fn done, void *data)
{
    return arda_directory_store(bus, batch, replace, false, done, data);
}
