-- SPDX-License-Identifier: ISC
--
-- delivery_facts: reads what explains the state of a delivery.
--
-- Called: by arda_delivery_facts.
--
-- KEYS: none
-- ARGV:
--   1  prefix        text  of all keys
--   2  tenant        id    the tenant
--   3  event         id    the event, or ""
--   4  user          id    the user, or ""
--   5  notification  id    the notification, or ""
--
-- Result: {1 for a shadow tenant, 1 if the event was handled, text of the event, row, then of
--     the endpoint: failures, failingSince, openUntil, pause, spareUntil, disabledAt,
--     disabledWhy}; what there is not is nil.

local prefix = ARGV[1]
local tenant = ARGV[2]
local event = ARGV[3]
local user = ARGV[4]
local notification = ARGV[5]
-- Prelude: call, key

local facts = {call('SISMEMBER', prefix .. ':shadows', tenant),
  call('EXISTS', key('handled', tenant) .. ':' .. event),
  call('GET', key('cause', tenant) .. ':' .. event),
  call('HGET', key('rows', tenant) .. ':' .. user, notification)}
local endpoint = call('HMGET', key('endpoint', tenant), 'failures', 'failingSince', 'openUntil',
  'pause', 'spareUntil', 'disabledAt', 'disabledWhy')
for i = 1, 7 do facts[4 + i] = endpoint[i] end
return facts
