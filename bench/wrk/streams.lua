-- Streamed answers that may be kept, to prompts of a series that were never asked before.
--   wrk ... -s streams.lua URL -- SERIES TOKENS RATE
local series, tokens, rate, next = 0, 1, 1, 0
local head = 'POST /api/chat HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: '
local body = '{"model":"bench","options":{"temperature":0,"num_predict":%s,"rate":%s},'
  .. '"messages":[{"role":"user","content":"Why is the sky blue? %s/%%08d"}]}'

function init(args)
  body = string.format(body, args[2], args[3], args[1])
  local length = #string.format(body, 0)
  -- One format with the length in it: what is made for each request is one string.
  body = (head .. length .. '\r\n\r\n' .. body)
end

function request()
  local text = string.format(body, next)
  next = next + 1
  return text
end
