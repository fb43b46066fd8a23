-- Caller and operator hear each other.
-- ARGV: call, time. Answers the operator, or nothing if nobody had accepted.
local call = 'call:' .. ARGV[1]
local accepted = redis.call('HMGET', call, 'state', 'operator')
if accepted[1] ~= 'accepted' then
    return ''
end
redis.call('HSET', call, 'state', 'connected', 'connected', ARGV[2])
redis.call('HSET', 'operator:' .. accepted[2], 'state', 'talking')
return accepted[2]
