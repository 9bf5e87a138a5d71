-- The world that scripts see: read-only globals, and the basic functions that must know of it.
--
-- Lua 5.1 as it comes has no read-only tables (Redis patches its Lua for them), so a protected
-- table is an empty proxy that reads from the real one and refuses writes. Functions that look
-- into tables without asking metatables are given forms that know the proxies.

local host = ...

local error, type, tostring = error, type, tostring
local getmetatable0, setmetatable0 = getmetatable, setmetatable
local next0, rawget0, rawset0 = next, rawget, rawset
local pcall0, xpcall0 = pcall, xpcall
local resume0 = coroutine.resume
local unwrap, where = host.unwrap, host.where
local READONLY = "Attempt to modify a readonly table"
local table = table

local real = {}        -- what stands behind each proxy
local shown = {}       -- the metatable that scripts are shown for a proxy
local proxies = {}
local sealed = setmetatable0({}, { __mode = "k" }) -- what was in the tables that refuse writes
local globals = {}

local function refuse()
  error(READONLY, 2)
end

local function protect(target)
  local proxy = setmetatable0({}, { __index = target, __newindex = refuse })
  real[proxy] = target
  proxies[#proxies + 1] = proxy
  return proxy
end

local function bad_table(name, value, level)
  error("bad argument #1 to '" .. name .. "' (table expected, got "
    .. type(value) .. ")", level + 1)
end

function globals.next(table, key)
  if type(table) ~= "table" then bad_table("next", table, 2) end
  return next0(real[table] or table, key)
end

function globals.pairs(table)
  if type(table) ~= "table" then bad_table("pairs", table, 2) end
  return next0, real[table] or table, nil
end

function globals.rawget(table, key)
  if type(table) ~= "table" then bad_table("rawget", table, 2) end
  return rawget0(real[table] or table, key)
end

function globals.rawset(table, key, value)
  if type(table) ~= "table" then bad_table("rawset", table, 2) end
  if real[table] or sealed[table] then error(READONLY, 0) end
  return rawset0(table, key, value)
end

local string_metatable = getmetatable0("")

function globals.getmetatable(value)
  if type(value) == "string" then return shown[string_metatable] end
  if type(value) == "number" then return nil end
  if real[value] then return shown[value] end
  return getmetatable0(value)
end

function globals.setmetatable(table, metatable)
  if type(table) ~= "table" then
    bad_table("setmetatable", table, 2)
  end
  if metatable ~= nil and type(metatable) ~= "table" then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  if real[table] then error(READONLY, 0) end
  return setmetatable0(table, metatable)
end

-- unwrap raises the end of the script's time again, whatever was caught: nothing survives it, not
-- even an error handler without end.

-- Lua's pcall has no room to put "true" before twenty results and more, which Lua built for debugging
-- takes for a fault and ends the process. So results are handed over in a table. What is called finds
-- its caller here, where Redis's has no line: the place that `error(…, 2)` adds is taken off again.
local select, unpack, sub, find = select, unpack, string.sub, string.find

local function pack(...)
  return { n = select("#", ...), ... }
end

-- Lua puts the name of what it calls into errors about arguments; what Redis's pcall calls has none.
local nameless = {}

local function packed(body, ...)
  nameless[1] = body
  local results = pack(nameless[1](...))
  return results
end

local function without_place(failure)
  if type(failure) == "string" then
    local _, last = find(failure, "^sandbox:%d+: ")
    if last then return sub(failure, last + 1) end
  end
  return failure
end

local function callable(body)
  return type(body) == "function" or (type(body) == "table" and getmetatable0(body))
end

-- Redis's pcall answers the text of an error object, not the object.
local function settled(ok, results, ...)
  if ok then return true, unpack(results, 1, results.n) end
  local failure = without_place(unwrap(results))
  if type(failure) == "table" then
    local text = failure.err
    if type(text) == "string" or type(text) == "number" then failure = text end
  end
  return false, failure
end

function globals.pcall(...)
  local body = ...
  if not callable(body) then return settled(pcall0(...)) end
  return settled(pcall0(packed, ...))
end

local function passed_on(ok, results)
  if ok then return true, unpack(results, 1, results.n) end
  return false, unwrap(results)
end

function globals.xpcall(body, handler)
  local run = callable(body) and function() return packed(body) end or body
  return passed_on(xpcall0(run, function(failure)
    return handler(without_place(unwrap(failure)))
  end))
end

globals.loadstring = host.load

function globals.load(reader, name)
  local parts = {}
  while true do
    local part = reader()
    if part == nil or part == "" then break end
    if type(part) ~= "string" then error("reader function must return a string", 2) end
    parts[#parts + 1] = part
  end
  return host.load(table.concat(parts), name or "=(load)")
end

for _, name in ipairs {
  "assert", "collectgarbage", "error", "gcinfo", "ipairs", "rawequal", "select", "tonumber",
  "tostring", "type", "_VERSION",
} do
  globals[name] = _G[name]
end

-- What C makes of a number for which it wants an int.
local tonumber, ceil, floor = tonumber, math.ceil, math.floor
local function as_c_int(number)
  if not (number >= -2^63 and number < 2^63) then return 0 end
  local low = (number < 0 and ceil(number) or floor(number)) % 2^32
  return low >= 2^31 and low - 2^32 or low
end

local function check_table(name, count, given)
  if type(given) == "table" then return end
  local kind = count == 0 and "no value" or type(given)
  error("bad argument #1 to '" .. name .. "' (table expected, got " .. kind .. ")", 3)
end

local function check_int(name, place, given)
  local number = tonumber(given)
  if number then return as_c_int(number) end
  error("bad argument #" .. place .. " to '" .. name .. "' (number expected, got " .. type(given)
    .. ")", 3)
end

-- Lua's own unpack overflows over a range that begins far below zero, and then writes beyond its
-- stack. It is asked for ranges alone that its stack holds.
local MOST_RESULTS = 8000

function globals.unpack(...)
  local list, first, last = ...
  local count = select("#", ...)
  check_table("unpack", count, list)
  first = first == nil and 1 or check_int("unpack", 2, first)
  last = last == nil and #list or check_int("unpack", 3, last)
  if first > last then return end
  if last - first + 1 + count > MOST_RESULTS then error("too many results to unpack", 2) end
  return unpack(list, first, last)
end

-- Lua's own table.insert moves every place behind the new one, for half a minute when that is far
-- below zero. There, what is in those places is moved.
local insert0 = table.insert
local LOWEST_PLACE = -10000

local function insert_far_below(list, place, value)
  local length, moved = #list, {}
  for key, element in next0, list do
    if type(key) == "number" and key >= place and key <= length and key == floor(key) then
      moved[key] = element
    end
  end
  for key in next0, moved do rawset0(list, key, nil) end
  for key, element in next0, moved do rawset0(list, key + 1, element) end
  rawset0(list, place, value)
end

function table.insert(...)
  local list, place, value = ...
  local count = select("#", ...)
  check_table("insert", count, list)
  if count == 2 then return insert0(list, place) end
  if count ~= 3 then error("wrong number of arguments to 'insert'", 2) end
  place = check_int("insert", 2, place)
  if place < LOWEST_PLACE then return insert_far_below(list, place, value) end
  return insert0(list, place, value)
end

local function copy(source)
  local target = {}
  for key, value in next0, source do target[key] = value end
  return target
end

local function resumed(ok, ...)
  if ok then return true, ... end
  return false, unwrap((...))
end

coroutine = copy(coroutine)
function coroutine.resume(...)
  return resumed(resume0(...))
end

-- Lua's own matcher may take for ever, uninterrupted. In place, for strings have these as methods.
-- Replacements that are no text are asked for here: an error in them passes through Lua as it is.
local find_from, gsub_text = host.strings.find_from, host.strings.gsub
local check_gsub = host.strings.check_gsub
for _, name in ipairs { "find", "match", "gmatch", "rep" } do
  string[name] = host.strings[name]
end

local function is_text(value)
  return type(value) == "string" or type(value) == "number"
end

local function gsub_by(text, pattern, replacement, most)
  local wants_all = type(replacement) == "function"
  local anchored = sub(pattern, 1, 1) == "^"
  local parts, count, at = {}, 0, 1

  local function replaced(from, to, ...)
    if not from then return end
    local value
    if type(replacement) == "function" then
      value = replacement(...)
    else
      value = replacement[(...)]
    end
    if not value then
      value = sub(text, from, to)
    elseif not is_text(value) then
      error("invalid replacement value (a " .. type(value) .. ")", 4)
    end
    parts[#parts + 1] = sub(text, at, from - 1)
    parts[#parts + 1] = value
    return from, to
  end

  while count < most do
    local from, to = replaced(find_from(text, pattern, at, wants_all))
    if not from then break end
    count = count + 1
    if to >= from then
      at = to + 1
    elseif from <= #text then
      parts[#parts + 1] = sub(text, from, from)
      at = from + 1
    else
      at = from
      break
    end
    if anchored then break end
  end
  parts[#parts + 1] = sub(text, at)
  return table.concat(parts), count
end

function string.gsub(...)
  local text, pattern, replacement, most = ...
  local result, count
  if type(replacement) == "function" or type(replacement) == "table" then
    text, pattern, most = check_gsub(...)
    result, count = gsub_by(text, pattern, replacement, most)
  else
    result, count = gsub_text(...)
  end
  return result, count
end

math = copy(math)
math.random, math.randomseed = host.random, host.randomseed

globals.coroutine = protect(coroutine)
globals.math = protect(math)
globals.table = protect(table)
globals.string = protect(string)
globals.os = protect { clock = host.clock }
globals.redis = protect(host.redis)
for name, library in next0, host.libraries do
  globals[name] = protect(library)
end
shown[string_metatable] = protect { __index = globals.string }

-- What a failing script leaves behind: an object with the text, where it happened and the line.
-- A copy, for the script may have raised a table that must not be written to.
local function failed(failure)
  if type(failure) == "userdata" then failure = host.describe(failure) end
  local object = {}
  if type(failure) == "table" then
    object.err = rawget0(real[failure] or failure, "err")
  else
    object.err = "ERR " .. tostring(failure)
    object.plain = true
  end
  object.source, object.line, object.traceback = where()
  return object
end
if not host.loading then globals.__redis__err__handler = failed end

local missing = {
  __index = function(_, name)
    if type(name) ~= "string" and type(name) ~= "number" then
      error("bad argument #2 to '?' (string expected, got " .. type(name) .. ")", 2)
    end
    error("Script attempted to access nonexistent global variable '" .. name .. "'", 2)
  end,
}
setmetatable0(globals, missing)
local environment = protect(globals)
globals._G = environment
shown[environment] = protect { __index = missing.__index }

-- table.insert and its like write into a proxy unasked; the next script must not see it.
local function clean(...)
  for i = 1, #proxies do
    local proxy = proxies[i]
    while true do
      local key = next0(proxy)
      if key == nil then break end
      rawset0(proxy, key, nil)
    end
  end
  return ...
end

local chunks = host.chunks

-- One value is all that a script answers with. Lua 5.1's xpcall has room for about twenty.
local chunk
local function first_value()
  return (chunk())
end

-- Lua cannot refuse that a script assigns to an element that is there without hiding the elements from
-- '#' and unpack. So it shows at the end: such a script has failed, as at the assignment, with nil in the
-- error's place, for nobody knows where that was.
local function intact(target)
  local before = sealed[target]
  if before then
    for i = 1, #before do
      if rawget0(target, i) ~= before[i] then return false end
    end
  end
  return true
end

local function checked(keys, argv, ...)
  if intact(keys) and intact(argv) then return ... end
  return false, nil
end

local function run(id, keys, argv)
  globals.KEYS, globals.ARGV = keys, argv
  chunk = chunks[id]
  return clean(checked(keys, argv, xpcall0(first_value, failed)))
end

-- While a library is loaded it sees the functions to register with, and nothing else.
local loading = setmetatable0({}, missing)
if host.loading then
  loading.redis = protect(setmetatable0(host.loading, missing))
end

local function load_library(id)
  local metatable = getmetatable0(environment)
  metatable.__index = loading
  local ok, failure = xpcall0(chunks[id], failed)
  metatable.__index = globals
  return clean(ok, failure)
end

local function run_function(id, keys, argv)
  local body = chunks[id]
  return clean(xpcall0(function() return (body(keys, argv)) end, failed))
end

-- KEYS and ARGV where they may not be written to: new elements are refused at once.
local seal_metatable = { __newindex = refuse }

local function seal(target)
  local before = {}
  for i = 1, #target do before[i] = target[i] end
  sealed[target] = before
  return setmetatable0(target, seal_metatable)
end

if host.seals then
  for _, name in ipairs { "insert", "remove", "sort" } do
    local native = table[name]
    table[name] = function(target, ...)
      if sealed[target] then error(READONLY, 2) end
      return native(target, ...)
    end
  end
end

-- gopher-lua's words for arithmetic and '..' name the operation and both kinds, which Lua's do not. Lua
-- asks either operand's metatable before it gives up, and one of them is nearly always a number or a text.
local operations = {}
if host.own_words then
  for _, name in ipairs { "add", "sub", "mul", "div", "mod", "pow", "concat" } do
    local function refuse_operation(left, right)
      error("cannot perform " .. name .. " operation between " .. type(left) .. " and "
        .. type(right), 2)
    end
    operations["__" .. name] = refuse_operation
    string_metatable["__" .. name] = refuse_operation
  end
end

return environment, host.loading and run_function or run, load_library, seal, operations
