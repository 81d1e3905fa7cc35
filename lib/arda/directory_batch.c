/* SPDX-License-Identifier: ISC
 *
 * Entries are kept as the arguments of the commands that will store them, many to a command: one
 * MULTI of a command per entry would cost Redis several times as much.
 */
#include "arda/directory.h"
#include "arda/directory_stored.h"

#include "base/mem.h"

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
    if (batch->count == batch->cap) {
        size_t cap = batch->cap ? batch->cap * 2 : 2;
        struct group *groups = batch->groups ? base_realloc(batch->groups, cap * sizeof *groups)
                                             : base_malloc(cap * sizeof *groups);
        if (!groups)
            return NULL;
        batch->groups = groups;
        batch->cap = cap;
    }
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
    return group ? directory_add_stored(&group->args, &group->argc, line) : BASE_ERR_NOMEM;
}

/* ---- the step ---- */

static int add_group(struct base_buf *out, unsigned *count, const struct arda_bus *bus,
                     const char *tenant, const struct group *group)
{
    char key[ARDA_KEY_MAX];
    int failed = BASE_OK;
    const char *command = directory_store_command(group->kind);
    if (group->argc == 0) /* memory was short when it was begun */
        return BASE_OK;
    size_t len = directory_key(key, bus, group->kind, tenant);
    if (group->kind == ARDA_DIRECTORY_WEBHOOK)
        failed = directory_add_forget(out, count, bus, tenant);
    ++*count;
    return failed | arda_redis_add_header(out, group->argc + 2) |
           arda_redis_add_argument(out, command, strlen(command)) |
           arda_redis_add_argument(out, key, len) |
           base_buf_add(out, group->args.data, group->args.len);
}

static int add_step(struct base_buf *out, unsigned *count, const struct arda_bus *bus,
                    const struct arda_directory_batch *batch, bool replace)
{
    char tenants[ARDA_KEY_MAX], version[ARDA_KEY_MAX];
    directory_key(tenants, bus, ARDA_DIRECTORY_TENANT, batch->tenant);
    directory_version_key(version, bus, batch->tenant);
    const char *const known[] = {"SADD", tenants, batch->tenant};
    const char *const changed[] = {"INCR", version};
    int failed = replace ? directory_add_removal(out, count, bus, batch->tenant) : BASE_OK;
    failed |= directory_add_command(out, count, 3, known);
    for (size_t i = 0; i < batch->count; i++)
        failed |= add_group(out, count, bus, batch->tenant, &batch->groups[i]);
    return failed | directory_add_command(out, count, 2, changed);
}

int arda_directory_batch_store(struct arda_bus *bus, const struct arda_directory_batch *batch,
                               bool replace, arda_directory_done_fn done, void *data)
{
    struct base_buf commands = BASE_BUF_INIT;
    unsigned count = 0;
    int failed = add_step(&commands, &count, bus, batch, replace) ? BASE_ERR_NOMEM : BASE_OK;
    if (!failed)
        failed = directory_send_step(bus, &commands, count, false, done, data);
    base_buf_fini(&commands);
    return failed;
}
