-- A call rings in: offered to whoever is free for longest, or put behind those that wait.
-- ARGV: call, line, number, time. Answers the operator, or nothing.
local call = 'call:' .. ARGV[1]
-- Asked again because the answer was lost on its way.
if redis.call('HSETNX', call, 'state', 'waiting') == 0 then
    return redis.call('HGET', call, 'operator') or ''
end
redis.call('HSET', call, 'line', ARGV[2], 'number', ARGV[3], 'since', ARGV[4])
local operator = redis.call('LPOP', 'free:' .. ARGV[2])
if not operator then
    redis.call('RPUSH', 'waiting:' .. ARGV[2], ARGV[1])
    return ''
end
redis.call('HSET', call, 'state', 'offered', 'operator', operator)
redis.call('HSET', 'operator:' .. operator, 'state', 'offered', 'call', ARGV[1])
return operator
