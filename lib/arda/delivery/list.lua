-- SPDX-License-Identifier: ISC
--
-- delivery_list: reads or counts records from the newest to the oldest, in steps: each looks at
-- a thousand records at most, because a script holds up everybody.
--
-- Called: by arda_delivery_list and arda_delivery_tally, again until there are no more.
--
-- KEYS: none
-- ARGV:
--   1    prefix        text   of all keys
--   2    tenant        id     the tenant
--   3    limit         count  how many records, or "": they are counted instead
--   4    since         count  only those since this time in milliseconds, or "": all
--   5    before        text   only those before this time in milliseconds, or "": all
--   6    at            id     the last record that was looked at, or "": begin with the newest
--   7    at_score      text   its time in milliseconds
--   8    statuses      text   the wanted ones, with a bar before and after each, or "": all
--   9    channel       text   the wanted one, or "": all
--   10   user          id     the wanted one, or "": all
--   11   type_name     text   the wanted one, or "": all
--   12   event         text   the wanted one, or "": all
--   13   notification  id     the wanted one, or "": all
--   14+  field         text   a field of the records
--
-- Result: {1 if there may be more, position: id, its score, records as delivery_get gives them,
--     or {status, count}}; "unattended" counts what is due although no daemon takes it.

local prefix = ARGV[1]
local tenant = ARGV[2]
local limit = tonumber(ARGV[3])
local since = tonumber(ARGV[4])
local before = ARGV[5]
local at = ARGV[6]
local at_score = ARGV[7]
local statuses = ARGV[8]
local channel = ARGV[9]
local user = ARGV[10]
local type_name = ARGV[11]
local event = ARGV[12]
local notification = ARGV[13]
-- Prelude: call, key, clock_ms, is_unattended, why_unattended, obstacle, read_record, less
local fields = {unpack(ARGV, 14)}
fields[#fields + 1], fields[#fields + 2] = 'channel', 'status'
local SCANNED = 1000
local wanted = {channel, user, type_name, event, notification}
local counts = {}
local all, records, start = key('deliveries', tenant), key('delivery', tenant) .. ':', 0

local function rank_of_position()
  local rank = call('ZREVRANK', all, at)
  if rank then return rank + 1 end
  rank = call('ZCOUNT', all, '(' .. at_score, '+inf')
  for _, id in ipairs(call('ZREVRANGEBYSCORE', all, at_score, at_score)) do
    if not less(id, at) then rank = rank + 1 end
  end
  return rank
end

local function passes(id)
  local had = call('HMGET', records .. id, 'channel', 'userId', 'type', 'cause',
    'notificationId', 'status')
  for i = 1, 5 do
    if wanted[i] ~= '' and wanted[i] ~= had[i] then return false end
  end
  if statuses == '' then return true, had[6], had[1] end
  local bars = '|' .. (had[6] or '') .. '|'
  return string.find(statuses, bars, 1, true) ~= nil, had[6], had[1]
end

local function tally(id, status, of_channel)
  counts[status] = (counts[status] or 0) + 1
  if status ~= 'pending' or not why_unattended(of_channel) then return end
  local score = call('ZSCORE', key('due', tenant) .. ':' .. of_channel, id)
  if obstacle(of_channel, status, score) then
    counts.unattended = (counts.unattended or 0) + 1
  end
end

if at ~= '' then start = rank_of_position()
elseif before ~= '' then start = call('ZCOUNT', all, before, '+inf') end
local ids = call('ZREVRANGE', all, start, start + SCANNED - 1, 'WITHSCORES')
local more, found = #ids == 2 * SCANNED, {}
for i = 1, #ids, 2 do
  local id, score = ids[i], ids[i + 1]
  if since and tonumber(score) < since then
    more = false
    break
  end
  at, at_score = id, score
  local good, status, of_channel = passes(id)
  if good and not limit then
    tally(id, status or '', of_channel or '')
  elseif good then
    found[#found + 1] = read_record(tenant, id, fields)
    found[#found][1] = id
    if #found == limit then
      more = i + 2 <= #ids or more
      break
    end
  end
end
for status, count in pairs(counts) do found[#found + 1] = {status, count} end
return {more and 1 or 0, at, at_score, found}
