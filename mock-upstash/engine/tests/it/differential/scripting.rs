//! Scripts against Redis: conversions both ways, errors, the libraries, the sandbox.

use proptest::prelude::*;
use proptest::sample::select;

use super::against_redis;
use super::generate::{Part, command, key, one_of, sequence, times, value, word};

/// Values as Lua writes them.
const VALUES: &[&str] = &[
    "nil",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "-0",
    "3.7",
    "-3.99",
    "0.1",
    "1e15",
    "1e20",
    "1e-7",
    "2^31",
    "2^32-1",
    "2^53",
    "-2^63",
    "2^63",
    "2^64",
    "1/0",
    "-1/0",
    "0/0",
    "1e300",
    "5e-324",
    "12345678901234567",
    "''",
    "'a'",
    "'10'",
    "'0x10'",
    "' 1 '",
    "'a b'",
    "'a\\r\\nb'",
    "string.rep('x', 40)",
    "{}",
    "{1, 2, 3}",
    "{1, nil, 3}",
    "{a = 1}",
    "{1, a = 2}",
    "{[5] = 1}",
    "{[2^40] = 1}",
    "{{}, {{1}}}",
    "{true, false, 'x', 1.5}",
    "{ok = 'fine'}",
    "{ok = 1}",
    "{err = 'My error'}",
    "{err = 'bad\\nline'}",
    "{err = 12}",
    "{double = 1.5}",
    "{double = 'x'}",
    "{map = {a = 1}}",
    "{set = {a = true}}",
    "{big_number = '123'}",
    "{verbatim_string = {format = 'txt', string = 'text'}}",
    "function() end",
    "cjson.null",
    "KEYS",
    "ARGV",
    "KEYS[1]",
    "ARGV[1]",
    "#KEYS",
    "redis.error_reply('x y')",
    "redis.error_reply('-x')",
    "redis.status_reply('fine')",
    "redis.status_reply(1)",
    "redis.call('GET', 'k1')",
    "redis.pcall('GET', 'k1')",
    "redis.pcall('INCR', 'k1')",
    "redis.pcall('NOPE')",
    "redis.call('TYPE', 'k1')",
    "redis.sha1hex('a')",
];

