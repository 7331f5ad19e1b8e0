-- SPDX-License-Identifier: MIT
-- nginx's side of the gate: who asks, how often, and what policy.lua makes of it.
--
-- A token of etcd does not say whose it is. So a login's answer is signed here: TOKEN~USER~MAC. The key derives from
-- the secret of user root, so every member knows it, and nothing has to be remembered, also not over a restart.
local cjson = require "cjson"
local policy = require "policy"

local M = {}

local WINDOW_S = 10
local REQUESTS = 600        -- of one instance in a window
local LOGINS = 400          -- from one address: `up` tries the password of each of its users
local ANONYMOUS = 200       -- from one address
local BUDGET_MIN = 1024 * 1024
local BUDGET_SHARE = 64     -- of the quota, for one instance in one span of kept history

local key, env, budget, span

local function read_file(path)
    local f = assert(io.open(path))
    local text = f:read("*a")
    f:close()
    return text
end

-- Once, in the master: reads what only this user may read.
function M.start()
    key = read_file(os.getenv("SLIPWAY_RUN") .. "/gate/key")
    assert(#key >= 32, "the gate's key is too short")
    env = assert(os.getenv("SLIPWAY_ENV"))
    budget = math.max(tonumber(os.getenv("CFG_quota")) / BUDGET_SHARE, BUDGET_MIN)
    span = math.max(math.ceil(tonumber(os.getenv("CFG_compaction_retention")) / 1000), 60)
end

-- ---- answers: as etcd's gateway gives them, so that clients know what to do ----

local function answer(status, code, message)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"
    ngx.print(cjson.encode { error = message, message = message, code = code })
    return ngx.exit(ngx.HTTP_OK)
end

-- A broken instance could fill the log: each one's first refusal of a minute stands there.
local function note(who, why)
    if ngx.shared.gate:add("said " .. who, true, 60) then
        ngx.log(ngx.WARN, "refused to ", who, ": ", ngx.var.uri:sub(1, 80):gsub("[^%w/_.-]", "?"), ": ", why)
    end
end

local function refuse(who, why)
    note(who, why)
    return answer(403, 7, "etcdserver: permission denied (" .. why .. ")")
end

local function wait_a_while(who, what)
    note(who, "too many " .. what)
    return answer(429, 8, "etcdserver: too many requests (" .. what .. ")")
end

-- True when `who` has had more than `most` of something in this window.
local function is_over(who, what, most, add, seconds)
    local name = table.concat({ what, who, math.floor(ngx.time() / seconds) }, " ")
    local n = ngx.shared.gate:incr(name, add, 0, 2 * seconds)
    return n ~= nil and n > most
end

local function is_over_anonymous(who) return is_over(who, "anonymous", ANONYMOUS, 1, WINDOW_S) end

-- ---- tokens ----

local function mac(text) return ngx.encode_base64(ngx.hmac_sha1(key, text), true) end

local function signed(token, user) return token .. "~" .. user .. "~" .. mac("token " .. token .. " " .. user) end

-- Token and user; nothing when it was not signed here.
local function known(text)
    local token, user, sum = text:match("^([^~]+)~([^~]+)~([^~]+)$")
    if token and #text < 1024 and sum == mac("token " .. token .. " " .. user) then return token, user end
end

local function lease_tag(user)
    local a, b, c, d = ngx.hmac_sha1(key, "lease " .. user):byte(1, 4)
    return (a % 128) * 16777216 + b * 65536 + c * 256 + d
end

local urandom = io.open("/dev/urandom", "rb")
urandom:setvbuf("no")
local function random32()
    local a, b, c, d = urandom:read(4):byte(1, 4)
    return a * 16777216 + b * 65536 + c * 256 + d
end

-- ---- requests ----

local function address() return "address " .. ngx.var.remote_addr end

-- Nothing is escaped or has arguments in what we send, so the path that etcd gets is the one that is looked at here.
local function is_plain() return ngx.req.get_method() == "POST" and ngx.var.request_uri == ngx.var.uri end

local function body_of(max)
    local length = tonumber(ngx.req.get_headers()["content-length"])
    if not length or length > max then return end
    ngx.req.read_body()
    return ngx.req.get_body_data() or ""
end

function M.login()
    local who = address()
    if not is_plain() then return refuse(who, "not a call") end
    if is_over(who, "logins", LOGINS, 1, WINDOW_S) then return wait_a_while(who, "logins") end
    local body = body_of(policy.ANONYMOUS_MAX)
    local name, password = policy.login(body or "")
    if not name then return refuse(who, "not a login of an instance") end
    local r = ngx.location.capture("/etcd/login", {
        method = ngx.HTTP_POST, body = cjson.encode { name = name, password = password },
    })
    local ok, reply = pcall(cjson.decode, r.body)
    ngx.status = r.status
    ngx.header["Content-Type"] = "application/json"
    if r.status == 200 and ok and type(reply.token) == "string" then
        ngx.print(cjson.encode { token = signed(reply.token, name) })
    else
        ngx.print(r.body)
    end
end

local function pass_as_instance(who, user)
    local path = ngx.var.uri
    if not policy.knows(path, user) then return refuse(who, "a call that no instance needs") end
    local body = body_of(user and policy.BODY_MAX or policy.ANONYMOUS_MAX)
    if not body then return refuse(who, "too long, or of no known length") end
    local made, cost = policy.remake(path, body, {
        user = user, env = env, lease_tag = user and lease_tag(user), random32 = random32,
        decode64 = ngx.decode_base64, encode64 = ngx.encode_base64,
    })
    if made then
        if cost > 0 and is_over(user, "bytes", budget, cost, span) then return wait_a_while(who, "bytes written") end
        return ngx.req.set_body_data(made)
    end
    if cost ~= policy.NO_LEASE then return refuse(who, cost) end
    -- As etcd says it of a lease that has run out.
    if path ~= "/v3/lease/keepalive" then return answer(404, 5, "etcdserver: " .. cost) end
    ngx.header["Content-Type"] = "application/json"
    ngx.print('{"result":{}}')
    return ngx.exit(ngx.HTTP_OK)
end

function M.check()
    local who = address()
    if not is_plain() then return refuse(who, "not a call") end
    local text = ngx.var.http_authorization
    if not text then
        ngx.var.gate_user = who
        if is_over_anonymous(who) then return wait_a_while(who, "requests without a login") end
        return pass_as_instance(who, nil)
    end
    local token, user = known(text)
    if not token then
        if is_over_anonymous(who) then return wait_a_while(who, "requests without a login") end
        return answer(401, 16, "etcdserver: invalid auth token")
    end
    ngx.var.gate_token = token
    if user == "root" then return end
    ngx.var.gate_user = user
    if is_over(user, "requests", REQUESTS, 1, WINDOW_S) then return wait_a_while(user, "requests") end
    return pass_as_instance(user, user)
end

return M
