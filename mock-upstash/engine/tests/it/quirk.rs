//! Quirks that have no test beside their commands: each as it is, and switched.

use redis_engine::{Dialect, Quirk};

use crate::testing::{Bench, show};

fn switched(quirk: Quirk, on: bool) -> Bench {
    Bench::new(Dialect::UPSTASH.with(quirk, on))
}

fn eval(bench: &mut Bench, script: &str) -> String {
    show(&bench.run_args(&[b"EVAL", script.as_bytes(), b"0"]))
}

#[test]
fn cjson_writes_the_digits_that_tell_a_double() {
    let cases = [
        (
            "12345678901234567",
            "12345678901234568",
            "1.2345678901235e+16",
        ),
        ("1/3", "0.3333333333333333", "0.33333333333333"),
        ("1e20", "100000000000000000000", "1e+20"),
        ("1e21", "1e+21", "1e+21"),
        ("1e-7", "1e-7", "1e-07"),
        ("0.000001", "0.000001", "1e-06"),
        ("-0.5", "-0.5", "-0.5"),
        ("100000", "100000", "100000"),
    ];
    for (number, upstash, redis) in cases {
        let script = format!("return cjson.encode({{{number}}})");
        for (on, expected) in [(true, upstash), (false, redis)] {
            let mut bench = switched(Quirk::CjsonNumber, on);
            assert_eq!(
                eval(&mut bench, &script),
                format!("\"[{expected}]\""),
                "{number}"
            );
        }
    }
}

