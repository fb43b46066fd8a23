#!lua
-- Shows who is free, unless what is shown is of a later decision. Answers whether it was shown.
-- KEYS: the hash. ARGV: decision, how long it is shown in ms, then fields and their values.
local key, seq, lasts = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('TYPE', key).ok == 'hash' then
  local shown = tonumber(redis.call('HGET', key, 'seq') or '')
  local left = redis.call('PTTL', key)
  -- What has no end, or a later one than any router gives, is nobody's: it would stand there for ever.
  if shown and shown > seq and left >= 0 and left <= lasts then return 0 end
end
redis.call('DEL', key)
redis.call('HSET', key, 'seq', ARGV[1])
for at = 3, #ARGV, 2 do redis.call('HSET', key, ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', key, lasts)
return 1
