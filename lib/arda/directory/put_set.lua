-- SPDX-License-Identifier: ISC
--
-- directory_put_set: stores members of a set.
--
-- Called: in the MULTI of a step.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3   family  text  of the key that is changed
--   4+  member  text  a member of the set
--
-- Result: how many were not there before.

local prefix = ARGV[1]
local tenant = ARGV[2]
local family = ARGV[3]
-- Prelude: call, key, note

return note(call('SADD', key(family, tenant), unpack(ARGV, 4)))
