-- SPDX-License-Identifier: ISC
--
-- delivery_claim: takes what is due of all lanes under a lease.
--
-- Called: by arda_delivery_claim, whenever a daemon has room for deliveries and something may
--     be due.
--
-- KEYS: none
-- ARGV:
--   1    prefix         text   of all keys
--   2    now_s          text   the time in milliseconds
--   3    lease_end      text   when the lease ends, in milliseconds
--   4    lease          id     the lease
--   5    left           count  how many to claim at most
--   6    share          count  how many of a lane may be in flight
--   7    wants_email    flag   1: e-mails are claimed
--   8    wants_webhook  flag   1: webhooks are claimed
--   9    iso            time   now for a person
--   10   overdue        text   what no daemon takes is given up if it has been due since this, in
--                              milliseconds, or "": never
--   11   off_text       text   the error of a delivery that was switched off
--   12+  lane           text   a lane of which deliveries are in flight here
--   13+  count          count  how many
--
-- Result: {when the next is due in milliseconds or "-1", what went wrong or "", then one array
--     for each delivery, as parse.c reads it}.

local prefix = ARGV[1]
local now_s = ARGV[2]
local lease_end = ARGV[3]
local lease = ARGV[4]
local left = tonumber(ARGV[5])
local share = tonumber(ARGV[6])
local wants_email = ARGV[7] == '1'
local wants_webhook = ARGV[8] == '1'
local iso = ARGV[9]
local overdue = ARGV[10]
local off_text = ARGV[11]
-- Prelude: call, key, rescore, endpoint_of, is_unattended

local PAGE = 2000 -- lanes that are visited, and that are looked at in one go
local SCANNED = 100000 -- lanes that are looked at to find them

local now = tonumber(now_s)
local wanted = {email = wants_email, webhook = wants_webhook}
local due, in_flight, answer, more = prefix .. ':due', {}, {'-1', ''}, false
for at = 12, #ARGV, 2 do in_flight[ARGV[at]] = tonumber(ARGV[at + 1]) end

-- Notes what went wrong. True: a permission is missing, as versions of Redis put it. Others may
-- read it.
local function tell(about, err)
  local text = type(err) == 'table' and err.err or tostring(err)
  answer[2] = about .. ': ' .. text
  for _, words in ipairs({'NOPERM', 'executing the script can', 'no permission'}) do
    if string.find(text, words, 1, true) then return true end
  end
end

-- Until when the endpoint is to be left alone, or how many it may have.
local function ask_endpoint(tenant)
  local endpoint = endpoint_of(tenant)
  local state = call('HMGET', endpoint, 'openUntil', 'spareUntil', 'pause',
    'failures', 'singleUntil')
  for i = 1, 5 do state[i] = tonumber(state[i] or 0) or 0 end
  local open, spare, pause, failures, single = unpack(state)
  local alone = open > 0 or pause > 0
  local wait = math.max(open, spare, alone and single or 0)
  if wait > now then return wait end
  if alone then return nil, 1, true, open > 0 end
  return nil, math.max(1, math.floor(share / 2 ^ failures))
end

-- A preference that says so now, whatever it said when the delivery was recorded.
local function is_off(tenant, user, kind, channel)
  local about = ':' .. kind .. ':' .. channel
  local said = call('HMGET', key('preferences', tenant), user .. about, '*' .. about)
  return (said[1] or said[2]) == '0'
end

local function leave_digest(tenant, id, member)
  local record = key('delivery', tenant) .. ':' .. member
  call('ZREM', key('digest-items', tenant) .. ':' .. id, member)
  call('HINCRBY', key('delivery', tenant) .. ':' .. id, 'items', -1)
  call('HDEL', record, 'digestId', 'nextAttemptAt')
  call('HSET', record, 'status', 'failed', 'lastError', off_text, 'updatedAt', iso)
end

