-- SPDX-License-Identifier: MIT
-- Runs components/etcd/lib/policy.lua for etcd_policy.py, without nginx: "LENGTH\nPATH\nBODY" in, a line of JSON out.
package.path = arg[1] .. "/?.lua;" .. package.path
local cjson = require "cjson"
local policy = require "policy"
jit.off() -- else not every line is seen

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- As ngx.decode_base64: what stands behind a "=" does not count.
local function decode64(text)
    text = text:match("^[^=]*")
    if #text % 4 == 1 then return nil end
    local out, bits, have = {}, 0, 0
    for c in text:gmatch(".") do
        local v = ALPHABET:find(c, 1, true)
        if not v then return nil end
        bits, have = bits * 64 + v - 1, have + 6
        if have >= 8 then
            have = have - 8
            out[#out + 1] = string.char(math.floor(bits / 2 ^ have) % 256)
            bits = bits % 2 ^ have
        end
    end
    return table.concat(out)
end

local function encode64(raw)
    local out = {}
    for i = 1, #raw, 3 do
        local a, b, c = raw:byte(i, i + 2)
        local n = a * 65536 + (b or 0) * 256 + (c or 0)
        for k = 3, 0, -1 do
            local v = math.floor(n / 64 ^ k) % 64 + 1
            out[#out + 1] = (k == 1 and not b or k == 0 and not c) and "=" or ALPHABET:sub(v, v)
        end
    end
    return table.concat(out)
end

local reached = {}
local function mark(_, line)
    if debug.getinfo(2, "S").source:find("policy.lua", 1, true) then reached[tostring(line)] = true end
end

for length in io.lines() do
    -- io.read(0) would wait for the next request to see whether the input has ended.
    local input = length == "0" and "" or io.read(tonumber(length))
    local path, body = input:match("^([^\n]*)\n?(.*)$")
    local who = { user = path:sub(1, 1) ~= "!" and "sleeper-1" or nil, env = "demo", lease_tag = 7,
                  random32 = function() return 4294967295 end, decode64 = decode64, encode64 = encode64 }
    debug.sethook(mark, "l")
    local ok, made, cost = pcall(policy.remake, path:gsub("^!", ""), body, who)
    debug.sethook()
    local answer = { lines = reached, error = not ok and tostring(made) or nil }
    if ok and made then answer.made, answer.cost = encode64(made), cost end
    io.write(cjson.encode(answer), "\n")
    io.flush()
end
