-- An operator takes the call that was offered.
-- ARGV: call, operator. Answers the operator, or nothing if the call was not to be had.
local call = 'call:' .. ARGV[1]
local offered = redis.call('HMGET', call, 'state', 'operator')
if offered[1] ~= 'offered' or offered[2] ~= ARGV[2] then
    return ''
end
redis.call('HSET', call, 'state', 'accepted')
redis.call('HSET', 'operator:' .. ARGV[2], 'state', 'connecting')
return ARGV[2]
