-- An operator takes the call that was offered.
-- ARGV: call, operator. Answers the operator, or nothing if the call was not to be had.
local call = 'call:' .. ARGV[1]
local offered = redis.call('HMGET', call, 'state', 'operator')
-- Asked again because the answer was lost on its way.
if offered[1] == 'accepted' and offered[2] == ARGV[2] then
    return ARGV[2]
end
if offered[1] ~= 'offered' or offered[2] ~= ARGV[2] then
    return ''
end
redis.call('HSET', call, 'state', 'accepted')
redis.call('HSET', 'operator:' .. ARGV[2], 'state', 'connecting')
return ARGV[2]
