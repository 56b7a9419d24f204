/**
 * What a key holds, in few characters, computed by the server: the other half of `content-digest.ts`. Hashes, sets and sorted sets have
 * no order of their own: theirs is a sum of their members. Lua as every server has it: numbers are doubles, and nothing but
 * `redis.sha1hex` is asked for.
 */

/** Defines `call`, which counts what is billed, and `digest(kind, key)`: nil where there is no such key, or one of another type. */
export const DIGEST_LUA = `local calls = 0
local function call(...)
  calls = calls + 1
  return redis.pcall(...)
end
local function list_of(...)
  local list = call(...)
  if type(list) ~= 'table' or list.err then return nil end
  return list
end
local function sum_of()
  return {0, 0, 0, 0, 0}
end
local function add(sum, text)
  local hex = redis.sha1hex(text)
  for i = 1, 5 do
    sum[i] = (sum[i] + tonumber(string.sub(hex, 8 * i - 7, 8 * i), 16)) % 4294967296
  end
end
local function shown(count, sum)
  return string.format('%.0f:%.0f.%.0f.%.0f.%.0f.%.0f', count, sum[1], sum[2], sum[3], sum[4], sum[5])
end
local function score_of(text)
  if text == 'inf' or text == '-inf' then return text end
  local number = tonumber(text)
  if number == 0 then return '0' end
  local fraction, exponent = math.frexp(number)
  return string.format('%.0fp%.0f', fraction * 9007199254740992, exponent)
end
local digests = {}
function digests.text(name, ...)
  local text = call(name, ...)
  if type(text) ~= 'string' then return nil end
  return string.format('%.0f:', #text) .. redis.sha1hex(text)
end
function digests.string(key)
  return digests.text('GET', key)
end
function digests.json(key)
  return digests.text('JSON.GET', key)
end
function digests.list(key)
  local list = list_of('LRANGE', key, 0, -1)
  if not list or #list == 0 then return nil end
  local hash = redis.sha1hex('')
  for _, member in ipairs(list) do hash = redis.sha1hex(hash .. member) end
  return string.format('%.0f:', #list) .. hash
end
function digests.set(key)
  local list = list_of('SMEMBERS', key)
  if not list or #list == 0 then return nil end
  local sum = sum_of()
  for _, member in ipairs(list) do add(sum, member) end
  return shown(#list, sum)
end
function digests.hash(key)
  local list = list_of('HGETALL', key)
  if not list or #list == 0 then return nil end
  local sum = sum_of()
  for at = 1, #list, 2 do add(sum, string.format('%.0f:', #list[at]) .. list[at] .. list[at + 1]) end
  return shown(#list / 2, sum)
end
function digests.zset(key)
  local list = list_of('ZRANGE', key, 0, -1, 'WITHSCORES')
  if not list or #list == 0 then return nil end
  local sum = sum_of()
  for at = 1, #list, 2 do add(sum, score_of(list[at + 1]) .. ' ' .. list[at]) end
  return shown(#list / 2, sum)
end
function digests.stream(key)
  local facts = list_of('XINFO', 'STREAM', key)
  local list = facts and list_of('XRANGE', key, '-', '+')
  if not list then return nil end
  local hash = redis.sha1hex('')
  for _, entry in ipairs(list) do
    hash = redis.sha1hex(hash .. entry[1] .. string.format(' %.0f', #entry[2]))
    for _, part in ipairs(entry[2]) do hash = redis.sha1hex(hash .. part) end
  end
  for at = 1, #facts, 2 do
    if facts[at] == 'last-generated-id' then hash = redis.sha1hex(hash .. facts[at + 1]) end
  end
  return string.format('%.0f:', #list) .. hash
end
local function digest(kind, key)
  return digests[kind](key)
end
`;
