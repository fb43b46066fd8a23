-- An operator is free: gets the call that waits for longest, or waits behind those who are free.
-- ARGV: operator, line. Answers the call, or nothing.
local waiting = redis.call('LPOP', 'waiting:' .. ARGV[2])
if not waiting then
    redis.call('HSET', 'operator:' .. ARGV[1], 'state', 'free', 'call', '')
    redis.call('RPUSH', 'free:' .. ARGV[2], ARGV[1])
    return ''
end
redis.call('HSET', 'call:' .. waiting, 'state', 'offered', 'operator', ARGV[1])
redis.call('HSET', 'operator:' .. ARGV[1], 'state', 'offered', 'call', waiting)
return waiting
