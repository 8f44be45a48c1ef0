-- What wrk runs against OPA's Data API: one body, in which `@` is a number that goes up.
-- Arguments: the file with the body, the path to ask for, the number to start with, after how many it starts
-- again (0 for never).

local before, after, position, start, cycle = "", "", 0, 0, 0

function init(args)
  local file = io.open(args[1])
  before, after = file:read("a"):match("^(.-)@(.*)$")
  wrk.method, wrk.path = "POST", args[2]
  wrk.headers["Content-Type"] = "application/json"
  start, cycle = tonumber(args[3]), tonumber(args[4])
end

function request()
  position = position + 1
  local number = start + (cycle > 0 and position % cycle or position)
  return wrk.format(nil, nil, nil, before .. number .. after)
end
