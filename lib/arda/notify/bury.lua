-- SPDX-License-Identifier: ISC
--
-- notify_bury: moves an entry that cannot be processed from its consumer group to the dead
-- letters. One that is not pending any more has been moved by another daemon.
--
-- Called: by arda_intake_bury.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3   id      text  of the entry
--   4   reason  text  why it is given up
--   5   bound   text  how many dead letters are kept, about
--   6+  field   text  name, or value, of the fields of the entry in turn
--
-- Result: 1, or 0: it was not pending.

local prefix = ARGV[1]
local tenant = ARGV[2]
local id = ARGV[3]
local reason = ARGV[4]
local bound = ARGV[5]
-- Prelude: key

if redis.call('XACK', key('stream', tenant), 'notifyd', id) == 0 then return 0 end
local letter = {prefix .. ':notifyd:dead', 'MAXLEN', '~', bound, '*', 'reason', reason,
  'tenantId', tenant, 'streamId', id}
for at = 6, #ARGV do letter[#letter + 1] = ARGV[at] end
redis.call('XADD', unpack(letter))
return 1
