-- SPDX-License-Identifier: ISC
--
-- directory_open: begins a step that changes the directory: makes the tenant known.
--
-- Called: in the MULTI of such a step, first.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3+  family  text  a family of keys whose entries are set aside, for `directory_close` to
--                     compare
--
-- Result: 1 if the tenant was not known, or 0.

local prefix = ARGV[1]
local tenant = ARGV[2]
-- Prelude: call, key, former, note

for at = 3, #ARGV do
  local name, aside = key(ARGV[at], tenant), former(ARGV[at])
  call('UNLINK', aside)
  if call('EXISTS', name) == 1 then call('RENAME', name, aside) end
end
return note(call('SADD', prefix .. ':tenants', tenant))
