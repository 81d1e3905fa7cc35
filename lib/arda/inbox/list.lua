-- SPDX-License-Identifier: ISC
--
-- inbox_list: reads rows from the newest to the oldest. One row more than asked for shows
-- whether there are more. Ids are compared by bytes, as Redis sorts them, which the operator of
-- Lua does not do in every locale.
--
-- Called: by arda_inbox_list.
--
-- KEYS: none
-- ARGV:
--   1  prefix       text   of all keys
--   2  tenant       id     the tenant
--   3  user         id     the user
--   4  limit        count  how many rows
--   5  before       id     the row after which to begin, or "": with the newest
--   6  unread_only  flag   1: unread rows only
--
-- Result: {1 if there are more, a row and the time of its reading for each id, ids}, or
--     "unknown": there is no row to begin after.

local prefix = ARGV[1]
local tenant = ARGV[2]
local user = ARGV[3]
local limit = tonumber(ARGV[4])
local before = ARGV[5]
local unread_only = ARGV[6] == '1'
-- Prelude: key, less
local owner = tenant .. ':' .. user
local list, ids = key(unread_only and 'unread' or 'inbox', owner), {}

limit = limit + 1
if before == '' then
  ids = redis.call('ZREVRANGE', list, 0, limit - 1)
else
  local score = redis.call('ZSCORE', key('inbox', owner), before)
  if not score then return 'unknown' end
  for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', list, score, score)) do
    if #ids < limit and less(id, before) then ids[#ids + 1] = id end
  end
  local rest = redis.call('ZREVRANGEBYSCORE', list, '(' .. score, '-inf', 'LIMIT', 0,
    limit - #ids)
  for _, id in ipairs(rest) do ids[#ids + 1] = id end
end
local more = #ids == limit
if more then ids[limit] = nil end
if #ids == 0 then return {0, {}, {}} end
local fields = {}
for i, id in ipairs(ids) do
  fields[2 * i - 1], fields[2 * i] = id, id .. '.read'
end
return {more and 1 or 0, redis.call('HMGET', key('rows', owner), unpack(fields)), ids}
