-- The same, and a new connection for each request.
wrk.method = "POST"
wrk.path = "/api/generate"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Connection"] = "close"
wrk.body = '{"model":"bench","stream":false,"prompt":"Why is the sky blue?"}'
