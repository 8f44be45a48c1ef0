-- What wrk runs against the token endpoint: one exchange for each piece of evidence in a file, one after the other.
-- Arguments: the file, the path to ask for, the number of the evidence to start with.

local requests, position = {}, 0

function init(args)
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  local urn = "urn:ietf:params:oauth:"
  for evidence in io.lines(args[1]) do
    local form = "grant_type=" .. urn .. "grant-type:token-exchange&audience=orders"
      .. "&subject_token_type=" .. urn .. "token-type:jwt&subject_token=" .. evidence
    requests[#requests + 1] = wrk.format("POST", args[2], nil, form)
  end
  position = tonumber(args[3])
end

function request()
  position = position % #requests + 1
  return requests[position]
end
