/* SPDX-License-Identifier: ISC
 *
 * What is stored is compared with what is there, by Redis, where nothing can come in between. Of a
 * tenant that is replaced the former entries are set aside under other names, the new ones are
 * stored, and both are compared at the end; that costs no more than finding out which of the former
 * ones have to go.
 */
#include "arda/directory_script.h"

#define HEAD                                                                                       \
    "local call, prefix, tenant = redis.call, ARGV[1], ARGV[2]\n"                                  \
    "local function key(family) return prefix .. ':' .. family .. ':' .. tenant end\n"             \
    "local function note(count)\n"                                                                 \
    "  if count > 0 then call('SET', key('changed'), 1) end\n"                                     \
    "  return count\n"                                                                             \
    "end\n"
#define FORMER "local function former(family) return key('former') .. ':' .. family end\n"

const char directory_open_script[] =
    HEAD FORMER "for i = 3, #ARGV do\n"
                "  call('UNLINK', former(ARGV[i]))\n"
                "  if call('EXISTS', key(ARGV[i])) == 1 then\n"
                "    call('RENAME', key(ARGV[i]), former(ARGV[i]))\n"
                "  end\n"
                "end\n"
                "return note(call('SADD', prefix .. ':tenants', tenant))\n";

/* Once something has changed there is nothing to find out any more. What was there already may be
 * stored again. */
const char directory_put_hash_script[] =
    HEAD "local name = key(ARGV[3])\n"
         "if call('EXISTS', key('changed')) == 0 then\n"
         "  local names, wrong = {}, {}\n"
         "  for i = 4, #ARGV, 2 do names[#names + 1] = ARGV[i] end\n"
         "  local had = call('HMGET', name, unpack(names))\n"
         "  for i = 1, #names do\n"
         "    if (had[i] or '') ~= ARGV[3 + 2 * i] then\n"
         "      wrong[names[i]] = true\n"
         "    elseif wrong[names[i]] then\n"
         "      wrong[names[i]] = nil\n"
         "    end\n"
         "  end\n"
         "  if not next(wrong) then return 0 end\n"
         "end\n"
         "call('HSET', name, unpack(ARGV, 4))\n"
         "return note(1)\n";

const char directory_put_set_script[] =
    HEAD "return note(call('SADD', key(ARGV[3]), unpack(ARGV, 4)))\n";

const char directory_remove_script[] =
    HEAD "if ARGV[5] then return note(call(ARGV[4], key(ARGV[3]), ARGV[5])) end\n"
         "return note(call(ARGV[4], key(ARGV[3])))\n";

const char directory_remove_tenant_script[] =
    HEAD "local count = call('SREM', prefix .. ':tenants', tenant)\n"
         "for i = 3, #ARGV do count = count + call('UNLINK', key(ARGV[i])) end\n"
         "return note(count)\n";

const char directory_close_script[] = HEAD DIRECTORY_RAISE_LUA FORMER
    "local function same_hash(now, was)\n"
    "  if call('HLEN', now) ~= call('HLEN', was) then return false end\n"
    "  local all = call('HGETALL', was)\n"
    "  for at = 1, #all, 2000 do\n"
    "    local names = {}\n"
    "    for i = at, math.min(at + 1999, #all), 2 do names[#names + 1] = all[i] end\n"
    "    local values = call('HMGET', now, unpack(names))\n"
    "    for i = 1, #names do\n"
    "      if values[i] ~= all[at + 2 * i - 1] then return false end\n"
    "    end\n"
    "  end\n"
    "  return true\n"
    "end\n"
    "local function same(now, was)\n"
    "  local kind = call('TYPE', was).ok\n"
    "  if call('TYPE', now).ok ~= kind then return false end\n"
    "  if kind == 'hash' then return same_hash(now, was) end\n"
    "  return kind == 'none' or kind == 'set' and call('SCARD', now) == call('SCARD', was) and\n"
    "    #call('SDIFF', was, now) == 0\n"
    "end\n"
    "local changed = call('DEL', key('changed'))\n"
    "for i = 3, #ARGV do\n"
    "  if changed == 0 and not same(key(ARGV[i]), former(ARGV[i])) then changed = 1 end\n"
    "  call('UNLINK', former(ARGV[i]))\n"
    "end\n"
    "return {changed, changed == 1 and raise(key('version')) or 0}\n";
