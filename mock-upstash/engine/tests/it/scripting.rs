//! Scripts: how they are run, what ends them, what they leave.

use bytes::Bytes;
use redis_engine::{Config, Dialect, Quirk, Reply};

use crate::testing::{Bench, show};

fn eval(bench: &mut Bench, script: &str) -> String {
    show(&bench.run_args(&[b"EVAL", script.as_bytes(), b"0"]))
}

fn short_of_time() -> Bench {
    let mut bench = Bench::redis();
    bench.engine.config = Config {
        script_time_limit_ms: 5,
        script_memory_bytes: 4 * 1024 * 1024,
        ..Config::default()
    };
    bench
}

#[test]
fn keys_and_arguments_reach_the_script() {
    let mut bench = Bench::redis();
    let reply = bench.run_args(&[
        b"EVAL",
        b"return {KEYS[1], ARGV[1], #ARGV}",
        b"1",
        b"k",
        b"v",
    ]);
    assert_eq!(show(&reply), "[\"k\", \"v\", 1]");
}

#[test]
fn an_error_tells_the_script_and_the_line() {
    let mut bench = Bench::redis();
    assert_eq!(
        eval(&mut bench, "\nerror('boom')"),
        "(error) ERR user_script:2: boom script: 402f9b12d119567a29d5d78e9b23da97dd318915, on @user_script:2."
    );
    assert_eq!(
        eval(&mut bench, "return redis.call('nope')"),
        "(error) ERR Unknown Redis command called from script script: f01f0776df71cc5b400c2268135aa7f30dce2e53, on @user_script:1."
    );
}

#[test]
fn a_script_without_end_is_ended() {
    let mut bench = short_of_time();
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local function f() while true do pcall(f) end end while true do pcall(f) end",
        "return setmetatable({}, {__index = function() while true do end end}).x",
    ] {
        let reply = eval(&mut bench, script);
        assert!(
            reply.contains("Script ended after 5 ms"),
            "{script}: {reply}"
        );
    }
    assert_eq!(eval(&mut bench, "return 1"), "1");
}

#[test]
fn a_script_cannot_use_more_memory_than_it_may() {
    let mut bench = short_of_time();
    for script in [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "return string.rep('x', 1e9)",
    ] {
        let reply = eval(&mut bench, script);
        assert!(reply.starts_with("(error) ERR"), "{script}: {reply}");
    }
    assert_eq!(eval(&mut bench, "return 1"), "1");
}

#[test]
fn nothing_of_a_script_is_left_in_the_globals() {
    let mut bench = Bench::redis();
    eval(
        &mut bench,
        "table.insert(string, 'left') table.insert(_G, 'left')",
    );
    assert_eq!(
        eval(
            &mut bench,
            "return {string[1] == nil, rawget(_G, 1) == nil}"
        ),
        "[1, 1]"
    );
    let refused = eval(&mut bench, "getmetatable('').__index = {}");
    assert!(
        refused.contains("Attempt to modify a readonly table"),
        "{refused}"
    );
    assert_eq!(eval(&mut bench, "return ('x'):rep(3)"), "\"xxx\"");
}

#[test]
fn bytecode_is_refused() {
    let mut bench = Bench::redis();
    let reply = eval(
        &mut bench,
        "return type(loadstring(string.dump(function() return 1 end)))",
    );
    assert_eq!(reply, "\"nil\"");
}

#[test]
fn a_failed_script_keeps_its_writes_in_redis_and_loses_them_in_upstash() {
    let script = "redis.call('SET', 'k', 'new') redis.call('SET', 'fresh', 1) error('x')";
    let mut bench = Bench::redis();
    bench.run("SET k old");
    eval(&mut bench, script);
    assert_eq!(bench.show("GET k"), "\"new\"");

    let mut bench = Bench::upstash();
    bench.run("SET k old");
    eval(&mut bench, script);
    assert_eq!(bench.show("GET k"), "\"old\"");
    assert_eq!(bench.show("GET fresh"), "nil");
}

#[test]
fn upstash_shows_the_stack() {
    let mut bench = Bench::upstash();
    let reply = bench.run_args(&[b"EVAL_RO", b"\nredis.call('SET', 'a', 'b')", b"0"]);
    assert_eq!(
        show(&reply),
        "(error) ERR Error running script: @user_script:2: READONLY Write commands are not allowed from read-only scripts\nstack traceback:\n\t[G]: in function 'call'\n\t@user_script:2: in main chunk\n\t[G]: ?"
    );
    assert_eq!(
        eval(&mut bench, "\nx = = local"),
        "(error) ERR Error running script: @user_script line:2(column:5) near '=': syntax error"
    );
}

