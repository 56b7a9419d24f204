/** Writes a key if it is still what was read: one step of the server. */
import type { ExpiryCommand } from "../reading/expiries.ts";
import { DIGEST_LUA } from "../scripts/digest-lua.ts";
import { expiryLua } from "../scripts/expiry-lua.ts";
import { type Script, scriptOf } from "../scripts/scripts.ts";

/** What the script answers, before the number of commands that it ran. */
export const WRITTEN = 1;
export const CONFLICT = 0;
/** What was built beforehand is not what it should be. */
export const UNBUILT = 2;
/** It was not as it was expected, and is already as it is wanted. */
export const PRESENT = 3;

/**
 * KEYS: the key; and a name that is free, for what takes its place, where that is not written at once.
 *
 * ARGV: the type that is expected or `none`, its digest and its end; the type that is wanted or `none`, its digest and its end; how it is
 * written; and its parts. An end is in milliseconds, -1 for one that stays; an empty one is left as it is and was not looked at.
 * `set`: the parts are all there is. `build`: it was put together under the second key. `end`: the content stays.
 *
 * What is there already as it is wanted is said to be so: the script can be run again when its answer was lost. Nothing is removed
 * before what takes its place is whole.
 */
export function guardScript(command: ExpiryCommand): Script {
  return scriptOf(DIGEST_LUA + expiryLua(command) + GUARD);
}

const GUARD = `local key, free = KEYS[1], KEYS[2]
local expected, before, before_end = ARGV[1], ARGV[2], ARGV[3]
local wanted, after, after_end, how = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local found, found_end
local function is_absent()
  return call('EXISTS', key) == 0
end
local function is_expected()
  if expected == 'none' then return is_absent() end
  found = digest(expected, key)
  if found ~= before then return false end
  if before_end == '' then return true end
  found_end = ends(key)
  return ends_at(found_end, before_end)
end
local function is_wanted()
  if wanted == 'none' then return is_absent() end
  if wanted ~= expected then found = digest(wanted, key) end
  if found ~= after then return false end
  return after_end == '' or ends_at(found_end or ends(key), after_end)
end
if not is_expected() then
  if is_wanted() then return {3, calls} end
  return {0, calls}
end
if wanted == 'none' then
  call('DEL', key)
  return {1, calls}
end

local failed
local function try(...)
  if failed then return end
  local reply = call(...)
  if type(reply) == 'table' and reply.err then failed = reply end
end
local function set_end(name)
  if after_end == '-1' then
    if how ~= 'set' then try('PERSIST', name) end
  else
    try('PEXPIREAT', name, after_end)
  end
end
local MOST = 7000
local function add_all(command, name, from)
  for at = from, #ARGV, MOST do
    try(command, name, unpack(ARGV, at, math.min(at + MOST - 1, #ARGV)))
  end
end
local writes = {}
function writes.json(name)
  try('JSON.SET', name, '$', ARGV[8])
end
function writes.hash(name)
  add_all('HSET', name, 8)
end
function writes.list(name)
  add_all('RPUSH', name, 8)
end
function writes.set(name)
  add_all('SADD', name, 8)
end
function writes.zset(name)
  add_all('ZADD', name, 8)
end
function writes.stream(name)
  local last_id, at, last = ARGV[8], 9, '0-0'
  while at <= #ARGV do
    local count = tonumber(ARGV[at + 1])
    last = ARGV[at]
    try('XADD', name, last, unpack(ARGV, at + 2, at + 1 + count))
    at = at + 2 + count
  end
  if last == '0-0' then
    try('XGROUP', 'CREATE', name, 'none', '0', 'MKSTREAM')
    try('XGROUP', 'DESTROY', name, 'none')
  end
  if last ~= last_id then try('XSETID', name, last_id) end
end

if how == 'end' then
  set_end(key)
elseif how == 'build' then
  if digest(wanted, free) ~= after then return {2, calls} end
  try('RENAME', free, key)
  set_end(key)
elseif wanted == 'string' then
  if after_end == '' then
    try('SET', key, ARGV[8], 'KEEPTTL')
  elseif after_end == '-1' then
    try('SET', key, ARGV[8])
  else
    try('SET', key, ARGV[8], 'PXAT', after_end)
  end
elseif expected == 'none' and wanted ~= 'stream' and #ARGV < MOST then
  writes[wanted](key)
  set_end(key)
else
  writes[wanted](free)
  if failed then call('DEL', free) end
  try('RENAME', free, key)
  set_end(key)
end
if failed then return failed end
return {1, calls}
`;
