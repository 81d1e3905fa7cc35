-- SPDX-License-Identifier: ISC
--
-- notify_start: sets and reads where groups of consumers begin that are made later. At first
-- that is the present millisecond.
--
-- Called: by arda_intake_start, once when a daemon starts.
--
-- KEYS: none
-- ARGV:
--   1  prefix  text  of all keys
--   2  since   text  where to begin from now on, an id of an entry, or "": where it was said
--                    before, else now
--
-- Result: the id of an entry.

local prefix = ARGV[1]
local since = ARGV[2]
-- Prelude: clock_ms
local start = prefix .. ':notifyd:start'

if since ~= '' then
  redis.call('SET', start, since)
  return since
end
redis.call('SET', start, string.format('%.0f-18446744073709551615', clock_ms() - 1), 'NX')
return redis.call('GET', start)