#[test]
fn cjson_refuses_tables_that_are_neither_list_nor_object() {
    let cases = [
        ("{1, nil, 3}", "cannot encode sparse array"),
        ("{[2] = 1}", "cannot encode sparse array"),
        ("{[1.5] = 1}", "cannot encode sparse array"),
        ("{[0] = 1}", "cannot encode sparse array"),
        ("{1, a = 2}", "cannot encode mixed or invalid key types"),
        ("{{1}, {[3] = 1}}", "cannot encode sparse array"),
    ];
    for (table, why) in cases {
        let script = format!("local text, why = cjson.encode({table}) return {{text == nil, why}}");
        let mut bench = Bench::upstash();
        assert_eq!(
            eval(&mut bench, &script),
            format!("[1, \"{why}\"]"),
            "{table}"
        );
    }
    let mut bench = switched(Quirk::CjsonSparseList, false);
    let script = "return cjson.encode({1, nil, 3})";
    assert_eq!(eval(&mut bench, script), r#""[1,null,3]""#);
    for whole in ["{}", "{1, 2}", "{a = {1}}"] {
        let script = format!("return type(cjson.encode({whole}))");
        assert_eq!(eval(&mut Bench::upstash(), &script), "\"string\"");
    }
}

#[test]
fn what_was_seen_in_2023_is_off_unless_switched_on() {
    let script = "redis.replicate_commands() return 1";
    assert_eq!(eval(&mut Bench::upstash(), script), "1");
    let mut bench = switched(Quirk::ReplicateCommands, true);
    let refusal = eval(&mut bench, script);
    assert!(
        refusal.contains("redis.replicate_commands() is not supported"),
        "{refusal}"
    );
    assert_eq!(Bench::upstash().show("CONFIG GET databases"), "[]");
    let mut bench = switched(Quirk::ConfigGetEmptyValue, true);
    assert_eq!(bench.show("CONFIG GET databases"), r#"["databases", ""]"#);
    let known = bench.show("CONFIG GET notify-keyspace-events");
    assert_eq!(known, r#"["notify-keyspace-events", ""]"#);
}

#[test]
fn a_script_may_be_given_upstashs_time() {
    // The bench's clock does not tell the host's time, so instructions stand for it.
    let mut bench = switched(Quirk::ScriptTimeLimit, true);
    let refusal = eval(&mut bench, "while true do end");
    assert!(refusal.contains("250"), "{refusal}");
    assert_eq!(bench.engine.usage.minute_script_us, 250_000);
    // 39 more of them, and there is no time left in this minute.
    for _ in 0..39 {
        eval(&mut bench, "while true do end");
    }
    assert_eq!(bench.engine.usage.script_us, 10_000_000);
    let wanted =
        "(error) ERR max script time exceeded. Limit: 10000 ms per minute, Usage: 10000 ms";
    assert_eq!(eval(&mut bench, "return 1"), wanted);
    assert_eq!(bench.show("FCALL f 0"), wanted);
    assert_eq!(bench.show("PING"), "PONG");
    bench.advance_ms(60_000);
    assert_eq!(eval(&mut bench, "return 1"), "1");
    // A script that catches the end is ended all the same.
    let refusal = eval(
        &mut bench,
        "while true do pcall(function() while true do end end) end",
    );
    assert!(refusal.contains("250"), "{refusal}");
    assert_eq!(Bench::upstash().engine.limits.script_ms, None);
}

#[test]
fn lua_words_its_errors_as_the_dialect_does() {
    let caught = "local ok, why = pcall(function() BODY end) return why";
    let cases = [
        (
            "local f = nil f()",
            "attempt to call local 'f' (a nil value)",
            "attempt to call a non-function object",
        ),
        (
            "return {} < {}",
            "attempt to compare two table values",
            "attempt to compare table with table",
        ),
        (
            "return 1 < 'x'",
            "attempt to compare number with string",
            "attempt to compare number with string",
        ),
        (
            "return ipairs(nil)",
            "bad argument #1 to 'ipairs' (table expected, got nil)",
            "bad argument #1 to ipairs (table expected, got nil)",
        ),
        ("error('boom')", "boom", "boom"),
        (
            "return nil + 1",
            "attempt to perform arithmetic on a nil value",
            "cannot perform add operation between nil and number",
        ),
        (
            "return 'ten' * '2'",
            "attempt to perform arithmetic on a string value",
            "cannot perform mul operation between string and string",
        ),
        (
            "return 1 .. ({} .. 'x')",
            "attempt to concatenate a table value",
            "cannot perform concat operation between table and string",
        ),
        (
            "local t = nil return 'x' .. t",
            "attempt to concatenate local 't' (a nil value)",
            "cannot perform concat operation between string and nil",
        ),
        (
            "local t = nil return #t",
            "attempt to get length of local 't' (a nil value)",
            "__len undefined",
        ),
        // What gopher-lua says of these does not follow.
        (
            "local t = nil return t.x",
            "attempt to index local 't' (a nil value)",
            "attempt to index local 't' (a nil value)",
        ),
        (
            "return nil + nil",
            "attempt to perform arithmetic on a nil value",
            "attempt to perform arithmetic on a nil value",
        ),
    ];
    for (body, redis, upstash) in cases {
        let script = caught.replace("BODY", body);
        let mut bench = Bench::upstash();
        let text = eval(&mut bench, &script).replace("\\'", "'");
        assert_eq!(text, format!("\"@user_script:1: {upstash}\""), "{body}");
        let text = eval(&mut bench, body);
        let wanted = format!("(error) ERR Error running script: @user_script:1: {upstash}\n");
        assert!(text.starts_with(&wanted), "{text}");
        let again = format!("local ok, why = pcall(function() {body} end) error(why, 0)");
        let text = eval(&mut bench, &again);
        assert!(text.starts_with(&wanted), "{text}");
        let mut bench = switched(Quirk::LuaErrorWords, false);
        let text = eval(&mut bench, &script);
        let redis = redis.replace('\'', "\\'");
        assert_eq!(text, format!("\"user_script:1: {redis}\""), "{body}");
    }
    let mut bench = Bench::upstash();
    let script =
        "local _, why = xpcall(function() f = g() end, function(why) return why end) return why";
    let text = eval(&mut bench, script);
    assert!(text.starts_with("\"@user_script:1: "), "{text}");
    // What works goes on working, and numbers show no metatable.
    let script = "return {1 + '2', '3' * 2, 2 ^ 3, 1 .. 'x', tostring(getmetatable(1))}";
    let text = eval(&mut bench, script);
    assert_eq!(text, r#"[3, 6, 8, "1x", "nil"]"#);
    let text = eval(&mut bench, "return nil + 1");
    assert!(
        text.ends_with("\nstack traceback:\n\t@user_script:1: in main chunk\n\t[G]: ?"),
        "{text}"
    );
    let text = eval(
        &mut bench,
        "local ok, why = pcall(error, 'plain', 0) return why",
    );
    assert_eq!(text, "\"plain\"");
}

#[test]
fn del_needs_a_key_unless_it_does_as_unlink() {
    assert_eq!(Bench::upstash().show("UNLINK"), "0");
    let refusal = "(error) ERR wrong number of arguments for 'del' command";
    assert_eq!(Bench::upstash().show("DEL"), refusal);
    assert_eq!(switched(Quirk::DelWithoutKeys, true).show("DEL"), "0");
    assert_eq!(Bench::redis().show("DEL"), refusal);
}

#[test]
fn scan_walks_further_in_one_call_on_upstash() {
    for (on, scan, keys) in [
        (true, "SCAN 0", 40),
        (false, "SCAN 0", 10),
        (true, "SCAN 0 COUNT 1", 1),
        (true, "HSCAN h 0", 20),
        (false, "HSCAN h 0", 20),
    ] {
        let mut bench = switched(Quirk::ScanCount, on);
        for n in 0..39 {
            bench.run(&format!("SET key{n} v"));
            bench.run(&format!("HSET h field{n} {}", "v".repeat(100)));
        }
        let page = bench.show(scan);
        assert_eq!(page.starts_with("[\"0\""), keys == 40, "{page}");
        assert_eq!(page.matches(", ").count(), keys, "{page}");
    }
    let mut bench = Bench::upstash();
    for n in 0..40 {
        bench.run(&format!("SET key{n} v"));
    }
    bench.run("RPUSH list v");
    assert_eq!(bench.show("SCAN 0 MATCH key7"), r#"["0", ["key7"]]"#);
    assert_eq!(bench.show("SCAN 0 TYPE list"), r#"["0", ["list"]]"#);
}

#[test]
fn checks_of_arguments_leave_no_line_of_their_own() {
    let mut bench = Bench::upstash();
    for (script, stack) in [
        ("return unpack(nil)", ""),
        ("local a = unpack(nil)", "\n\t[G]: in function 'unpack'"),
        ("local a = next(nil)", "\n\t[G]: in function 'next'"),
    ] {
        let refusal = eval(&mut bench, script);
        let end = format!("stack traceback:{stack}\n\t@user_script:1: in main chunk\n\t[G]: ?");
        assert!(refusal.ends_with(&end), "{script}: {refusal}");
    }
}

#[test]
fn a_call_in_the_place_of_a_return_leaves_a_first_line() {
    let mut bench = Bench::upstash();
    let script = b"return table.remove(ARGV)";
    let refusal = show(&bench.run_args(&[b"EVAL", script, b"0", b"a"]));
    assert_eq!(
        refusal,
        "(error) ERR Error running script: @user_script:1: Attempt to modify a readonly table\nstack traceback:\n\t@user_script:1: in main chunk\n\t[G]: ?"
    );
}

#[test]
fn upstashs_own_commands_go_with_its_users() {
    assert!(!Bench::upstash().show("ACL GENTOKEN").starts_with("(error)"));
    let mut bench = switched(Quirk::AclTokens, false);
    assert!(bench.show("ACL GENTOKEN").starts_with("(error)"));
}

#[test]
fn the_table_of_commands_answers_when_it_is_not_empty() {
    let mut bench = switched(Quirk::EmptyCommandTable, false);
    assert_eq!(bench.show("COMMAND INFO nosuch"), "[nil]");
    let get = bench.show("COMMAND INFO get");
    assert!(get.starts_with(r#"[["get", 2, ~["#), "{get}");
    let count: usize = bench.show("COMMAND COUNT").parse().expect("a number");
    assert!(count > 200, "{count}");
    assert_eq!(bench.show("COMMAND GETKEYS MSET a 1 b 2"), r#"["a", "b"]"#);
    assert_eq!(
        bench.show("COMMAND GETKEYS PING"),
        "(error) ERR The command has no key arguments"
    );
    assert_eq!(
        bench.show("COMMAND NOSUCH"),
        "(error) ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP."
    );
    let refused = "(error) ERR wrong number of arguments for 'command' command";
    assert_eq!(Bench::upstash().show("COMMAND COUNT"), refused);
}

#[test]
fn categories_are_those_of_the_dialect() {
    let refused = "(error) ERR Unknown category 'fast'";
    assert_eq!(Bench::upstash().show("ACL CAT fast"), refused);
    let fast = switched(Quirk::AclTokens, false).show("ACL CAT fast");
    assert!(
        fast.contains("\"get\"") && !fast.contains("\"set\""),
        "{fast}"
    );
}

#[test]
fn wait_answers_at_once_on_upstash_alone() {
    assert_eq!(Bench::upstash().show("WAIT 1 0"), "0");
    assert_eq!(switched(Quirk::WaitAtOnce, false).show("WAIT 1 0"), "none");
    assert_eq!(Bench::upstash().show("WAITAOF 1 0 0"), "[0, 0]");
    let refusal = switched(Quirk::WaitAtOnce, false).show("WAITAOF 1 0 0");
    assert!(
        refusal.starts_with("(error) ERR WAITAOF cannot be used"),
        "{refusal}"
    );
}

#[test]
fn what_a_script_writes_to_keys_and_argv_fails_it() {
    let readonly = "Attempt to modify a readonly table\nstack traceback:";
    let cases = [
        ("ARGV[1] = 1 return 1", "", 1),
        ("local k = KEYS k[1] = nil return 1", "", 1),
        ("redis.call('SET', KEYS[1], 'v')\n\nKEYS[1] = 'x'", "", 3),
        ("ARGV[2] = 1 return 1", "", 1),
        (
            "table.remove(ARGV) return 1",
            "\n\t[G]: in function 'remove'",
            1,
        ),
        (
            "table.sort(ARGV) return 1",
            "\n\t[G]: in function 'sort'",
            1,
        ),
    ];
    for (script, native, line) in cases {
        let run = |bench: &mut Bench| {
            show(&bench.run_args(&[b"EVAL", script.as_bytes(), b"1", b"k", b"b"]))
        };
        let mut bench = Bench::upstash();
        let refusal = run(&mut bench);
        let place = format!("@user_script:{line}: ");
        let wanted = format!(
            "(error) ERR Error running script: {place}{readonly}{native}\n\t{place}in main chunk\n\t[G]: ?"
        );
        assert_eq!(refusal, wanted, "{script}");
        assert_eq!(bench.show("EXISTS k"), "0", "{script}");
        let mut bench = switched(Quirk::ScriptReadOnlyKeys, false);
        assert!(!run(&mut bench).starts_with("(error)"), "{script}");
    }
    // What only reads them, or puts a table of its own into a variable, goes on.
    let script = "local args = {unpack(ARGV)} args[1] = 'x' return {#KEYS, ARGV[1], args[1]}";
    let mut bench = Bench::upstash();
    let reply = bench.run_args(&[b"EVAL", script.as_bytes(), b"1", b"k", b"b"]);
    assert_eq!(show(&reply), r#"[1, "b", "x"]"#);
}

#[test]
fn info_has_the_fields_that_users_published() {
    let mut bench = Bench::upstash();
    for line in ["SET k v", "GET k", "GET no", "MGET k no more", "TTL k"] {
        bench.run(line);
    }
    bench.clock.advance(std::time::Duration::from_secs(1));
    let stats = bench.show("INFO stats");
    for field in [
        "total_commands_processed:6",
        "instantaneous_ops_per_sec:5",
        "max_ops_per_sec:10000",
        "evicted_clients:0",
        "expired_keys:0",
        "evicted_keys:0",
        "keyspace_hits:3",
        "keyspace_misses:3",
        "total_reads_processed:4",
        "total_writes_processed:1",
    ] {
        assert!(stats.contains(field), "{field} in {stats}");
    }
    let clients = bench.show("INFO clients");
    assert!(!clients.contains("blocked_clients"), "{clients}");
}

#[test]
fn a_document_has_a_type_of_the_dialect() {
    for (on, name) in [(true, "json"), (false, "ReJSON-RL")] {
        let mut bench = switched(Quirk::JsonTypeName, on);
        bench.run("JSON.SET doc $ 1");
        assert_eq!(bench.show("TYPE doc"), name);
        let found = bench.show(&format!("SCAN 0 TYPE {name}"));
        assert_eq!(found, r#"["0", ["doc"]]"#);
        let with_type = bench.show("SCAN 0 WITHTYPE");
        assert_eq!(with_type, format!(r#"["0", ["doc", "{name}"]]"#));
    }
}

#[test]
fn samples_of_memory_usage_are_brought_into_range() {
    let ask = |mut bench: Bench| {
        bench.run("SET k v");
        bench.show("MEMORY USAGE k SAMPLES -1")
    };
    assert!(ask(Bench::upstash()).parse::<u64>().is_ok());
    let redis = ask(switched(Quirk::MemoryUsageSamples, false));
    assert_eq!(redis, "(error) ERR syntax error");
}

#[test]
fn dbsize_may_count_what_has_just_expired() {
    let counts = |on: bool| {
        let mut bench = switched(Quirk::CountsExpired, on);
        bench.run("SET stays v");
        for key in ["goes", "returns"] {
            bench.run(&format!("SET {key} v PX 100"));
        }
        bench.clock.advance(std::time::Duration::from_millis(200));
        bench.run("SET returns v");
        let soon = bench.show("DBSIZE");
        bench.clock.advance(std::time::Duration::from_secs(1));
        (soon, bench.show("DBSIZE"))
    };
    assert_eq!(counts(true), ("3".to_owned(), "2".to_owned()));
    assert_eq!(counts(false), ("2".to_owned(), "2".to_owned()));
    assert!(!Dialect::UPSTASH.has(Quirk::CountsExpired));
}

#[test]
fn users_and_settings_take_what_upstash_documents() {
    let mut bench = Bench::upstash();
    let categories = bench.show("ACL CAT");
    assert!(
        categories.starts_with(r#"["read", "list", "pubsub","#),
        "{categories}"
    );
    assert_eq!(categories.matches(',').count(), 21);
    assert!(bench.show("ACL CAT all").contains("\"get\""));
    // What Upstash calls dangerous has SCAN in it.
    assert!(bench.show("ACL CAT dangerous").contains("\"scan\""));
    assert!(
        !Bench::redis()
            .show("ACL CAT dangerous")
            .contains("\"scan\"")
    );
    for (rules, denied) in [
        ("+@all -@dangerous", true),
        ("+@dangerous", false),
        ("+@all", false),
    ] {
        bench.run(&format!("ACL SETUSER reader on ~* {rules}"));
        let user = bench.engine.connect(redis_engine::Connect {
            user: Some("reader".into()),
            ..redis_engine::Connect::default()
        });
        for name in ["SCAN", "KEYS"] {
            let args = [name, "0"].map(bytes::Bytes::from);
            let reply = show(&bench.engine.execute(user, &args));
            assert_eq!(reply.contains("NOPERM"), denied, "{rules} {name}: {reply}");
        }
        bench.run("ACL DELUSER reader");
    }
    let token = bench.show("ACL GENTOKEN");
    assert_eq!((&token[..7], token.len()), ("\"gwAAAA", 125));
    for rule in ["+@fast", "-@slow", "+@FAST"] {
        let wanted = format!(
            "(error) ERR Error in ACL SETUSER modifier '{rule}': Unknown command or category name in ACL"
        );
        assert_eq!(bench.show(&format!("ACL SETUSER user {rule}")), wanted);
    }
    assert_eq!(bench.show("ACL USERS"), r#"["default"]"#);
    for (flags, taken) in [("KEg$lshztdxemnA", true), ("KEo", false), ("KEc", false)] {
        let set = bench.show(&format!("CONFIG SET notify-keyspace-events {flags}"));
        assert_eq!(set == "OK", taken, "{flags}: {set}");
    }
    let mut bench = Bench::redis();
    assert_eq!(bench.show("CONFIG SET notify-keyspace-events KEo"), "OK");
    assert_eq!(bench.show("ACL SETUSER user +@fast"), "OK");
}
