-- SPDX-License-Identifier: ISC
--
-- delivery_count: counts what is pending. A lane of an open circuit has nothing that may go
-- out. What is of another type counts as nothing.
--
-- Called: by arda_delivery_count, for metrics.
--
-- KEYS: none
-- ARGV:
--   1  prefix  text   of all keys
--   2  now     count  the time in milliseconds
--
-- Result: {pending, open circuits, since when the oldest is due or -1, of e-mails what is due
--     and no daemon takes, since when the oldest of these is due or -1, the same two of
--     webhooks}, times in milliseconds.

local prefix = ARGV[1]
local now = tonumber(ARGV[2])
-- Prelude: call, key, is_unattended
local pending, circuits, oldest = 0, 0, -1
local left = {email = {0, -1}, webhook = {0, -1}}
for channel, counts in pairs(left) do counts.on = is_unattended(channel) end

local function earlier(since, than) return than < 0 or since < than end

for _, lane in ipairs(call('ZRANGE', prefix .. ':due', 0, 9999)) do
  pending = pending + (tonumber(redis.pcall('ZCARD', key('due', lane))) or 0)
  local tenant, channel = string.match(lane, '^(.*):([^:]*)$')
  local open, counts = 0, left[channel]
  if channel == 'webhook' then
    open = tonumber(redis.pcall('HGET', key('endpoint', tenant), 'openUntil') or 0) or 0
  end
  if open > now then circuits = circuits + 1 end
  local first = redis.pcall('ZRANGE', key('due', lane), 0, 0, 'WITHSCORES')
  local since = tonumber(first[2])
  if open <= now and since and since <= now then
    if earlier(since, oldest) then oldest = since end
    if counts and counts.on then
      counts[1] = counts[1] + call('ZCOUNT', key('due', lane), '-inf', now)
      if earlier(since, counts[2]) then counts[2] = since end
    end
  end
end
return {pending, circuits, oldest, left.email[1], left.email[2], left.webhook[1],
  left.webhook[2]}
