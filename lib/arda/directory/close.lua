-- SPDX-License-Identifier: ISC
--
-- directory_close: ends a step: raises the tenant's version if something has changed.
--
-- Called: in the MULTI of a step, last.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3+  family  text  a family of keys that `directory_open` has set aside
--
-- Result: {1 if something has changed, 1 if the version could not be read and begins again}.

local prefix = ARGV[1]
local tenant = ARGV[2]
-- Prelude: call, key, former, raise

local function same_hash(now, was)
  if call('HLEN', now) ~= call('HLEN', was) then return false end
  local all = call('HGETALL', was)
  for first = 1, #all, 2000 do
    local names = {}
    for i = first, math.min(first + 1999, #all), 2 do names[#names + 1] = all[i] end
    local values = call('HMGET', now, unpack(names))
    for i = 1, #names do
      if values[i] ~= all[first + 2 * i - 1] then return false end
    end
  end
  return true
end

local function same(now, was)
  local kind = call('TYPE', was).ok
  if call('TYPE', now).ok ~= kind then return false end
  if kind == 'hash' then return same_hash(now, was) end
  return kind == 'none' or kind == 'set' and call('SCARD', now) == call('SCARD', was) and
    #call('SDIFF', was, now) == 0
end

local changed = call('DEL', key('changed', tenant))
for at = 3, #ARGV do
  if changed == 0 and not same(key(ARGV[at], tenant), former(ARGV[at])) then changed = 1 end
  call('UNLINK', former(ARGV[at]))
end
return {changed, changed == 1 and raise(key('version', tenant)) or 0}
