-- SPDX-License-Identifier: ISC
--
-- directory_put_hash: stores fields of a hash. Of a name that comes twice the later value
-- counts, and once something has changed there is nothing to find out any more.
--
-- Called: in the MULTI of a step.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3   family  text  of the key that is changed
--   4+  name    text  a field of the hash
--   5+  value   text  its value; an empty one is the same as none
--
-- Result: 1 if something has changed, or 0.

local prefix = ARGV[1]
local tenant = ARGV[2]
local family = ARGV[3]
-- Prelude: call, key, note
local hash = key(family, tenant)

if call('EXISTS', key('changed', tenant)) == 0 then
  local names, wrong = {}, {}
  for at = 4, #ARGV, 2 do names[#names + 1] = ARGV[at] end
  local had = call('HMGET', hash, unpack(names))
  for i = 1, #names do
    local at = 2 + 2 * i
    if (had[i] or '') ~= ARGV[at + 1] then
      wrong[names[i]] = true
    elseif wrong[names[i]] then
      wrong[names[i]] = nil
    end
  end
  if not next(wrong) then return 0 end
end
call('HSET', hash, unpack(ARGV, 4))
return note(1)
