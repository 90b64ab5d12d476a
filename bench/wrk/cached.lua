-- A small request whose answer may be kept, over connections that stay open: the same one each time.
wrk.method = "POST"
wrk.path = "/api/generate"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"bench","stream":false,"options":{"temperature":0},"prompt":"Why is the sky blue? 0/000000"}'
