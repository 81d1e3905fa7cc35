/* SPDX-License-Identifier: ISC
 *
 * stored: entries as Redis holds them (arda-events(5)). Shared by the files of the
 * directory; nobody else includes this. Threads: any.
 */
#ifndef ARDA_DIRECTORY_STORED_H
#define ARDA_DIRECTORY_STORED_H

#include "arda/bus/command.h"
#include "arda/bus/redis_conn.h"
#include "arda/bus/script.h"
#include "arda/directory.h"
#include "arda/directory/kind.h"
#include "arda/name/keys.h"

/* The key that holds a tenant's entries of a kind; of ARDA_DIRECTORY_TENANT the set of tenants. */
size_t arda_directory_key(char out[static ARDA_KEY_MAX], const struct arda_bus *bus,
                          enum arda_directory_kind kind, const char *tenant);
/* The key of the counter of changes. */
size_t arda_directory_version_key(char out[static ARDA_KEY_MAX], const struct arda_bus *bus,
                                  const char *tenant);
/* Appends a command of C strings and counts it. */
int arda_directory_add_command(struct bus_commands *commands, int argc, const char *const *argv);
/* Appends a command that has what waits for the tenant's webhook looked at anew. */
int arda_directory_add_look(struct bus_commands *commands, const struct arda_bus *bus,
                            const char *tenant);
/* The same, and one that forgets how the webhook did. */
int arda_directory_add_forget(struct bus_commands *commands, const struct arda_bus *bus,
                              const char *tenant);
/* arda_directory_batch_store; `forgets`: as somebody who changes a webhook by hand wants it.
 * Without that, how a webhook did is forgotten by whoever sees that it is another one
 * (delivery/internal.h). */
int arda_directory_store(struct arda_bus *bus, const struct arda_directory_batch *batch,
                         bool replace, bool forgets, arda_directory_done_fn done, void *data);
/* The command that stores entries of a kind, by its form: "HSET" or "SADD". */
const char *arda_directory_store_command(enum arda_directory_kind kind);
/* Orders names as a dump does. */
int arda_directory_compare(const redisReply *a, const redisReply *b);
/* The families of all kinds but ARDA_DIRECTORY_TENANT, which are ARDA_DIRECTORY_KINDS - 1. */
void arda_directory_families(const char *families[static ARDA_DIRECTORY_KINDS - 1]);
/* Appends one of the scripts of script.h for a tenant, with `argc` arguments after it,
 * and counts it. */
int arda_directory_add_script(struct bus_commands *commands, struct arda_bus *bus,
                              const struct arda_script *script, const char *tenant, int argc,
                              const char *const *argv);
/* Sends commands as one atomic step, of which the last one is arda_directory_close_script.
 * `removes`: it is BASE_ERR_NOTFOUND if nothing has changed. */
int arda_directory_send_step(struct arda_bus *bus, const char *tenant,
                             const struct bus_commands *commands, bool removes,
                             arda_directory_done_fn done, void *data);

/* Appends, as arguments of that command, what of the entry stands behind the key; `argc` is raised
 * by their number. Not for ARDA_DIRECTORY_TENANT. BASE_ERR_NOMEM: both as before. */
int arda_directory_add_stored(struct base_buf *args, unsigned *argc,
                              const struct arda_directory_line *line);
/* Fills the line's value, from a hash's text or from all fields of a hash (pairs of name and
 * value). BASE_ERR_SYNTAX with the reason, BASE_ERR_NOMEM. */
int arda_directory_take_text(struct arda_directory_line *line, const char *text, size_t len,
                             struct base_why *why);
int arda_directory_take_fields(struct arda_directory_line *line, const redisReply *hash,
                               struct base_why *why);

#endif
