-- What wrk runs: requests with the tokens of a file, one after the other.
-- Arguments: the file, the path to ask for, the number of the token to start with.

local requests, position = {}, 0

function init(args)
  for token in io.lines(args[1]) do
    wrk.headers["Authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format("GET", args[2])
  end
  position = tonumber(args[3])
end

function request()
  position = position % #requests + 1
  return requests[position]
end
