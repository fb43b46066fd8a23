-- An operator is free: gets the call that waits for longest, or waits behind those who are free.
-- ARGV: operator, line. Answers the call, or nothing.
local before = redis.call('HMGET', 'operator:' .. ARGV[1], 'state', 'call')
-- Asked again because the answer was lost on its way.
if before[1] == 'free' or before[1] == 'offered' then
    return before[2]
end
local waiting = redis.call('LPOP', 'waiting:' .. ARGV[2])
if not waiting then
    redis.call('HSET', 'operator:' .. ARGV[1], 'state', 'free', 'call', '')
    redis.call('RPUSH', 'free:' .. ARGV[2], ARGV[1])
    return ''
end
redis.call('HSET', 'call:' .. waiting, 'state', 'offered', 'operator', ARGV[1])
redis.call('HSET', 'operator:' .. ARGV[1], 'state', 'offered', 'call', waiting)
return waiting
