-- What every script says when wrk is done: one line of figures, which `load.rs` reads.

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("edge: %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
