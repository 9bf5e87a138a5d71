//! Lua's patterns: as Redis's Lua matches them, and ended by the script's time.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use redis_engine::{Config, Connect, Dialect, Engine, ManualClock, Options};

use crate::differential::against_redis;
use crate::testing::{START_MS, show};

/// Shows whatever a call answers, errors too, as an array of texts.
const SHOW: &str = "local function show(...) local t = {} \
    for i = 1, select('#', ...) do t[i] = tostring((select(i, ...))) end return t end ";

/// What is done with a text (1), a pattern (2), a number (3) and a replacement (4).
const CALLS: &[&str] = &[
    "return show(pcall(string.find, ARGV[1], ARGV[2], tonumber(ARGV[3])))",
    "return show(pcall(string.find, ARGV[1], ARGV[2], tonumber(ARGV[3]), true))",
    "return show(pcall(string.match, ARGV[1], ARGV[2], tonumber(ARGV[3])))",
    "return show(pcall(string.gsub, ARGV[1], ARGV[2], ARGV[4], tonumber(ARGV[3])))",
    "return show(pcall(string.gsub, ARGV[1], ARGV[2], ARGV[4]))",
    "return show(pcall(string.gsub, ARGV[1], ARGV[2], {a = 'A', b = 1, [''] = false, [1] = '<'}))",
    "return show(pcall(string.gsub, ARGV[1], ARGV[2], function(x, y) return x == 'a' and y or 'z' end))",
    "return show(pcall(string.gsub, ARGV[1], ARGV[2], function(...) return {} end))",
    "local t = {} local ok, why = pcall(function() \
       for a, b in string.gmatch(ARGV[1], ARGV[2]) do t[#t + 1] = show(a, b) end end) \
     t[#t + 1] = tostring(why) return t",
    "return show(ARGV[1]:find(ARGV[2]))",
    "return show(ARGV[1]:match(ARGV[2]))",
    "return show(ARGV[1]:gsub(ARGV[2], ARGV[4]))",
    "return show(ARGV[1]:gsub(ARGV[2], function(x) error('in ' .. x) end))",
    "return show(ARGV[1]:gsub(ARGV[2], function(x) error({err = 'in ' .. x}) end))",
    "return show(string.rep(ARGV[1], tonumber(ARGV[3])))",
];

/// Calls with wrong arguments, in both ways of calling.
const MISTAKES: &[&str] = &[
    "string.find()",
    "string.find('a')",
    "('a'):find()",
    "('a'):match({})",
    "string.match(nil, 'a')",
    "string.gsub('a')",
    "string.gsub('a', 'b')",
    "string.gsub({}, 'b', 'c')",
    "string.gsub({}, 'b', function() end)",
    "('a'):gsub('b')",
    "('a'):gsub({}, 'b')",
    "('a'):gsub('b', true)",
    "('a'):gsub('b', 'c', {})",
    "('a'):gsub({}, function() end)",
    "('a'):gsub('a', function() return {} end)",
    "string.gmatch('a')",
    "string.gmatch('a', {})",
    "string.rep('a')",
    "string.rep('a', 'x')",
    "('a'):rep()",
    "string.find('a', 'a', 'x')",
    "string.find('a', '(')",
    "string.gsub('a', '(', 'x')",
    "string.gsub('a', 'a', '%1%2')",
    "string.gsub('a', '(', function() end)",
    "string.find('a', '[a')",
    "string.find('a', '%')",
    "string.find('a', '%f')",
    "string.find('a', '%b')",
    "string.find('a', '%1')",
    "string.find('a', ')')",
];

#[test]
fn patterns_match_as_redis_matches_them() {
    let text = vec(select(b"aab1 .%-]\0Z\n".to_vec()), 0..9);
    let pieces = [
        "a", "b", ".", "%a", "%d", "%s", "%w", "%W", "%z", "%%", "%.", "[ab]", "[^a]", "[%w.]",
        "[a-b1]", "[]]", "[^]]", "[", "]", "(", ")", "()", "(a)", "(.-)", "*", "+", "-", "?", "^",
        "$", "%1", "%2", "%0", "%bab", "%b", "%f[%w]", "%f[^a]", "%f", "%", "\0", "1", "Z",
    ];
    let pattern = vec(select(pieces.to_vec()), 0..7).prop_map(|pieces| pieces.concat());
    let number = select(vec!["-9", "-2", "-1", "0", "1", "2", "3", "9"]);
    let replacement = select(vec![
        "", "x", "<%0>", "<%1>", "%2", "%%", "%x", "a%", "<%9>",
    ]);
    let call = (select(CALLS.to_vec()), text, pattern, number, replacement).prop_map(
        |(call, text, pattern, number, replacement)| {
            vec![
                b"EVAL".to_vec(),
                format!("{SHOW}{call}").into_bytes(),
                b"0".to_vec(),
                text,
                pattern.into_bytes(),
                number.as_bytes().to_vec(),
                replacement.as_bytes().to_vec(),
            ]
        },
    );
    let mistake = (select(MISTAKES.to_vec()), any::<bool>()).prop_map(|(call, caught)| {
        let script = if caught {
            format!("{SHOW}return show(pcall(function() local a, b = {call} return a, b end))")
        } else {
            format!("{SHOW}local a, b = {call} return show(a, b)")
        };
        vec![b"EVAL".to_vec(), script.into_bytes(), b"0".to_vec()]
    });
    against_redis("patterns", vec![call.boxed(), mistake.boxed()]);
}

#[test]
fn a_pattern_that_would_take_for_ever_is_ended() {
    let mut engine = Engine::new(Options {
        dialect: Dialect::REDIS,
        config: Config {
            script_time_limit_ms: 5,
            ..Config::default()
        },
        clock: std::sync::Arc::new(ManualClock::at(START_MS)),
        seed: 7,
    });
    let client = engine.connect(Connect::default());
    let text = "('a'):rep(200)";
    for script in [
        format!("return {text}:find(('.-'):rep(30) .. 'b')"),
        format!("return {text}:match(('a*'):rep(30) .. 'b')"),
        format!("return {text}:gsub(('a-'):rep(30) .. 'b', 'x')"),
        format!("return {text}:gsub(('a-'):rep(30) .. 'b', function() end)"),
        format!("for x in {text}:gmatch(('a-'):rep(30) .. 'b') do end"),
        format!("while true do pcall(string.find, {text}, ('.-'):rep(30) .. 'b') end"),
        "return ('ab'):rep(1e7):find(('ab'):rep(5e6) .. 'c', 1, true)".to_owned(),
        "return ('x'):rep(1e5):gsub('x', ('y'):rep(1e5))".to_owned(),
        "return ('x'):rep(1e9)".to_owned(),
        "return ('a'):rep(1000):find(('a?'):rep(1e5))".to_owned(),
    ] {
        let args = ["EVAL", &script, "0"].map(|word| word.as_bytes().to_vec().into());
        let reply = show(&engine.execute(client, &args));
        let ends = [
            "Script ended after 5 ms",
            "not enough memory",
            "too complex",
        ];
        assert!(
            reply == "nil" || ends.iter().any(|end| reply.contains(end)),
            "{script}: {reply}"
        );
    }
}
