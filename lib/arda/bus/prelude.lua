-- SPDX-License-Identifier: ISC
--
-- prelude: what several scripts share. A part is a paragraph of this file, and its name is the one
-- that it declares. `-- Prelude: NAME, NAME` in a script stands for those parts, in the order of
-- this file (embed.awk); a part that uses others does not bring them along. Comments stand in lines
-- of their own, since the parts are joined into one line. Parts use the script's `prefix`, and
-- `tenant` where it is mentioned.

local call = redis.call

-- The name of a key: PREFIX:FAMILY:ID.
local function key(family, id) return prefix .. ':' .. family .. ':' .. id end

-- The time of Redis in milliseconds.
local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Whether an id comes before another one by bytes, as Redis sorts them.
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- Writes the time of a lane's first delivery to PREFIX:due, or removes an empty lane. Uses call,
-- key.
local function rescore(lane)
  local first = call('ZRANGE', key('due', lane), 0, 0, 'WITHSCORES')
  if #first == 0 then call('ZREM', prefix .. ':due', lane)
  else call('ZADD', prefix .. ':due', first[2], lane) end
end

-- The key of what is known of a tenant's endpoint, the mark to write there, and the URL. What is
-- known is forgotten if it is of another URL or secret, or if a disabled endpoint was enabled
-- again. Uses call, key.
local function endpoint_of(tenant)
  local hook = call('HMGET', key('webhook', tenant), 'url', 'secret', 'enabled')
  local mark = redis.sha1hex((hook[1] or '') .. '\n' .. (hook[2] or ''))
  local endpoint = key('endpoint', tenant)
  local known = call('HMGET', endpoint, 'mark', 'disabledAt')
  if (known[1] and known[1] ~= mark) or (known[2] and hook[3] == '1') then
    call('DEL', endpoint)
  end
  return endpoint, mark, hook[1]
end

-- Whether no daemon takes deliveries of a channel. Uses call, key.
local function is_unattended(channel) return call('EXISTS', key('attended', channel)) == 0 end

-- Why no daemon does, or false; asked once per channel. Uses call, key, is_unattended.
local unattended_for = {}
local function why_unattended(channel)
  local plural = {email = 'e-mails', webhook = 'webhooks'}
  if unattended_for[channel] ~= nil or not plural[channel] then return unattended_for[channel] end
  unattended_for[channel] = false
  if is_unattended(channel) then
    local why = call('GET', key('left', channel))
    unattended_for[channel] = 'no daemon takes ' .. plural[channel] .. (why and ': ' .. why or '')
  end
  return unattended_for[channel]
end

-- Why a delivery does not go out although it is due, or false. Uses clock_ms, why_unattended.
local obstacle_ms = clock_ms()
local function obstacle(channel, status, score)
  if status ~= 'pending' or not score or tonumber(score) > obstacle_ms then return false end
  return why_unattended(channel) or false
end

-- The fields of a delivery's record, of which the last two are channel and status. In the place of
-- these, which are among the others, too: the score in its lane and its obstacle. Uses call, key,
-- obstacle.
local function read_record(tenant, id, fields)
  local got = call('HMGET', key('delivery', tenant) .. ':' .. id, unpack(fields))
  local channel, status = got[#got - 1], got[#got]
  local score = call('ZSCORE', key('due', tenant) .. ':' .. (channel or ''), id)
  got[#got - 1], got[#got] = score, obstacle(channel, status, score)
  return got
end

-- Where `directory_open` sets the entries of a family aside. Uses key, tenant.
local function former(family) return key('former', tenant) .. ':' .. family end

-- Notes for `directory_close` that something has changed; returns the count. Uses call, key, tenant.
local function note(count)
  if count > 0 then call('SET', key('changed', tenant), 1) end
  return count
end

-- Raises the counter in a key. Returns 0, or 1 if there was no positive number, which
-- arda_directory_state cannot tell from others, either: it begins again with the time in
-- microseconds, which no copy can have seen. Uses call.
local function raise(version)
  local number = redis.pcall('INCR', version)
  if type(number) == 'number' and number > 0 then return 0 end
  local now = call('TIME')
  call('SET', version, string.format('%d%06d', now[1], now[2]))
  return 1
end
