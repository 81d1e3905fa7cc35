-- SPDX-License-Identifier: ISC
--
-- delivery_release: gives a delivery back that was claimed and not attempted.
--
-- Called: by arda_delivery_release.
--
-- KEYS: none
-- ARGV:
--   1  prefix   text  of all keys
--   2  tenant   id    the tenant
--   3  channel  text  "email" or "webhook"
--   4  id       id    of the delivery
--   5  lease    id    under which it was attempted
--   6  due      text  when it is due again, in milliseconds
--   7  due_iso  time  the same for a person
--
-- Result: {1 if the lease had ended, 0}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local channel = ARGV[3]
local id = ARGV[4]
local lease = ARGV[5]
local due = ARGV[6]
local due_iso = ARGV[7]
-- Prelude: call, key, rescore

local lane, endpoint = tenant .. ':' .. channel, key('endpoint', tenant)
local record = key('delivery', tenant) .. ':' .. id
if channel == 'webhook' and call('HGET', endpoint, 'single') == id then
  call('HDEL', endpoint, 'single', 'singleUntil')
end
if call('HGET', record, 'lease') ~= lease then return {1, 0} end
call('HDEL', record, 'lease')
call('HSET', record, 'nextAttemptAt', due_iso)
call('ZADD', key('due', lane), due, id)
rescore(lane)
return {0, 0}