#[test]
fn upstash_holds_a_key_locking_script_to_its_keys() {
    let mut bench = Bench::upstash();
    let script = b"#!lua flags=allow-key-locking\nreturn redis.call('SET', ARGV[1], 'v')";
    let reply = show(&bench.run_args(&[b"EVAL", script, b"1", b"a", b"a"]));
    assert_eq!(reply, "OK");
    let reply = show(&bench.run_args(&[b"EVAL", script, b"1", b"a", b"b"]));
    assert!(
        reply.contains("ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: b"),
        "{reply}"
    );
    let mut bench = Bench::redis();
    let reply = show(&bench.run_args(&[b"EVAL", script, b"1", b"a", b"a"]));
    assert_eq!(
        reply,
        "(error) ERR Unexpected flag in script shebang: allow-key-locking"
    );
}

#[test]
fn upstash_cuts_numbers_and_seals_arguments() {
    let script = "redis.call('SET', 'k', 3.7) return redis.call('GET', 'k')";
    assert_eq!(eval(&mut Bench::redis(), script), "\"3.7\"");
    assert_eq!(eval(&mut Bench::upstash(), script), "\"3\"");
    let script = b"table.remove(ARGV) return 'removed'";
    let reply = show(&Bench::redis().run_args(&[b"EVAL", script, b"0", b"a"]));
    assert_eq!(reply, "\"removed\"");
    let reply = show(&Bench::upstash().run_args(&[b"EVAL", script, b"0", b"a"]));
    assert!(
        reply.contains("Attempt to modify a readonly table"),
        "{reply}"
    );
}

#[test]
fn a_script_taken_back_breaks_no_watch() {
    let mut bench = Bench::new(Dialect::REDIS.with(Quirk::ScriptRollback, true));
    let other = bench.engine.connect(redis_engine::Connect::default());
    bench.run("WATCH k");
    let args = [&b"EVAL"[..], b"redis.call('SET', 'k', 1) error('x')", b"0"]
        .map(bytes::Bytes::from_static);
    bench.engine.execute(other, &args);
    bench.run("MULTI");
    bench.run("SET mine 1");
    assert_eq!(bench.show("EXEC"), "[OK]");
}

#[test]
fn scripts_are_kept_by_digest() {
    let mut bench = Bench::redis();
    let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    assert_eq!(
        bench.show(&format!("EVALSHA {sha} 0")),
        "(error) NOSCRIPT No matching script. Please use EVAL."
    );
    let reply = bench.run_args(&[b"SCRIPT", b"LOAD", b"return 1"]);
    assert_eq!(show(&reply), format!("\"{sha}\""));
    assert_eq!(
        bench.show(&format!("EVALSHA {} 0", sha.to_uppercase())),
        "1"
    );
    assert_eq!(bench.show(&format!("SCRIPT EXISTS {sha} nope")), "[1, 0]");
    assert_eq!(bench.show("SCRIPT FLUSH"), "OK");
    assert_eq!(bench.show(&format!("SCRIPT EXISTS {sha}")), "[0]");
}

#[test]
fn inner_commands_are_counted_apart() {
    let mut bench = Bench::redis();
    eval(&mut bench, "for i = 1, 5 do redis.call('SET', 'k', i) end");
    assert_eq!(bench.engine.stats.commands, 1);
    assert_eq!(bench.engine.stats.script_commands, 5);
}

