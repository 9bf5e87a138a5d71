//! Libraries of functions against Redis: loading, listing, running, and what is wrong with them.

use proptest::prelude::*;
use proptest::sample::select;

use super::against_redis_with;
use super::generate::{
    Part, any_of, command, is_fit, key, maybe, one_of, sequence, times, value, word,
};

/// First lines of libraries.
const HEADS: &[&str] = &[
    "#!lua name=one",
    "#!lua name=one",
    "#!lua name=two",
    "#!lua name=two",
    "#!LUA name=three",
    "#!lua name=One",
    "#!lua  name=one",
    "#!lua name=one name=two",
    "#!lua name='one'",
    "#!lua name=",
    "#!lua name=a-b",
    "#!lua nam=one",
    "#!lua",
    "#!js name=one",
    "#! name=one",
    "lua name=one",
    "",
    "#!lua name=one flags=no-writes",
];

/// What libraries do when they are loaded.
const BODIES: &[&str] = &[
    "redis.register_function('f', function(keys, args) return 1 end)",
    "redis.register_function('f', function(keys, args) return {keys, args} end)",
    "redis.register_function('g', function(keys, args) return redis.call('SET', keys[1], args[1]) end)",
    "redis.register_function('g', function(keys) return redis.call('GET', keys[1]) end)",
    "redis.register_function{function_name='f', callback=function(keys) return #keys end, flags={'no-writes'}, description='says how many'}",
    "redis.register_function{function_name='g', callback=function(keys) return redis.call('SET', keys[1] or 'k1', 1) end, flags={'no-writes'}}",
    "redis.register_function{function_name='h', callback=function(keys, args) error(args[1]) end, flags={'no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'}}",
    "redis.register_function{function_name='h', callback=function() return redis.pcall('NOPE') end}",
    "redis.register_function{function_name='h', callback=function() x = 1 end}",
    "redis.register_function{function_name='h', callback=function() return redis.register_function end}",
    "redis.register_function{function_name='h', callback=function() return redis.setresp(3) end, flags={}}",
    "redis.register_function{function_name='f', flags={'nope'}, callback=function() end}",
    "redis.register_function{function_name='f', flags={1}, callback=function() end}",
    "redis.register_function{function_name='f', flags='no-writes', callback=function() end}",
    "redis.register_function{function_name='f', nope=1, callback=function() end}",
    "redis.register_function{function_name='f'}",
    "redis.register_function{callback=function() end}",
    "redis.register_function{function_name=1, callback=function() return 2 end}",
    "redis.register_function{function_name='f', callback=1}",
    "redis.register_function{function_name='f', description=1.5, callback=function() end}",
    "redis.register_function{function_name='f', description={}, callback=function() end}",
    "redis.register_function{}",
    "redis.register_function()",
    "redis.register_function('f')",
    "redis.register_function(1, function() end)",
    "redis.register_function('f', 1)",
    "redis.register_function('f', function() end, 1)",
    "redis.register_function('a-b', function() end)",
    "redis.register_function('', function() end)",
    "local n = 0\nredis.register_function('n', function() n = n + 1 return n end)",
    "local function inner() return redis.call('INCR', 'k1') end\nredis.register_function('n', inner)",
    "redis.call('GET', 'k1')",
    "redis.log(redis.LOG_WARNING, 'hello')",
    "error('at loading')",
    "error({err='at loading'})",
    "x = 1",
    "return 1",
    "local t = redis.nope",
    "syntax error here",
    "math.random()",
    "redis.setresp(3)",
    "local x = KEYS",
    "",
];

/// A library: a first line, and two things that it does.
fn library() -> Part {
    (select(HEADS), select(BODIES), select(BODIES), any::<bool>())
        .prop_map(|(head, first, second, both)| {
            let code = if both {
                format!("{head}\n{first}\n{second}")
            } else {
                format!("{head}\n{first}")
            };
            vec![code.into_bytes()]
        })
        .boxed()
}

pub(crate) fn commands() -> Vec<Part> {
    let name = || one_of(&["one", "two", "three", "One", "none", ""]);
    let function = || one_of(&["f", "g", "h", "n", "F", "none", ""]);
    let arguments = || {
        any_of(vec![
            word("0"),
            sequence(vec![word("1"), key()]),
            sequence(vec![word("1"), key(), value()]),
            sequence(vec![
                one_of(&["2", "-1", "x", "9", "0"]),
                times(key(), 0..3),
            ]),
        ])
    };
    let load = || {
        command(
            "FUNCTION",
            vec![
                one_of(&["LOAD", "load"]),
                maybe(one_of(&["REPLACE", "replace", "x"])),
                library(),
            ],
        )
    };
    let replace = || command("FUNCTION", vec![word("LOAD"), word("REPLACE"), library()]);
    vec![
        load(),
        replace(),
        replace(),
        command("FCALL", vec![function(), arguments()]),
        command("FCALL", vec![function(), arguments()]),
        command("FCALL_RO", vec![function(), arguments()]),
        command(
            "FUNCTION",
            vec![
                word("LIST"),
                maybe(sequence(vec![
                    one_of(&["LIBRARYNAME", "libraryname"]),
                    one_of(&["*", "o*", "ONE", "none", "[ot]*"]),
                ])),
                maybe(one_of(&["WITHCODE", "withcode", "x"])),
            ],
        ),
        command("FUNCTION", vec![word("DELETE"), name()]),
        command(
            "FUNCTION",
            vec![one_of(&["STATS", "KILL", "stats", "nope"])],
        ),
        command(
            "FUNCTION",
            vec![word("FLUSH"), maybe(one_of(&["SYNC", "async", "x"]))],
        ),
        command("GET", vec![key()]),
    ]
}

#[test]
fn functions_answer_as_redis_does() {
    let resets = ["FLUSHALL", "FUNCTION FLUSH SYNC"];
    against_redis_with(&resets, is_fit, "function", commands());
}
