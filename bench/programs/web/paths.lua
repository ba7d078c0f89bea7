-- For wrk: each connection goes round the three kinds of requests.
local paths = { "/", "/orders/17", "/summary", "/orders/4711" }
local at = 0

request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end

done = function(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('JSON {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "errors": %d, "status": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors, summary.errors.status))
end
