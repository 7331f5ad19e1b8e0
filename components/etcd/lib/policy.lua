-- SPDX-License-Identifier: MIT
-- What an instance may ask etcd for. The request is taken apart and made again from what was understood: etcd reads
-- what this wrote, so whatever JSON can hide (keys that stand twice, escapes, other spellings of a name, fields that
-- only a later version knows) ends here. etcd's own roles say who may read and write which key; this keeps to the calls
-- in which etcd 3.5 asks its roles, see README.md.
local cjson = require "cjson"
local ffi = require "ffi"

local M = {}

M.BODY_MAX = 2 * 1024 * 1024
M.ANONYMOUS_MAX = 8192       -- of a request that belongs to nobody: a login, a read without a password
local DEPTH_MAX = 6          -- a transaction needs four
local OPERATIONS_MAX = 128   -- etcd's own --max-txn-ops
local KEY_MAX = 1024
local REPORT_MAX = 256 * 1024
local VALUE_MAX = 1024 * 1024
local TTL_MAX = 120
local PUT_COST = 256         -- what a revision takes besides key and value

cjson.decode_max_depth(DEPTH_MAX)
cjson.decode_invalid_numbers(false)

-- ---- values: each returns JSON text, or nothing when the value is not of its kind ----

local function int(v)
    if type(v) == "number" and v == math.floor(v) and math.abs(v) < 2 ^ 53 then v = string.format("%d", v) end
    if type(v) == "string" and #v <= 20 and v:find("^%-?%d+$") then return '"' .. v .. '"' end
end

local function bool(v)
    if type(v) == "boolean" then return tostring(v) end
end

local function one_of(...)
    local words = {}
    for _, w in ipairs { ... } do words[w] = true end
    return function(v)
        if type(v) == "string" and words[v] then return '"' .. v .. '"' end
    end
end

local function bytes(self, v, max)
    local raw = type(v) == "string" and self.decode64(v)
    if raw and #raw <= max then return '"' .. self.encode64(raw) .. '"', raw end
end

local function is_object(v)
    if type(v) ~= "table" then return false end
    for name in pairs(v) do
        if type(name) ~= "string" then return false end
    end
    return true
end

local function is_list(v)
    if type(v) ~= "table" then return false end
    local n = 0
    for _ in pairs(v) do n = n + 1 end
    return n == #v
end

