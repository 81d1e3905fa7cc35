/* SPDX-License-Identifier: ISC
 *
 * directory_script: the scripts of a step that changes the directory, and how a tenant's version is
 * raised. Shared by the writers of the directory; nobody else includes this. Threads: any.
 *
 * A step is one MULTI: `open`, commands that store or remove, `close`. What changes something sets
 * PREFIX:changed:TENANT, and `close` raises the version if that is there, once, and removes it. So
 * no version comes without a change, and a step may be as long as it takes.
 */
#ifndef ARDA_DIRECTORY_SCRIPT_H
#define ARDA_DIRECTORY_SCRIPT_H

/* Of a Lua script that has `call`: a function that raises the counter in a key and returns 0, or 1
 * if there was no positive number, which `arda_directory_state` cannot tell from others, either.
 * That begins again with the time in microseconds, which no copy can have seen. */
#define DIRECTORY_RAISE_LUA                                                                        \
    "local function raise(version)\n"                                                              \
    "  local number = redis.pcall('INCR', version)\n"                                              \
    "  if type(number) == 'number' and number > 0 then return 0 end\n"                             \
    "  local now = call('TIME')\n"                                                                 \
    "  call('SET', version, string.format('%d%06d', now[1], now[2]))\n"                            \
    "  return 1\n"                                                                                 \
    "end\n"

/* ARGV: prefix, tenant, then the families that are set aside, whose entries `close` compares. Makes
 * the tenant known. */
extern const char directory_open_script[];
/* ARGV: prefix, tenant, family, then names and values, of which the later one of a name counts. An
 * empty value is the same as none. */
extern const char directory_put_hash_script[];
/* ARGV: prefix, tenant, family, then members. */
extern const char directory_put_set_script[];
/* ARGV: prefix, tenant, family, command, id; without an id the command removes the key. */
extern const char directory_remove_script[];
/* ARGV: prefix, tenant, then the families of which all is removed; and the tenant is not known any
 * more. */
extern const char directory_remove_tenant_script[];
/* ARGV: prefix, tenant, then the families that `open` has set aside. The answer: 1 if something has
 * changed, and 1 if the version could not be read and begins again. */
extern const char directory_close_script[];

#endif