local function items_of(tenant, id, user)
  local rows = {}
  for _, member in ipairs(call('ZRANGE', key('digest-items', tenant) .. ':' .. id, 0, -1)) do
    local item = call('HMGET', key('delivery', tenant) .. ':' .. member, 'notification',
      'digestId', 'type')
    if item[2] == id and item[3] and is_off(tenant, user, item[3], 'email') then
      leave_digest(tenant, id, member)
    elseif item[1] and item[2] == id then
      rows[#rows + 1] = item[1]
    end
  end
  return rows
end

local function first_of(family, tenant, names)
  for _, entry in ipairs(call('HMGET', key(family, tenant), unpack(names))) do
    if entry then return entry end
  end
  return ''
end

local function take(tenant, channel, lane_key, id, webhook, probe, given_up)
  local record = key('delivery', tenant) .. ':' .. id
  local had = call('HMGET', record, 'status', 'userId', 'type', 'attemptCount', 'heldUntil',
    'notification', 'cause', 'items', 'schedule', 'lease')
  if had[1] ~= 'pending' then
    call('ZREM', lane_key, id)
    return false
  end
  local user, kind = had[2] or '', had[3] or ''
  local person = call('HGET', key('users', tenant), user) or ''
  local rows, digest, quiet, off = {}, '', ''
  if had[8] then
    rows = items_of(tenant, id, user)
    off = #rows == 0
    local pointer = key('digesting', tenant) .. ':' .. user .. ':' .. (had[9] or '')
    if call('GET', pointer) == id then call('DEL', pointer) end
  else
    off = is_off(tenant, user, kind, channel)
  end
  if channel == 'email' then
    digest = first_of('digest', tenant,
      {user .. ':' .. kind, user .. ':*', '*:' .. kind, '*:*'})
    quiet = first_of('quiet', tenant, {user, '*'})
  end
  local cause = had[7] and call('GET', key('cause', tenant) .. ':' .. had[7])
  local created = call('ZSCORE', key('deliveries', tenant), id) or '0'
  call('ZADD', lane_key, lease_end, id)
  call('HSET', record, 'lease', lease)
  answer[#answer + 1] = {tenant, channel, id, user, kind, had[4] or '0', created,
    had[5] and '1' or '0', probe and '1' or '0', had[10] and '1' or '0',
    off and '1' or '0', given_up and '1' or '0', had[8] and '' or had[6] or '',
    cause or '', person, webhook[1] or '', webhook[2] or '', webhook[3] or '',
    webhook[4] or '', digest, quiet, rows}
  return true
end

local function visit(lane, tenant, channel, given_up)
  local lane_key, room, due_at = key('due', lane), share, given_up and overdue or now_s
  local webhook, wait, single, probe = {}, nil, false, false
  if channel == 'webhook' and not given_up then
    webhook = call('HMGET', key('webhook', tenant), 'enabled', 'url', 'secret',
      'previousSecret')
    if webhook[1] == '1' then wait, room, single, probe = ask_endpoint(tenant) end
    if wait then
      call('ZADD', due, wait, lane)
      return
    end
  end
  room = math.min(room - (in_flight[lane] or 0), left)
  if room <= 0 then return end
  for _, id in ipairs(call('ZRANGEBYSCORE', lane_key, '-inf', due_at, 'LIMIT', 0, room)) do
    local ok, taken = pcall(take, tenant, channel, lane_key, id, webhook, probe, given_up)
    if not ok then
      if not tell('delivery ' .. id .. ' of ' .. tenant, taken) then
        call('ZADD', lane_key, lease_end, id)
      end
    elseif taken then
      left = left - 1
      if single then
        call('HSET', key('endpoint', tenant), 'single', id, 'singleUntil', lease_end)
      end
    else
      more = true
    end
  end
  rescore(lane)
end

local function parts_of(lane)
  local tenant, channel = string.match(lane, '^(.*):([^:]*)$')
  if wanted[channel] and (in_flight[lane] or 0) < share then return tenant, channel end
end

local function try(lane, tenant, channel, given_up)
  local ok, err = pcall(visit, lane, tenant, channel, given_up)
  if not ok and not tell('deliveries of ' .. tenant, err) then
    call('ZADD', due, lease_end, lane)
  end
end
-- However many lanes of other channels are due before: these may be many, and be so for long. All
-- are found before the first is visited, which changes the order.
local function find_lanes()
  local found, at, page = {}, 0
  repeat
    page = call('ZRANGEBYSCORE', due, '-inf', now_s, 'LIMIT', at, PAGE)
    for _, lane in ipairs(page) do
      if parts_of(lane) then found[#found + 1] = lane end
    end
    at = at + #page
  until #page < PAGE or #found >= PAGE or at >= SCANNED
  return found
end

for _, lane in ipairs(find_lanes()) do
  if left == 0 then break end
  try(lane, parts_of(lane))
end
local unattended = {email = overdue ~= '' and not wanted.email and is_unattended('email'),
  webhook = overdue ~= '' and not wanted.webhook and is_unattended('webhook')}
if unattended.email or unattended.webhook then
  for _, lane in ipairs(call('ZRANGEBYSCORE', due, '-inf', overdue, 'LIMIT', 0, PAGE)) do
    local tenant, channel = string.match(lane, '^(.*):([^:]*)$')
    if left > 0 and unattended[channel] then try(lane, tenant, channel, true) end
  end
end
if left == 0 or more then
  answer[1] = now_s
  return answer
end
local coming = call('ZRANGEBYSCORE', due, '(' .. now_s, '+inf', 'WITHSCORES', 'LIMIT', 0, 500)
for i = 1, #coming, 2 do
  if parts_of(coming[i]) then
    answer[1] = coming[i + 1]
    break
  end
end
return answer
