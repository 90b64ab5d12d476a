-- Small requests whose answers may be kept: prompts 0 to count - 1 of a series, one after the other and over again.
--   wrk ... -s prompts.lua URL -- SERIES COUNT
local series, count, next = 0, 1, 0
local head = 'POST /api/generate HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: '
local body = '{"model":"bench","stream":false,"options":{"temperature":0},"prompt":"Why is the sky blue? %s/%06d"}'

function init(args)
  series, count = args[1], tonumber(args[2])
  local length = #string.format(body, series, 0)
  -- One format with the length in it: what is made for each request is one string.
  body = (head .. length .. '\r\n\r\n' .. body)
end

function request()
  local text = string.format(body, series, next)
  next = (next + 1) % count
  return text
end