-- The object with no other fields: `kinds` maps a name to a function of the value. Nothing and the reason otherwise.
local function object(v, kinds)
    if not is_object(v) then return nil, "an object is expected" end
    local parts = {}
    for name, value in pairs(v) do
        local kind = kinds[name]
        if not kind then return nil, "a field that no instance needs" end
        local text, why = kind(value)
        if not text then return nil, type(why) == "string" and why or "a value of the wrong kind" end
        parts[#parts + 1] = '"' .. name .. '":' .. text
    end
    return "{" .. table.concat(parts, ",") .. "}"
end

local function list(v, item)
    if not is_list(v) then return nil, "a list is expected" end
    if #v > OPERATIONS_MAX then return nil, "too many operations" end
    local parts = {}
    for i, value in ipairs(v) do
        local text, why = item(value)
        if not text then return nil, why end
        parts[i] = text
    end
    return "[" .. table.concat(parts, ",") .. "]"
end

-- ---- keys ----

local function begins(text, with) return text:sub(1, #with) == with end

-- A key of the environment; who may do what with it is for etcd's roles to say.
local function key_kind(self, found)
    return function(v)
        local text, raw = bytes(self, v, KEY_MAX)
        if not text then return end
        if self.user and not begins(raw, self.root) then return nil, "a key of no environment of ours" end
        found.key = raw
        return text
    end
end

-- The end of a range: everything below a folder, or the rest of it. "\0", and whatever is not behind the key, is an
-- order to etcd to deliver more than it checked.
local function end_kind(self, found)
    return function(v)
        local text, raw = bytes(self, v, KEY_MAX)
        if not text or #raw < 2 then return nil, "a range without a proper end" end
        found.range_end = raw
        return text
    end
end

local function range_is_sane(self, found)
    if not found.key or found.key == "" then return false end
    if not found.range_end then return true end
    local folder = found.range_end:sub(1, -2) .. "/"
    if found.range_end:sub(-1) ~= "0" or not begins(found.key, folder) then return false end -- "0" comes after "/"
    return not self.user or begins(folder, self.own) or begins(folder, self.component)
end

local function ranged(self, v, more)
    local found = {}
    local kinds = { key = key_kind(self, found), range_end = end_kind(self, found) }
    for name, kind in pairs(more) do kinds[name] = kind end
    local text, why = object(v, kinds)
    if not text then return nil, why end
    if not range_is_sane(self, found) then return nil, "a range beyond the instance's own folders" end
    return text
end

-- ---- leases: the gate gives them their numbers, whose upper half says whose they are ----

-- Of a decimal number below 2^64 the upper 32 bits, exactly.
local function upper_half(text)
    local n = ffi.new("uint64_t", 0)
    for digit in text:gmatch("%d") do n = n * 10 + (digit:byte() - 48) end
    return tonumber(n / 4294967296ULL)
end

local function own_lease(self)
    return function(v)
        local text = int(v)
        local digits = text and text:match('^"(%d+)"$')
        if not digits then return end
        if #digits > 19 or upper_half(digits) ~= self.lease_tag then return nil, M.NO_LEASE end
        return text
    end
end
M.NO_LEASE = "requested lease not found" -- as for a stranger's lease

local function new_lease(self)
    local n = ffi.new("uint64_t", self.lease_tag) * 4294967296ULL + self.random32()
    return (tostring(n):gsub("ULL$", ""))
end

-- ---- calls: each returns the request made again, and what it costs of the budget for writing ----

local RANGE = { revision = int, limit = int, count_only = bool, keys_only = bool, serializable = bool }

local function range(self, v) return ranged(self, v, RANGE) end

local function put(self, v)
    local found, size = {}, 0
    local lease = own_lease(self)
    local text, why = object(v, {
        key = key_kind(self, found),
        value = function(value)
            local encoded, raw = bytes(self, value, VALUE_MAX)
            size = raw and #raw or 0
            return encoded
        end,
        lease = function(value)
            if value == 0 or value == "0" then return '"0"' end
            return lease(value)
        end,
    })
    if not text then return nil, why end
    if not found.key or found.key == "" then return nil, "a write without a key" end
    if begins(found.key, self.own) and size > REPORT_MAX then return nil, "a report that is too long" end
    self.cost = self.cost + #found.key + size + PUT_COST
    return text
end

local COMPARE = {
    result = one_of("EQUAL", "GREATER", "LESS", "NOT_EQUAL"),
    target = one_of("VERSION", "CREATE", "MOD", "VALUE"),
    create_revision = int, mod_revision = int, version = int,
}

local function compare(self, v)
    local found = {}
    local kinds = { key = key_kind(self, found), value = function(value) return (bytes(self, value, VALUE_MAX)) end }
    for name, kind in pairs(COMPARE) do kinds[name] = kind end
    local text, why = object(v, kinds)
    if text and not found.key then return nil, "a compare without a key" end
    return text, why
end

-- No deletes: no instance needs one, and they go through when etcd has set its roles aside (alarm NOSPACE).
local function operation(self, v)
    local n = 0
    for _ in pairs(type(v) == "table" and v or {}) do n = n + 1 end
    if n ~= 1 then return nil, "an operation of more or less than one kind" end
    return object(v, {
        request_range = function(value) return range(self, value) end,
        request_put = function(value) return put(self, value) end,
    })
end

local function txn(self, v)
    local function operations(value)
        return list(value, function(item) return operation(self, item) end)
    end
    return object(v, {
        compare = function(value)
            return list(value, function(item) return compare(self, item) end)
        end,
        success = operations,
        failure = operations,
    })
end

local function grant(self, v)
    local ttl = is_object(v) and int(v.TTL)
    local seconds = ttl and tonumber(ttl:sub(2, -2))
    if not seconds or seconds < 1 or seconds > TTL_MAX or next(v, "TTL") or next(v) ~= "TTL" then
        return nil, "a lease is asked for with a TTL alone, of " .. TTL_MAX .. " s at most"
    end
    self.cost = self.cost + PUT_COST
    return '{"TTL":' .. ttl .. ',"ID":"' .. new_lease(self) .. '"}'
end

local function lease(self, v)
    local text, why = object(v, { ID = own_lease(self) })
    if text == "{}" then return nil, "a lease without a number" end
    return text, why
end

-- Several requests stand one behind the other. None holds a brace inside a text: keys are base64.
local function watch(self, text)
    local lines = {}
    for line in (text:gsub("}%s*{", "}\n{") .. "\n"):gmatch("(.-)\n") do
        if line:find("%S") then
            local ok, v = pcall(cjson.decode, line)
            if not ok then return nil, "not JSON" end
            if not is_object(v) or not v.create_request then return nil, "a watch is created, nothing else" end
            local made, why = object(v, {
                create_request = function(value)
                    return ranged(self, value, { start_revision = int, watch_id = int })
                end,
            })
            if not made then return nil, why end
            lines[#lines + 1] = made
            if #lines > OPERATIONS_MAX then return nil, "too many watches" end
        end
    end
    if #lines == 0 then return nil, "no watch in it" end
    return table.concat(lines, "\n") .. "\n"
end

local function decoded(call)
    return function(self, text)
        local ok, v = pcall(cjson.decode, text)
        if not ok then return nil, "not JSON" end
        return call(self, v)
    end
end

local CALLS = {
    ["/v3/kv/range"] = decoded(range),
    ["/v3/kv/put"] = decoded(put),
    ["/v3/kv/txn"] = decoded(txn),
    ["/v3/lease/grant"] = decoded(grant),
    ["/v3/lease/keepalive"] = decoded(lease),
    ["/v3/lease/revoke"] = decoded(lease),
    ["/v3/watch"] = watch,
}
local ANONYMOUS = { ["/v3/kv/range"] = true }

-- Who may log in at all, besides root: instances have names like ceph-osd-1.
function M.component_of(user) return user:match("^([a-z][a-z0-9-]*)%-%d+$") end

function M.knows(path, user)
    return CALLS[path] ~= nil and (user ~= nil or ANONYMOUS[path] == true)
end

-- The request of `who` made again, and its cost. Nothing and the reason when it is refused.
-- who: user (nil: nobody's), env, lease_tag (31 bits that are this user's), random32(), decode64(), encode64()
function M.remake(path, body, who)
    if not M.knows(path, who.user) then return nil, "a call that no instance needs" end
    local component = who.user and M.component_of(who.user)
    if who.user and not component then return nil, "a user that is not an instance" end
    if #body > (who.user and M.BODY_MAX or M.ANONYMOUS_MAX) then return nil, "too long" end
    local self = setmetatable({ cost = 0 }, { __index = who })
    self.root = "/slipway/" .. who.env .. "/"
    self.own = self.root .. "instances/" .. (who.user or "") .. "/"
    self.component = self.root .. "components/" .. (component or "") .. "/"
    local text, why = CALLS[path](self, body)
    if not text then return nil, why or "refused" end
    return text, self.cost
end

-- Name and password of a login. Nothing when it is not one.
function M.login(body)
    local ok, v = pcall(cjson.decode, #body <= M.ANONYMOUS_MAX and body or "")
    if not ok or not is_object(v) then return end
    for name, value in pairs(v) do
        if (name ~= "name" and name ~= "password") or type(value) ~= "string" then return end
    end
    if not v.name or not v.password or (v.name ~= "root" and not M.component_of(v.name)) then return end
    return v.name, v.password
end

return M
