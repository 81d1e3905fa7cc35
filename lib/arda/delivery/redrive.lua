-- SPDX-License-Identifier: ISC
--
-- delivery_redrive: makes a delivery due again, whatever its status, unless it is being
-- attempted. `heldUntil` tells whoever claims an e-mail that it has been held, so it is set
-- even if it never was.
--
-- Called: by arda_delivery_redrive.
--
-- KEYS: none
-- ARGV:
--   1  prefix  text  of all keys
--   2  tenant  id    the tenant
--   3  id      id    of the delivery
--   4  now_s   text  the time in milliseconds
--   5  iso     time  the same for a person
--
-- Result: "redriven", "under way", "empty": a digest without notifications, or "unknown": there
--     is no such delivery.

local prefix = ARGV[1]
local tenant = ARGV[2]
local id = ARGV[3]
local now_s = ARGV[4]
local iso = ARGV[5]
-- Prelude: call, key, rescore
local now = tonumber(now_s)
local records = key('delivery', tenant) .. ':'
local record = records .. id
local had = call('HMGET', record, 'channel', 'status', 'lease', 'digestId', 'items',
  'heldUntil')
local channel, status, lease, digest, items, held = unpack(had, 1, 6)
if not channel or not status then return 'unknown' end
local lane = tenant .. ':' .. channel
local lane_key = key('due', lane)

local function under_way(one, its_status, its_lease)
  if its_status ~= 'pending' or not its_lease then return false end
  return tonumber(call('ZSCORE', lane_key, one) or 0) > now
end

local function leave_digest()
  local members = key('digest-items', tenant) .. ':' .. digest
  local its = call('HMGET', records .. digest, 'status', 'lease', 'userId', 'schedule')
  if under_way(digest, its[1], its[2]) then return false end
  if call('ZREM', members, id) == 1 and its[1] then
    call('HINCRBY', records .. digest, 'items', -1)
  end
  call('HDEL', record, 'digestId')
  if its[1] == 'pending' and call('EXISTS', members) == 0 then
    local open = key('digesting', tenant) .. ':' .. (its[3] or '') .. ':' .. (its[4] or '')
    if call('GET', open) == digest then call('DEL', open) end
    call('DEL', records .. digest)
    call('ZREM', key('deliveries', tenant), digest)
    call('ZREM', lane_key, digest)
  end
  return true
end

local function revive(name)
  call('HSET', name, 'status', 'pending', 'attemptCount', 0, 'updatedAt', iso)
  call('HDEL', name, 'lease', 'deliveredAt', 'nextAttemptAt')
end

local function revive_items()
  local count = 0
  for _, member in ipairs(call('ZRANGE', key('digest-items', tenant) .. ':' .. id, 0, -1)) do
    if call('HGET', records .. member, 'digestId') == id then
      revive(records .. member)
      count = count + 1
    end
  end
  return count
end

if under_way(id, status, lease) then return 'under way' end
if digest and not leave_digest() then return 'under way' end
if items and revive_items() == 0 then return 'empty' end
revive(record)
call('HSET', record, 'nextAttemptAt', iso)
if channel == 'email' and not held then call('HSET', record, 'heldUntil', iso) end
call('ZADD', lane_key, now_s, id)
rescore(lane)
return 'redriven'
