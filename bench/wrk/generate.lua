-- A small request with a small answer, over connections that stay open.
wrk.method = "POST"
wrk.path = "/api/generate"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"bench","stream":false,"prompt":"Why is the sky blue?"}'
