-- Adds to an account what a replica has spent. What has been added already is not added again.
-- ARGV: the replica's name; the number of this report, one above the last that it knows to be counted; tokens;
-- microseconds of GPU time; what of both the replica knows to have been spent, without this; when the account may be
-- forgotten, in milliseconds since the epoch
local stored = redis.call('HMGET', KEYS[1], 'tokens', 'gpu_micros', ARGV[1])
local tokens, gpu, counted = tonumber(stored[1] or 0), tonumber(stored[2] or 0), tonumber(stored[3] or 0)
local report = tonumber(ARGV[2])
-- An account that lacks what was counted is lost or an old one.
if counted < report - 1 then
  tokens = math.max(tokens, tonumber(ARGV[5]))
  gpu = math.max(gpu, tonumber(ARGV[6]))
end
if counted < report then
  tokens = tokens + ARGV[3]
  gpu = gpu + ARGV[4]
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.0f', tokens), 'gpu_micros', string.format('%.0f', gpu),
  ARGV[1], string.format('%.0f', math.max(counted, report)))
redis.call('PEXPIREAT', KEYS[1], ARGV[7])
return {tokens, gpu}
