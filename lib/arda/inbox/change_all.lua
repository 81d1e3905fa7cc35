-- SPDX-License-Identifier: ISC
--
-- inbox_change_all: marks rows from the oldest on in steps of a thousand, or removes all at
-- once.
--
-- What is marked as read leaves the list of unread ones, and so does what is there without a
-- row. Of rows marked as unread the position tells how far it has come, also if that row has
-- been removed meanwhile: then those of its time are looked at again.
--
-- Called: by arda_inbox_change without ids, again until the last part of the result is "".
--
-- KEYS: none
-- ARGV:
--   1  prefix    text  of all keys
--   2  tenant    id    the tenant
--   3  user      id    the user
--   4  change    text  "read", "unread" or "rm"
--   5  iso       time  now for a person
--   6  till      text  time of the newest row at the beginning, or "": this is the first step
--   7  at_score  text  time of the last row that was looked at
--   8  at        id    that row, or "": the first step
--
-- Result: {how many rows there are, how many have changed, and the last three arguments of the
--     next step}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local user = ARGV[3]
local change = ARGV[4]
local iso = ARGV[5]
local till = ARGV[6]
local at_score = ARGV[7]
local at = ARGV[8]
-- Prelude: call, key
local owner = tenant .. ':' .. user
local inbox, unread, rows = key('inbox', owner), key('unread', owner), key('rows', owner)
local count, changed, start = call('ZCARD', inbox), 0, 0

if change == 'rm' then
  call('UNLINK', inbox, unread, rows)
  return {count, count, '', '', ''}
end
if till == '' then
  till = call('ZRANGE', inbox, -1, -1, 'WITHSCORES')[2]
  if not till then return {0, 0, '', '', ''} end
end
if change == 'unread' and at ~= '' then
  start = call('ZRANK', inbox, at)
  start = start and start + 1 or call('ZCOUNT', inbox, '-inf', '(' .. at_score)
end
local list = change == 'read' and unread or inbox
local found = call('ZRANGE', list, start, start + 999, 'WITHSCORES')
local ids, more = {}, #found == 2000
for i = 1, #found, 2 do
  if tonumber(found[i + 1]) > tonumber(till) then
    more = false
    break
  end
  ids[#ids + 1], at, at_score = found[i], found[i], found[i + 1]
end
if #ids == 0 then return {count, 0, till, at_score, ''} end
local fields, values, scores = {}, {}, call('ZMSCORE', inbox, unpack(ids))
for i, id in ipairs(ids) do
  if scores[i] then
    fields[#fields + 1] = id .. '.read'
    values[#values + 1] = change == 'read' and id .. '.read' or scores[i]
    values[#values + 1] = change == 'read' and iso or id
  end
end
if change == 'read' then
  call('ZREM', unread, unpack(ids))
  if #values > 0 then call('HSET', rows, unpack(values)) end
  changed = #fields
else
  changed = call('ZADD', unread, unpack(values))
  call('HDEL', rows, unpack(fields))
end
return {count, changed, till, at_score, more and at or ''}
