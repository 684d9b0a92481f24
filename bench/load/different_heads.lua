-- No two requests alike: another query, another cookie beside the session's, another request id.
local number = 0
local start = os.time()
local cookie

function request()
  number = number + 1
  cookie = cookie or wrk.headers["Cookie"]
  wrk.headers["Cookie"] = cookie .. "; seen=" .. number
  wrk.headers["X-Request-Id"] = start .. "-" .. number
  return wrk.format("GET", "/page?number=" .. number)
end
