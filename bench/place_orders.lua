-- Places orders of three lines through commerce, each with an idempotency key of its own.
-- Arguments: the API key, the number of products, the address prefix.

local key, products, path

local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

function init(args)
    key, products, path = args[1], tonumber(args[2]), args[3]
    math.randomseed(os.time() * 100 + number)
    counter = 0
    salt = string.format("%08x%08x", math.random(0, 2^31 - 1), math.random(0, 2^31 - 1))
end

function request()
    counter = counter + 1
    local items = {}
    for i = 1, 3 do
        items[i] = string.format(
            '{"productId":"PROD%03d","quantity":%d}', math.random(1, products), math.random(1, 3))
    end
    local body = string.format(
        '{"customerId":"CUST%05d","items":[%s],"shippingAddress":{"street":"1 Main St",'
        .. '"city":"Anytown","state":"CA","zipCode":"90210","country":"USA"}}',
        math.random(1, 5000), table.concat(items, ","))
    return wrk.format("POST", path .. "/v1/orders", {
        ["Authorization"] = "Bearer " .. key,
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = salt .. "-" .. number .. "-" .. counter,
    }, body)
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
