-- SPDX-License-Identifier: ISC
--
-- inbox_count: counts rows.
--
-- Called: by arda_inbox_count.
--
-- KEYS: none
-- ARGV:
--   1  prefix  text  of all keys
--   2  tenant  id    the tenant
--   3  user    id    the user
--
-- Result: {rows, unread rows}.

local prefix = ARGV[1]
local tenant = ARGV[2]
local user = ARGV[3]
-- Prelude: key
local owner = tenant .. ':' .. user
return {redis.call('ZCARD', key('inbox', owner)), redis.call('ZCARD', key('unread', owner))}
