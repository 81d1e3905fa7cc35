-- SPDX-License-Identifier: ISC
--
-- delivery_alerted: removes the note that a tenant's endpoint was disabled, unless there is
-- another one meanwhile.
--
-- Called: by arda_delivery_alerted, when the tenant has been notified.
--
-- KEYS: none
-- ARGV:
--   1  prefix  text  of all keys
--   2  tenant  id    the tenant
--   3  since   text  when the endpoint was disabled, in milliseconds
--
-- Result: {0, 0}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local since = ARGV[3]

local notes = prefix .. ':disabled'
local note = redis.call('HGET', notes, tenant)
if note and string.match(note, '^%d+') == since then redis.call('HDEL', notes, tenant) end
return {0, 0}
