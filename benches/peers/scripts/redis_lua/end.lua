-- The caller hangs up: the call is kept for a while, the operator has something to write down.
-- ARGV: call, time. Answers the operator, or nothing if nobody talked.
local call = 'call:' .. ARGV[1]
local connected = redis.call('HMGET', call, 'state', 'operator')
-- Asked again because the answer was lost on its way.
if connected[1] == 'ended' then
    return connected[2]
end
if connected[1] ~= 'connected' then
    return ''
end
redis.call('HSET', call, 'state', 'ended', 'ended', ARGV[2])
redis.call('EXPIRE', call, 600)
redis.call('HSET', 'operator:' .. connected[2], 'state', 'wrap-up')
return connected[2]
