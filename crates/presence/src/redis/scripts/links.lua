#!lua
-- Shows which desks and gateways this router holds, and until when by the clock of this server.
-- KEYS: the sorted set of ends, the hash of who. ARGV: router, how long untouched keys live in ms, how many are gone,
-- their members, then for each that is held: member, lease in ms, who.
local links, who = KEYS[1], KEYS[2]
local function of_type(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then redis.call('DEL', key) end
end
of_type(links, 'zset')
of_type(who, 'hash')

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = 4
for _ = 1, tonumber(ARGV[3]) do
  -- Another router may hold it by now: that one's word stays.
  local known = redis.call('HGET', who, ARGV[at])
  local read, holder = pcall(cjson.decode, known or '')
  if not read or type(holder) ~= 'table' or holder.router == ARGV[1] then
    redis.call('ZREM', links, ARGV[at])
    redis.call('HDEL', who, ARGV[at])
  end
  at = at + 1
end
while at < #ARGV do
  redis.call('ZADD', links, now + tonumber(ARGV[at + 1]), ARGV[at])
  redis.call('HSET', who, ARGV[at], ARGV[at + 2])
  at = at + 3
end
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', links, '-inf', now)) do
  redis.call('ZREM', links, ended)
  redis.call('HDEL', who, ended)
end
redis.call('PEXPIRE', links, ARGV[2])
redis.call('PEXPIRE', who, ARGV[2])
return redis.call('ZCARD', links)
