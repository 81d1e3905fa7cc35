-- SPDX-License-Identifier: ISC
--
-- notify_intake: takes entries from several streams for a member of the consumer group. It
-- gives a sign of life, makes groups that are missing, sees what was trimmed, takes over what
-- is pending for dead daemons, and reads on.
--
-- A lost group begins an hour before where it was: what was pending in it is read again, and
-- what has been handled is known for a day.
--
-- The hash of positions has for each tenant the last entry that was given to any daemon, and
-- how many there had ever been by then, which shows what was trimmed in between. Redis 7 counts
-- that too, in `entries-read` of a group, but passes over a gap without counting it, and after
-- it has loaded its file the figure is too low; where it is wrong, it is put right.
--
-- Called: by arda_intake_take, whenever a daemon has room for entries, and as its sign of life.
--
-- KEYS: none
-- ARGV:
--   1   prefix   text   of all keys
--   2   me       text   the consumer
--   3   limit    count  how many entries of each stream to take at most
--   4   dead_ms  count  how long after its last sign of life a daemon is dead
--   5   start    text   the id of the entry after which groups begin
--   6+  tenant   id     whose stream to take from
--   7+  orphans  flag   1: what is pending for us is an orphan
--
-- Result: {other daemons alive, before when daemons are dead in ms or "0", answers}; of each
--     stream {"none"}, {text of an error}, or {"ok", 1 if there is more, entries missed,
--     entries gone, entries taken over, entries}.

local prefix = ARGV[1]
local me = ARGV[2]
local limit = tonumber(ARGV[3])
local dead_ms = tonumber(ARGV[4])
local start = ARGV[5]
-- Prelude: call, clock_ms
local group, hour = 'notifyd', 3600000
local daemons, places = prefix .. ':notifyd:daemons', prefix .. ':notifyd:positions'
local now = clock_ms()

local function text(number) return string.format('%.0f', number) end
local function ms_of(id) return tonumber(string.match(id, '^%d+')) end
local function named(list)
  local of = {}
  for i = 1, #list, 2 do of[list[i]] = list[i + 1] end
  return of
end

call('SET', prefix .. ':notifyd:start', start, 'NX')
call('ZADD', daemons, now, me)
local alive, living = {}, 0
local last_sign = now - dead_ms
for _, name in ipairs(call('ZRANGEBYSCORE', daemons, text(last_sign), '+inf')) do
  alive[name], living = true, living + 1
end
local dead = call('ZCOUNT', daemons, '-inf', '(' .. text(last_sign)) > 0

local function place_of(tenant)
  local place = call('HGET', places, tenant) or ''
  return string.match(place, '^%d+%-%d+'), tonumber(string.match(place, ' (%d+)$'))
end
local function set_place(tenant, id, count)
  call('HSET', places, tenant, count and id .. ' ' .. text(count) or id)
end
-- Returns how many entries there had been before its first one, if that is known.
local function make_group(key, tenant)
  local from, was, count = start, place_of(tenant)
  if was and ms_of(was) - hour > ms_of(start) then from = text(ms_of(was) - hour) .. '-0' end
  call('XGROUP', 'CREATE', key, group, from)
  if was then return count end
  return #call('XRANGE', key, '-', from, 'COUNT', 1) == 0 and 0 or nil
end
-- After reading: what was missed, with `count` entries before.
local function find_gap(key, tenant, got, count)
  local stream = named(call('XINFO', 'STREAM', key))
  local added, first, last = stream['entries-added'], stream['first-entry'], got[#got][1]
  if not added then return set_place(tenant, last) end
  local trimmed, missed = added - stream.length, nil
  if first and first[1] == got[1][1] then
    if count and trimmed > count then missed = trimmed - count end
    count = trimmed
  end
  if last == stream['last-generated-id'] then
    count = added
  elseif count then
    count = count + #got
  end
  set_place(tenant, last, count)
  return missed
end
-- There was nothing to read, but Redis reports a lag of the group: everything was trimmed, or
-- Redis is mistaken.
local function catch_up(key, tenant, mine, count)
  local stream = named(call('XINFO', 'STREAM', key))
  local added, last, missed = stream['entries-added'], stream['last-generated-id'], nil
  if not added then return nil end
  if mine['last-delivered-id'] ~= last then
    missed = count and added > count and added - count or nil
    set_place(tenant, last, added)
  end
  call('XGROUP', 'SETID', key, group, last, 'ENTRIESREAD', added)
  return missed
end
-- What is pending for the dead.
local function take_over(key, orphans, entries)
  local gone, more = 0, 0
  for _, owner in ipairs(call('XPENDING', key, group)[4] or {}) do
    local name, room = owner[1], limit - #entries
    if (name == me and orphans) or (name ~= me and not alive[name]) then
      local ids = {}
      if room > 0 then
        for _, one in ipairs(call('XPENDING', key, group, '-', '+', room, name)) do
          ids[#ids + 1] = one[1]
        end
      end
      if #ids < tonumber(owner[2]) then more = 1 end
      if #ids > 0 then
        local found = {}
        for _, entry in ipairs(call('XCLAIM', key, group, me, 0, unpack(ids))) do
          if entry then
            found[entry[1]] = true
            entries[#entries + 1] = entry
          end
        end
        for _, id in ipairs(ids) do
          if not found[id] then
            call('XACK', key, group, id)
            gone = gone + 1
          end
        end
      end
    end
  end
  return gone, more
end

local function dismiss(key)
  for _, one in ipairs(call('XINFO', 'CONSUMERS', key, group)) do
    one = named(one)
    if one.pending == 0 and one.name ~= me and not alive[one.name] then
      call('XGROUP', 'DELCONSUMER', key, group, one.name)
    end
  end
end

local function visit(tenant, orphans)
  local key = prefix .. ':stream:' .. tenant
  local groups = redis.pcall('XINFO', 'GROUPS', key)
  if groups.err then
    if string.find(groups.err, 'no such key', 1, true) then return {'none'} end
    return {groups.err}
  end
  local mine, entries, missed, gone, more, count = nil, {}, nil, 0, 0, nil
  for _, one in ipairs(groups) do
    one = named(one)
    if one.name == group then mine = one end
  end
  if mine then
    if mine.pending > 0 then gone, more = take_over(key, orphans, entries) end
    if mine.consumers > living then dismiss(key) end
    count = select(2, place_of(tenant))
  else
    count = make_group(key, tenant)
  end
  local taken_over, room = #entries, limit - #entries
  if room == 0 then more = 1 end
  if more == 0 then
    local got = call('XREADGROUP', 'GROUP', group, me, 'COUNT', room,
      'STREAMS', key, '>')
    got = got and got[1][2] or {}
    for _, entry in ipairs(got) do entries[#entries + 1] = entry end
    if #got > 0 then
      missed = find_gap(key, tenant, got, count)
      if #got == room then more = 1 end
    elseif mine and mine.lag ~= 0 then
      missed = catch_up(key, tenant, mine, count)
    end
  end
  return {'ok', more, missed or 0, gone, taken_over, entries}
end

local answers = {}
for at = 6, #ARGV, 2 do
  local done, answer = pcall(visit, ARGV[at], ARGV[at + 1] == '1')
  if not done then answer = {type(answer) == 'table' and answer.err or tostring(answer)} end
  answers[#answers + 1] = answer
end
return {living - 1, dead and text(last_sign) or '0', answers}
