-- SPDX-License-Identifier: ISC
--
-- delivery_settle: ends an attempt, with what it says of the endpoint.
--
-- Called: by arda_delivery_settle, after each attempt.
--
-- KEYS: none
-- ARGV:
--   1   prefix    text   of all keys
--   2   tenant    id     the tenant
--   3   channel   text   "email" or "webhook"
--   4   id        id     of the delivery
--   5   lease     id     under which it was attempted
--   6   now_s     text   the time in milliseconds
--   7   iso       time   the same for a person
--   8   status    text   of the delivery from now on
--   9   due       text   when it is due again in milliseconds, if the status is "pending"; else
--                        ""
--   10  due_iso   time   the same for a person
--   11  attempt   json   what is noted of the attempt, or "": there was none
--   12  at        time   when it began
--   13  text      text   the error, or ""
--   14  verdict   text   what it says of the endpoint: "well", "failing", "busy", "gone", or "":
--                        nothing
--   15  spare_ms  count  for how long the endpoint asks to be spared
--   16  cutoff    text   final records before this go, in milliseconds, or "": none
--   17  url       text   which the attempt was for
--
-- Result: {1 if the lease had ended, 1 if the endpoint was disabled}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local channel = ARGV[3]
local id = ARGV[4]
local lease = ARGV[5]
local now_s = ARGV[6]
local iso = ARGV[7]
local status = ARGV[8]
local due = ARGV[9]
local due_iso = ARGV[10]
local attempt = ARGV[11]
local at = ARGV[12]
local text = ARGV[13]
local verdict = ARGV[14]
local spare_ms = tonumber(ARGV[15])
local cutoff = ARGV[16]
local url = ARGV[17]
-- Prelude: call, key, rescore, endpoint_of, raise

local CIRCUIT_FAILURES = 10 -- in a row, and the circuit opens
local CIRCUIT_MIN_MS, CIRCUIT_MAX_MS = 60000, 1800000 -- for so long, doubling
local PAUSE_MIN_MS, PAUSE_MAX_MS = 1000, 60000 -- of an endpoint that asks for fewer, doubling
local PATIENCE_MS = 432000000 -- five days of failure, and the endpoint is disabled
local ATTEMPTS = 20 -- the latest ones that a record keeps
local TRIMMED = 20 -- records that a settlement looks at to remove them

local now, lane = tonumber(now_s), tenant .. ':' .. channel
local records, lane_key = key('delivery', tenant) .. ':', key('due', lane)
local record, endpoint, mark, current = records .. id
local good = status == 'sent' or status == 'delivered'
local disabled = 0

-- The separator cannot be within a text, where the quotes would be escaped.
local function add_attempt(list)
  local between = '},{"at":'
  if not list or list == '[]' or list == '' then return '[' .. attempt .. ']' end
  local count, from = 1, 1
  while true do
    local found = string.find(list, between, from, true)
    if not found then break end
    count, from = count + 1, found + 1
  end
  if count >= ATTEMPTS then
    list = '[' .. string.sub(list, string.find(list, between, 1, true) + 2)
  end
  return string.sub(list, 1, -2) .. ',' .. attempt .. ']'
end

local function tell_text(name)
  if good then call('HDEL', name, 'lastError')
  elseif text ~= '' then call('HSET', name, 'lastError', text) end
end

local function finish(name)
  call('HSET', name, 'status', status, 'updatedAt', iso)
  call('HDEL', name, 'lease', 'nextAttemptAt')
  if good then call('HSET', name, 'deliveredAt', iso) end
  tell_text(name)
end

local function finish_items()
  local count = call('HGET', record, 'attemptCount')
  for _, member in ipairs(call('ZRANGE', key('digest-items', tenant) .. ':' .. id, 0, -1)) do
    local name = records .. member
    if call('HGET', name, 'digestId') == id then
      finish(name)
      call('HSET', name, 'attemptCount', count)
      if attempt ~= '' then call('HSET', name, 'lastAttemptAt', at) end
    end
  end
end

