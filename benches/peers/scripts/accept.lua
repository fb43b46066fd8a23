-- An operator takes the call that was offered.
-- ARGV: call, operator
local call = 'call:' .. ARGV[1]
local offered = redis.call('HMGET', call, 'state', 'operator')
if offered[1] ~= 'offered' or offered[2] ~= ARGV[2] then
    return 0
end
redis.call('HSET', call, 'state', 'accepted')
redis.call('HSET', 'operator:' .. ARGV[2], 'state', 'connecting')
redis.call('PUBLISH', 'gateway', 'connect ' .. ARGV[1])
return 1
