-- SPDX-License-Identifier: ISC
--
-- inbox_change: marks or removes rows by their ids.
--
-- Called: by arda_inbox_change with ids.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3   user    id    the user
--   4   change  text  "read", "unread" or "rm"
--   5   iso     time  now for a person
--   6+  id      id    a row to change
--
-- Result: {how many rows have changed, ids of which there is no row}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local user = ARGV[3]
local change = ARGV[4]
local iso = ARGV[5]
-- Prelude: call, key
local owner = tenant .. ':' .. user
local inbox, unread, rows = key('inbox', owner), key('unread', owner), key('rows', owner)
local changed, unknown = 0, {}

for at = 6, #ARGV do
  local id = ARGV[at]
  local score = call('ZSCORE', inbox, id)
  if not score then
    unknown[#unknown + 1] = id
  elseif change == 'rm' then
    call('ZREM', unread, id)
    call('HDEL', rows, id, id .. '.read')
    changed = changed + call('ZREM', inbox, id)
  elseif change == 'read' and call('ZREM', unread, id) == 1 then
    call('HSET', rows, id .. '.read', iso)
    changed = changed + 1
  elseif change == 'unread' and call('ZADD', unread, score, id) == 1 then
    call('HDEL', rows, id .. '.read')
    changed = changed + 1
  end
end
return {changed, unknown}
