-- Asks for one of the paths of a file, at random, each time.
-- Arguments: the API key, the file, and `show` to print the first answer that is not 2xx.

local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

function init(args)
    math.randomseed(os.time() * 100 + number)
    requests = {}
    for path in io.lines(args[2]) do
        requests[#requests + 1] = wrk.format("GET", path, {["Authorization"] = "Bearer " .. args[1]})
    end
    if args[3] == "show" then
        -- Looking at answers costs time, so it is done only after one was wrong.
        response = function(status, headers, body)
            if not shown and (status < 200 or status > 299) then
                shown = true
                io.write(string.format("\nANSWER %d %s\n", status, body))
            end
        end
    end
end

function request()
    return requests[math.random(#requests)]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nRESULT {"requests": %d, "seconds": %.6f, "not_2xx": %d, "socket_errors": %d, '
        .. '"p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f}\n',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(95) / 1000,
        latency:percentile(99) / 1000))
end
