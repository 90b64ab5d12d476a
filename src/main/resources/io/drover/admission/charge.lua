-- Charges a bucket with what a replica has taken already. The bucket is the time at which it will be full (GCRA), by the
-- clock of this server, and when it was last seen full; one that is not here is full. All times are microseconds.
-- ARGV: what was taken; what of earlier takes is given back; how long ago the first of those was; by how much the
-- replica believes the bucket to lack, without this; 1: to believe it even where there is a bucket, since it may be old
local taken, back, age, lacking = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = redis.call('HMGET', KEYS[1], 'at', 'full')
local at = tonumber(stored[1] or 0)
local full = tonumber(stored[2] or 0)
if (not stored[1] or ARGV[5] == '1') and at < now + lacking then
  at = now + lacking
end
if at <= now then
  at = now
  full = now
end
-- What was given out before it was last full has come back by itself.
if full <= now - age then
  at = math.max(now, at - back)
end
-- 219 years: beyond that numbers get too large to be exact.
at = math.min(at + taken, now + 6.9e15)
if at > now or stored[1] then
  -- Until the latest time that any replica was ever told: whoever believes in that must not take a bucket that was given
  -- back for a lost one.
  local kept = math.max(math.ceil((at - now) / 1000), redis.call('PTTL', KEYS[1]), 1)
  redis.call('HSET', KEYS[1], 'at', string.format('%.0f', at), 'full', string.format('%.0f', full))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', kept))
end
return {at - now, now - full}
