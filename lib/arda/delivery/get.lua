-- SPDX-License-Identifier: ISC
--
-- delivery_get: reads one record.
--
-- Called: by arda_delivery_get.
--
-- KEYS: none
-- ARGV:
--   1   prefix  text  of all keys
--   2   tenant  id    the tenant
--   3   id      id    of the delivery
--   4+  field   text  a field of the record
--
-- Result: the fields of the record in that order, the score in its lane, and why it does not go
--     out although it is due; what there is not is nil.

local prefix = ARGV[1]
local tenant = ARGV[2]
local id = ARGV[3]
-- Prelude: call, key, clock_ms, is_unattended, why_unattended, obstacle, read_record
local fields = {unpack(ARGV, 4)}
fields[#fields + 1], fields[#fields + 2] = 'channel', 'status'
return read_record(tenant, id, fields)