/// Scripts; `$a` and `$b` stand for values.
const SCRIPTS: &[&str] = &[
    "return $a",
    "return {$a, $b}",
    "redis.setresp(3) return $a",
    "return type($a)",
    "return redis.call('SET', KEYS[1] or 'k1', $a)",
    "redis.call('SET', 'k2', $a) return redis.call('GET', 'k2')",
    "return redis.pcall('SET', 'k2', $a, $b)",
    "return redis.call('APPEND', 'k3', $a)",
    "return redis.call($a, $b)",
    "return redis.call('INCRBY', 'k1', $a)",
    "return redis.call('MGET', 'k1', 'k2', 'k3')",
    "redis.setresp(3) return redis.call('HGETALL', 'k1')",
    "redis.setresp(3) return type(redis.call('GET', 'none'))",
    "return redis.call('MULTI')",
    "return redis.call('EVAL', 'return 1', 0)",
    "error($a)",
    "error($a, 0)",
    "local ok, e = pcall(error, $a) return {ok, type(e) == 'string' and e or type(e)}",
    "local ok, e = pcall(redis.call, $a, $b) return {ok, type(e) == 'string' and e or type(e)}",
    "local ok, e = xpcall(function() error($a) end, function(e) return e end) return {ok, type(e)}",
    "local ok, e = xpcall(function() redis.call('NOPE') end, function(e) return e.err end) return e",
    "local function f() redis.call('SET', 'k1') end\n\nf()",
    "return $a + $b",
    "return $a .. $b",
    "return $a < $b",
    "return $a == $b",
    "return #$a",
    "local t = $a return t.x",
    "local t = $a t.x = 1 return t.x",
    "local t = $a t()",
    "return tonumber($a)",
    "return tostring(tonumber($a))",
    "return {tonumber($a, 16)}",
    "return select('#', unpack($a))",
    "return string.format('%s %d', $a, $b)",
    "return string.rep($a, 3)",
    "return string.byte($a, 1, -1)",
    "return table.concat($a, ',')",
    "return {math.floor($a), math.max($a, $b)}",
    "for k, v in pairs($a) do return {k, v} end",
    "for i, v in ipairs($a) do return {i, v} end",
    "return {next($a)}",
    "return rawset($a, 'x', 1).x",
    "return getmetatable($a)",
    "return setmetatable($a, $b).x",
    "x = $a",
    "return x",
    "string.x = $a",
    "rawset(_G, 'x', $a)",
    "setmetatable(_G, $a)",
    "getmetatable('').__index = $a",
    "KEYS[1] = $a return type(KEYS[1])",
    "KEYS = $a",
    "return loadstring($a)",
    "return loadstring('return 1 + 1')()",
    "return coroutine.wrap(function() return $a end)()",
    "return {coroutine.resume(coroutine.create(function() error($a) end))}",
    "return cjson.encode($a)",
    "return cjson.encode({$a, x = $b})",
    "return cjson.encode(cjson.decode(cjson.encode({$a, {$b}})))",
    "return cjson.decode($a)",
    "return cmsgpack.unpack(cmsgpack.pack($a))",
    "return cmsgpack.pack($a, $b)",
    "return {cmsgpack.unpack_one(cmsgpack.pack($a, $b))}",
    "return {cmsgpack.unpack_limit(cmsgpack.pack($a, $b, 1), 2)}",
    "return cmsgpack.unpack($a)",
    "return struct.pack('>I2i4Ls', $a, $b, 1, 'x')",
    "return struct.pack('<bBhHdf', $a, $a, $b, $b, $a, $b)",
    "return {struct.unpack('>I2', $a)}",
    "return {struct.unpack('Bc0', $a)}",
    "return {bit.tobit($a), bit.bnot($a), bit.band($a, $b), bit.lshift($a, 3)}",
    "return {bit.tohex($a), bit.rol($a, 5), bit.arshift($a, $b), bit.bswap($a)}",
    "return redis.sha1hex($a)",
    "return redis.error_reply($a)",
    "return redis.status_reply($a)",
    "return redis.log($a, $b)",
    "return redis.setresp($a)",
    "return redis.set_repl($a)",
    "return redis.acl_check_cmd($a, $b)",
    "return $a $b",
    "if $a then return 1 else return 2 end",
    "#!lua\nreturn $a",
    "#!lua flags=no-writes\nreturn redis.call('SET', 'k1', $a)",
    "#!lua flags=$a\nreturn 1",
    "#!lua flags=allow-oom,no-cluster\nerror($a)",
];

/// A script made of a template and values. None has a reply that depends on chance, nor on what a
/// script before it left in the server.
fn script() -> Part {
    (select(SCRIPTS), select(VALUES), select(VALUES))
        .prop_map(|(script, a, b)| script.replace("$a", a).replace("$b", b))
        // A function is shown by its address.
        .prop_filter("an address", |script| {
            !script.contains("error(function") && !script.contains("tostring(function")
        })
        .prop_map(|script| vec![script.into_bytes()])
        .boxed()
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let arguments = || {
        one_of(&["0", "1", "2", "-1", "x", "10"])
            .prop_flat_map(|count| {
                sequence(vec![
                    Just(count).boxed(),
                    times(key(), 0..3),
                    times(value(), 0..2),
                ])
            })
            .boxed()
    };
    vec![
        command("EVAL", vec![script(), word("0")]),
        command("EVAL", vec![script(), word("1"), key(), value()]),
        command("EVAL", vec![script(), arguments()]),
        command("EVAL_RO", vec![script(), word("1"), key(), value()]),
        command("SCRIPT", vec![word("EXISTS"), value()]),
        command("EVALSHA", vec![value(), arguments()]),
    ]
}

#[test]
fn scripts_answer_as_redis_does() {
    against_redis("scripting", commands());
}
