-- SPDX-License-Identifier: ISC
--
-- delivery_hold: puts an e-mail off, alone or as a part of a digest.
--
-- Called: by arda_delivery_hold, for an e-mail in quiet hours or of a user who wants digests.
--
-- KEYS: none
-- ARGV:
--   1   prefix     text   of all keys
--   2   tenant     id     the tenant
--   3   id         id     of the delivery
--   4   lease      id     under which it was claimed
--   5   till       text   until when it is put off, in milliseconds
--   6   till_iso   time   the same for a person
--   7   now        text   the time in milliseconds
--   8   iso        time   the same for a person
--   9   schedule   text   of the digest that it goes with, or "": it stays alone
--   10  made       id     of the digest that is made if there is none open
--   11  items_max  count  how many notifications a digest has at most
--
-- Result: {1 if the lease had ended, 0}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local id = ARGV[3]
local lease = ARGV[4]
local till = ARGV[5]
local till_iso = ARGV[6]
local now = ARGV[7]
local iso = ARGV[8]
local schedule = ARGV[9]
local made = ARGV[10]
local items_max = tonumber(ARGV[11])
-- Prelude: call, key, rescore

local lane = tenant .. ':email'
local lane_key, records = key('due', lane), key('delivery', tenant) .. ':'
local record = records .. id
local had = call('HMGET', record, 'status', 'lease', 'userId', 'type')
if had[1] ~= 'pending' or had[2] ~= lease then return {1, 0} end
local user, kind = had[3] or '', had[4] or ''

local function open_digest()
  local pointer = key('digesting', tenant) .. ':' .. user .. ':' .. schedule
  local digest = call('GET', pointer)
  if digest then
    local open = call('HMGET', records .. digest, 'status', 'items')
    if open[1] == 'pending' and (tonumber(open[2] or 0) or 0) < items_max then return digest end
  end
  call('HSET', records .. made, 'id', made, 'tenantId', tenant, 'notificationId', '',
    'userId', user, 'channel', 'email', 'type', kind, 'status', 'pending', 'attemptCount', 0,
    'createdAt', iso, 'updatedAt', iso, 'items', 0, 'schedule', schedule,
    'heldUntil', till_iso, 'nextAttemptAt', till_iso)
  call('ZADD', key('deliveries', tenant), now, made)
  call('ZADD', lane_key, till, made)
  call('SET', pointer, made)
  return made
end

call('HDEL', record, 'lease', 'nextAttemptAt')
call('HSET', record, 'heldUntil', till_iso, 'updatedAt', iso)
if schedule == '' then
  call('HSET', record, 'nextAttemptAt', till_iso)
  call('ZADD', lane_key, till, id)
else
  local digest = open_digest()
  local created = call('ZSCORE', key('deliveries', tenant), id) or now
  call('ZADD', key('digest-items', tenant) .. ':' .. digest, created, id)
  call('HINCRBY', records .. digest, 'items', 1)
  call('HSET', record, 'digestId', digest)
  call('ZREM', lane_key, id)
end
rescore(lane)
return {0, 0}
