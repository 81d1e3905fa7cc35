-- SPDX-License-Identifier: ISC
--
-- directory_remove_tenant: removes a tenant with all its entries.
--
-- Called: in the MULTI of a step.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3+  family  text  a family of keys of which all is removed
--
-- Result: how many keys and tenants were there.

local prefix = ARGV[1]
local tenant = ARGV[2]
-- Prelude: call, key, note
local count = call('SREM', prefix .. ':tenants', tenant)

for at = 3, #ARGV do count = count + call('UNLINK', key(ARGV[at], tenant)) end
return note(count)
