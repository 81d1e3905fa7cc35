-- SPDX-License-Identifier: ISC
--
-- delivery_attend: announces which channels a daemon takes deliveries of, with keys that
-- expire.
--
-- Called: by arda_delivery_attend, every few seconds.
--
-- KEYS: none
-- ARGV:
--   1   prefix   text  of all keys
--   2   life     text  for how many milliseconds this holds
--   3   name     text  of the daemon
--   4+  channel  text  "email" or "webhook"
--   5+  taken    flag  1: the daemon takes deliveries of it
--   6+  why      text  why it does not, or ""
--
-- Result: {0, 0}.

local prefix = ARGV[1]
local life = ARGV[2]
local name = ARGV[3]
-- Prelude: key

for at = 4, #ARGV, 3 do
  local channel, taken, why = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if taken == '1' then
    redis.call('SET', key('attended', channel), name, 'PX', life)
  elseif why ~= '' then
    redis.call('SET', key('left', channel), why, 'PX', life)
  end
end
return {0, 0}