local function note(had)
  if attempt ~= '' then
    call('HINCRBY', record, 'attemptCount', 1)
    call('HSET', record, 'lastAttemptAt', at, 'attempts', add_attempt(had[3]))
  end
  if status == 'pending' then
    call('HSET', record, 'updatedAt', iso, 'nextAttemptAt', due_iso)
    call('HDEL', record, 'lease')
    tell_text(record)
    call('ZADD', lane_key, due, id)
  else
    finish(record)
    call('ZREM', lane_key, id)
    if had[4] then finish_items() end
  end
end

local function disable(why)
  local webhook = key('webhook', tenant)
  if call('HGET', webhook, 'enabled') ~= '1' then return end
  call('HSET', webhook, 'enabled', '0')
  raise(key('version', tenant))
  call('DEL', endpoint)
  call('HSET', endpoint, 'disabledAt', iso, 'disabledWhy', why, 'mark', mark)
  call('HSET', prefix .. ':disabled', tenant, now_s .. ' ' .. why)
  disabled = 1
end

local function endure(state)
  if not state[1] then call('HSET', endpoint, 'failingSince', now_s)
  elseif now - tonumber(state[1]) >= PATIENCE_MS then
    disable('it has been failing for five days')
  end
end

local function is_well(state)
  local pause = math.floor((tonumber(state[4] or 0) or 0) / 2)
  call('HDEL', endpoint, 'failures', 'failingSince', 'openUntil', 'openFor', 'spareUntil')
  if pause >= PAUSE_MIN_MS then call('HSET', endpoint, 'pause', pause)
  else call('HDEL', endpoint, 'pause', 'mark') end
end

local function is_failing(state)
  local failures = call('HINCRBY', endpoint, 'failures', 1)
  local open, open_for = tonumber(state[2] or 0), tonumber(state[3] or 0)
  if failures >= CIRCUIT_FAILURES and open <= now then
    open_for = math.min(math.max(open_for * 2, CIRCUIT_MIN_MS), CIRCUIT_MAX_MS)
    call('HSET', endpoint, 'openUntil', now + open_for, 'openFor', open_for)
  end
  endure(state)
end

-- Attempts that were under way already say nothing new.
local function is_busy(state)
  local pause, spared = tonumber(state[4] or 0), tonumber(state[5] or 0)
  if spared <= now then
    pause = math.min(math.max(pause * 2, PAUSE_MIN_MS), PAUSE_MAX_MS)
  end
  local wait = spared <= now and now + pause or spared
  wait = math.max(wait, now + spare_ms)
  call('HSET', endpoint, 'pause', pause, 'spareUntil', wait)
  endure(state)
end

local function judge()
  if verdict == '' or current ~= url then return end
  local state = call('HMGET', endpoint, 'failingSince', 'openUntil', 'openFor', 'pause',
    'spareUntil')
  if verdict == 'well' then return is_well(state) end
  call('HSET', endpoint, 'mark', mark)
  if verdict == 'failing' then is_failing(state)
  elseif verdict == 'busy' then is_busy(state)
  elseif verdict == 'gone' then disable('it has answered 410 Gone') end
end

local function trim()
  local all = key('deliveries', tenant)
  for _, old in ipairs(call('ZRANGEBYSCORE', all, '-inf', '(' .. cutoff, 'LIMIT', 0, TRIMMED)) do
    local of = call('HGET', records .. old, 'status')
    if of ~= 'pending' then
      call('DEL', records .. old, key('digest-items', tenant) .. ':' .. old)
      call('ZREM', all, old)
    end
  end
end

local had = call('HMGET', record, 'status', 'lease', 'attempts', 'items')
local ours = had[2] == lease
if channel == 'webhook' then
  endpoint, mark, current = endpoint_of(tenant)
  if call('HGET', endpoint, 'single') == id then
    call('HDEL', endpoint, 'single', 'singleUntil')
  end
end
if had[1] == 'pending' and (ours or good) then
  note(had)
  judge()
end
rescore(lane)
if cutoff ~= '' then trim() end
return {ours and 0 or 1, disabled}
