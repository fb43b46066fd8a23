-- Caller and operator hear each other.
-- ARGV: call, time. Answers the operator, or nothing if nobody had accepted.
local call = 'call:' .. ARGV[1]
local accepted = redis.call('HMGET', call, 'state', 'operator')
-- Asked again because the answer was lost on its way.
if accepted[1] == 'connected' then
    return accepted[2]
end
if accepted[1] ~= 'accepted' then
    return ''
end
redis.call('HSET', call, 'state', 'connected', 'connected', ARGV[2])
redis.call('HSET', 'operator:' .. accepted[2], 'state', 'talking')
return accepted[2]