#[test]
fn libraries_read_what_they_write() {
    let mut bench = Bench::redis();
    for (script, shown) in [
        (
            "return cjson.encode({1, 'a', {b = true}})",
            r#""[1,\"a\",{\"b\":true}]""#,
        ),
        (
            "return cjson.encode(cjson.decode('{\"n\":[null,1.5]}'))",
            r#""{\"n\":[null,1.5]}""#,
        ),
        (
            "return cmsgpack.unpack(cmsgpack.pack({1, -1, 'x', {}}))",
            "[1, -1, \"x\", []]",
        ),
        (
            "return {struct.unpack('>I2s', struct.pack('>I2s', 258, 'ab'))}",
            "[258, \"ab\", 6]",
        ),
        ("return bit.tohex(bit.bxor(0xff00ff00, -1))", "\"00ff00ff\""),
    ] {
        assert_eq!(eval(&mut bench, script), shown, "{script}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let mut bench = Bench::redis();
    for (script, shown) in [
        (
            "return #cjson.encode(cjson.decode(string.rep('[', 1000) .. string.rep(']', 1000)))",
            "2000",
        ),
        (
            "return select(2, pcall(cjson.decode, string.rep('[', 100000)))",
            "\"Found too many nested data structures (1001) at character 1001\"",
        ),
        (
            "local t = {} for i = 1, 5000 do t = {t} end return select(2, pcall(cjson.encode, t))",
            "\"Cannot serialise, excessive nesting (1001)\"",
        ),
        (
            "return select(2, pcall(cmsgpack.unpack, string.rep('\\145', 100000)))",
            "\"stack overflow (in function mp_decode_to_lua_array)\"",
        ),
    ] {
        assert_eq!(eval(&mut bench, script), shown, "{script}");
    }
    let reply = eval(
        &mut bench,
        "local t = {} for i = 1, 5000 do t = {t} end return t",
    );
    assert!(reply.contains("ERR reached lua stack limit"), "{reply}");
}

#[test]
fn upstash_encodes_json_its_own_way() {
    let mut bench = Bench::upstash();
    assert_eq!(eval(&mut bench, "return cjson.encode({})"), "\"[]\"");
    assert_eq!(
        eval(
            &mut bench,
            "return cjson.encode(cjson.decode('{\"a\":null,\"b\":[1,null,2]}'))"
        ),
        r#""{\"b\":[1,2]}""#
    );
    assert_eq!(
        eval(
            &mut bench,
            "local t = {1} local text, why = cjson.encode({t, t}) return {tostring(text), why}"
        ),
        "[\"nil\", \"cannot encode recursively nested tables to JSON\"]"
    );
}

#[test]
fn a_script_may_return_any_number_of_values() {
    let mut bench = Bench::redis();
    let script = "local t = {} for i = 1, 200 do t[i] = i end return unpack(t)";
    assert_eq!(eval(&mut bench, script), "1");
}

#[test]
fn a_protected_call_may_return_many_values() {
    let mut bench = Bench::redis();
    for call in [
        "pcall(unpack, many)",
        "xpcall(function() return unpack(many) end, tostring)",
    ] {
        let script =
            format!("local many = {{}} for i = 1, 200 do many[i] = i end return #{{{call}}}");
        assert_eq!(
            bench.run_args(&[b"EVAL", script.as_bytes(), b"0"]),
            redis_engine::Reply::Integer(201)
        );
    }
    // The place that level 2 names is that of pcall, which has none.
    let script = b"local ok, text = pcall(function() error('boom', 2) end) return text";
    assert_eq!(
        bench.run_args(&[b"EVAL", script, b"0"]),
        redis_engine::Reply::bulk("boom")
    );
}

#[test]
fn unpack_of_a_range_from_far_below_zero_is_refused() {
    let mut bench = Bench::redis();
    for range in ["2^31", "-2^31, 3", "1, 2^31 - 1"] {
        let reply = eval(
            &mut bench,
            &format!("return {{unpack({{1, 2, 3}}, {range})}}"),
        );
        assert!(reply.contains("too many results to unpack"), "{reply}");
    }
    assert_eq!(eval(&mut bench, "return {unpack({1, 2, 3}, 2)}"), "[2, 3]");
}

#[test]
fn inserting_far_below_zero_moves_what_is_there() {
    let mut bench = Bench::redis();
    let script = "local t = {1, 2} table.insert(t, -2^31, 'x') return {t[2], t[3], t[-2^31]}";
    assert_eq!(eval(&mut bench, script), "[1, 2, \"x\"]");
}

#[test]
fn coroutines_hand_values_over() {
    let mut bench = Bench::redis();
    let script =
        "local co = coroutine.create(function(a) local b = coroutine.yield(a, 'y') return b end)
        local r = {coroutine.resume(co, 'a')}
        local s = {coroutine.resume(co, 'b')}
        return {r[2], r[3], s[2], coroutine.status(co)}";
    assert_eq!(eval(&mut bench, script), "[\"a\", \"y\", \"b\", \"dead\"]");
}

#[test]
fn the_format_of_a_verbatim_string_is_its_first_three_bytes() {
    let mut bench = Bench::redis();
    let script = b"return {verbatim_string = {format = 'html', string = '<p>'}}";
    let reply = bench.run_args(&[b"EVAL", script, b"0"]);
    assert_eq!(reply, Reply::Verbatim(*b"htm", Bytes::from_static(b"<p>")));
}
