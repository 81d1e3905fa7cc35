-- SPDX-License-Identifier: ISC
--
-- notify_step: writes the rows and deliveries of one chunk of users of an event, and publishes
-- that they were created.
--
-- How far an event has come is kept as the last user that was done, not as a number of chunks:
-- callers may cut differently, and a directory that has changed meanwhile moves nobody over the
-- border. A script is not undone where it fails, say at a key of another type. So a row is
-- written only when all that belongs to it is, and whoever tries again finds the rest to do.
--
-- Called: for each chunk of arda_notify_step, one after the other.
--
-- KEYS: none
-- ARGV:
--   1    prefix     text  of all keys
--   2    tenant     id    the tenant
--   3    event      text  the event's key
--   4    group      text  of the consumers
--   5    entry      text  of the stream, or "": none is acknowledged
--   6    version    text  of the directory that the caller has used, or "": any
--   7    from       id    the user after whom the chunk begins, or ""
--   8    upto       id    its last user, or "": it is the last chunk
--   9    handled_s  text  for how many seconds the event is known as handled
--   10   cause_s    text  for how many seconds its text is kept
--   11   now        text  the time in milliseconds
--   12   iso        time  the same for a person
--   13   count      text  how many rows a user keeps, or 0: all
--   14   cutoff     text  rows before this go, in milliseconds, or "": none
--   15   reports    flag  1: texts of the new rows are part of the result
--   16   text       json  of the event, kept for deliveries, or "": there are none
--   17   row_a      text  a row is row_a, id of the notification, row_b, user, row_c
--   18   row_b      text  see row_a
--   19   row_c      text  see row_a
--   20   created_a  text  a notification.created is created_a, user, created_b, id of the
--                         notification, created_c, id of this event, created_d
--   21   created_b  text  see created_a
--   22   created_c  text  see created_a
--   23   created_d  text  see created_a
--   24   type_name  text  type of the notification
--   25+  packed     text  a user: "1" or "0" for each channel, the id of the notification, the id
--                         of its notification.created if it is shown in the application, the ids
--                         of its deliveries by e-mail and webhook as far as there are any, the id
--                         of the user
--
-- Result: {"before"}: the event has been handled; {"stale"}: the directory has another version;
--     {"at", user}: the event has come as far as that user; {"next" or "done", new rows, new
--     deliveries, rows trimmed, texts of the new rows}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local event = ARGV[3]
local group = ARGV[4]
local entry = ARGV[5]
local version = ARGV[6]
local from = ARGV[7]
local upto = ARGV[8]
local handled_s = ARGV[9]
local cause_s = ARGV[10]
local now = ARGV[11]
local iso = ARGV[12]
local count = ARGV[13]
local cutoff = ARGV[14]
local reports = ARGV[15] == '1'
local text = ARGV[16]
local row_a = ARGV[17]
local row_b = ARGV[18]
local row_c = ARGV[19]
local created_a = ARGV[20]
local created_b = ARGV[21]
local created_c = ARGV[22]
local created_d = ARGV[23]
local type_name = ARGV[24]
-- Prelude: call, key
local sub = string.sub
local handled = key('handled', tenant) .. ':' .. event
local progress = key('progress', tenant) .. ':' .. event
local function acknowledge()
  if entry ~= '' then call('XACK', key('stream', tenant), group, entry) end
end
if call('EXISTS', handled) == 1 then
  acknowledge()
  return {'before'}
end
-- MGET has no error for a key of another type: whoever reads the directory again sees it.
if version ~= '' and (call('MGET', key('version', tenant))[1] or '0') ~= version then
  return {'stale'}
end
local reached = call('GET', progress) or ''
if reached ~= from then return {'at', reached} end

local channel, global = key('events', tenant), key('events', 'global')
local inboxes, unreads = key('inbox', tenant) .. ':', key('unread', tenant) .. ':'
local rows = key('rows', tenant) .. ':'
local new_rows, new_deliveries, trimmed, made = 0, 0, 0, {}

local function drop(user, ids)
  if #ids == 0 then return end
  local fields = {}
  for i = 1, #ids do
    fields[2 * i - 1], fields[2 * i] = ids[i], ids[i] .. '.read'
  end
  call('HDEL', rows .. user, unpack(fields))
  call('ZREM', unreads .. user, unpack(ids))
  trimmed = trimmed + call('ZREM', inboxes .. user, unpack(ids))
end
local function trim(user)
  local inbox = inboxes .. user
  if cutoff ~= '' then
    drop(user, call('ZRANGEBYSCORE', inbox, '-inf', '(' .. cutoff, 'LIMIT', 0, 500))
  end
  if count ~= '0' then
    local over = math.min(call('ZCARD', inbox) - tonumber(count), 500)
    if over > 0 then drop(user, call('ZRANGE', inbox, 0, over - 1)) end
  end
end
local function put_row(user, id, row, event_id)
  if call('HEXISTS', rows .. user, id) == 1 then return end
  call('ZADD', inboxes .. user, now, id)
  call('ZADD', unreads .. user, now, id)
  call('HSET', rows .. user, id, row)
  local created = created_a .. user .. created_b .. id .. created_c .. event_id .. created_d
  call('PUBLISH', global, created)
  call('PUBLISH', channel, created)
  new_rows = new_rows + 1
  if reports then made[new_rows] = row end
  if cutoff ~= '' or count ~= '0' then trim(user) end
end

local shadow
local function put_delivery(user, id, row, delivery, kind)
  if shadow == nil then
    shadow = call('SISMEMBER', prefix .. ':shadows', tenant) == 1
    if not shadow and text ~= '' then
      call('SET', key('cause', tenant) .. ':' .. event, text, 'EX', cause_s)
    end
  end
  local record, lane = key('delivery', tenant) .. ':' .. delivery, tenant .. ':' .. kind
  if shadow or call('EXISTS', record) == 1 then return end
  call('ZADD', key('deliveries', tenant), now, delivery)
  call('ZADD', key('due', lane), now, delivery)
  call('ZADD', prefix .. ':due', 'LT', now, lane)
  call('HSET', record, 'id', delivery, 'tenantId', tenant, 'notificationId', id, 'userId',
    user, 'channel', kind, 'type', type_name, 'status', 'pending', 'attemptCount', 0,
    'createdAt', iso, 'updatedAt', iso, 'nextAttemptAt', iso, 'notification', row,
    'cause', event)
  new_deliveries = new_deliveries + 1
end

for at = 25, #ARGV do
  local packed = ARGV[at]
  local in_app, email, webhook = sub(packed, 1, 1), sub(packed, 2, 2), sub(packed, 3, 3)
  local user = sub(packed, 40 + 36 * (in_app + email + webhook))
  local id, place = sub(packed, 4, 39), 40
  local row = row_a .. id .. row_b .. user .. row_c
  if in_app == '1' then
    put_row(user, id, row, sub(packed, place, place + 35))
    place = place + 36
  end
  if email == '1' then
    put_delivery(user, id, row, sub(packed, place, place + 35), 'email')
    place = place + 36
  end
  if webhook == '1' then
    put_delivery(user, id, row, sub(packed, place, place + 35), 'webhook')
  end
end

local answer = {'next', new_rows, new_deliveries, trimmed, made}
if upto ~= '' then
  call('SET', progress, upto, 'EX', handled_s)
  return answer
end
call('SET', handled, 1, 'EX', handled_s)
if from ~= '' then call('DEL', progress) end
acknowledge()
answer[1] = 'done'
return answer
