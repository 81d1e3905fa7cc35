-- SPDX-License-Identifier: ISC
--
-- directory_remove: removes an entry, or a key.
--
-- Called: in the MULTI of a step.
--
-- KEYS: none
-- ARGV:
--   1  prefix   text  of all keys
--   2  tenant   id    the tenant
--   3  family   text  of the key that is changed
--   4  command  text  that removes
--   5  id       text  what is removed of the key; nil: all of it
--
-- Result: how many were there.

local prefix = ARGV[1]
local tenant = ARGV[2]
local family = ARGV[3]
local command = ARGV[4]
local id = ARGV[5]
-- Prelude: call, key, note

if id then return note(call(command, key(family, tenant), id)) end
return note(call(command, key(family, tenant)))
