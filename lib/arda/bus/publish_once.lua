-- SPDX-License-Identifier: ISC
--
-- bus_publish_once: publishes an event unless its mark says that this has been done. What may
-- be refused because memory is short comes before what cannot be taken back, and an error
-- leaves neither entry nor mark.
--
-- Called: for a publication with an id that was given or derived, and when one of a run is sent
--     again.
--
-- KEYS:
--   1  mark    the mark of the event or of a chunk of a run
--   2  stream  the tenant's stream
-- ARGV:
--   1    bit        text  the bit that marks, or "": the key is a mark of its own
--   2    mark_ms    text  for how long the mark stays, in milliseconds
--   3    global     text  the global channel
--   4    channel    text  the tenant's channel, or ""
--   5    bound      text  how many entries the stream keeps, about
--   6+   message    text  of each form of the event: what the channels are given
--   7+   envelope   text  what the stream is given, or "": no entry
--   8+   type       text  of the event
--   9+   source     text  of the event
--   10+  timestamp  text  of the event
--
-- Result: the id of the first entry, or "" without one; of a duplicate an array of one: the id
--     that the mark holds, or "".

local mark = KEYS[1]
local stream = KEYS[2]
local bit = ARGV[1]
local mark_ms = ARGV[2]
local global = ARGV[3]
local channel = ARGV[4]
local bound = ARGV[5]
local ids = {}

if bit == '' then
  local first = redis.call('GET', mark)
  if first then return {first} end
elseif redis.call('GETBIT', mark, bit) == 1 then
  return {''}
end

local function failed(answer) return type(answer) == 'table' and answer.err end
local function undo(answer)
  if bit == '' then redis.pcall('DEL', mark) else redis.pcall('SETBIT', mark, bit, 0) end
  for _, id in ipairs(ids) do redis.pcall('XDEL', stream, id) end
  return answer
end

for at = 6, #ARGV, 5 do
  local envelope, type_name, source = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if envelope ~= '' then
    local id = redis.pcall('XADD', stream, 'MAXLEN', '~', bound, '*', 'envelope', envelope,
      'type', type_name, 'source', source, 'timestamp', ARGV[at + 4])
    if failed(id) then return undo(id) end
    ids[#ids + 1] = id
  end
end

local marked
if bit == '' then
  marked = redis.pcall('SET', mark, ids[1] or '', 'PX', mark_ms)
else
  marked = redis.pcall('SETBIT', mark, bit, 1)
  redis.pcall('PEXPIRE', mark, mark_ms)
end
if failed(marked) then return undo(marked) end

for at = 6, #ARGV, 5 do
  local received = redis.pcall('PUBLISH', global, ARGV[at])
  if failed(received) then return undo(received) end
  if channel ~= '' then
    received = redis.pcall('PUBLISH', channel, ARGV[at])
    if failed(received) then return undo(received) end
  end
end
return ids[1] or ''
