//! JSON documents. No reference server has them; the cases come from RedisJSON's documentation and
//! from the tests of @upstash/redis.

use crate::testing::{Bench, show};

fn with(document: &str) -> Bench {
    let mut bench = Bench::redis();
    let reply = bench.run_args(&[b"JSON.SET", b"k", b"$", document.as_bytes()]);
    assert_eq!(show(&reply), "OK");
    bench
}

/// Runs a command whose words are separated by spaces and shows a bulk string without its quotes.
fn text(bench: &mut Bench, line: &str) -> String {
    match bench.run(line) {
        redis_engine::Reply::Bulk(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => show(&other),
    }
}

#[test]
fn a_document_is_read_as_it_was_written() {
    let mut bench = with(r#"{"b":1,"a":[1.0,1e2,-0.5,"x\n",null,true],"n":12345678901234567}"#);
    assert_eq!(
        text(&mut bench, "JSON.GET k"),
        r#"{"b":1,"a":[1.0,100.0,-0.5,"x\n",null,true],"n":12345678901234567}"#
    );
    assert_eq!(text(&mut bench, "JSON.GET k $.b"), "[1]");
    assert_eq!(text(&mut bench, "JSON.GET k .b"), "1");
    assert_eq!(
        text(&mut bench, "JSON.GET k $.b $.n"),
        r#"{"$.b":[1],"$.n":[12345678901234567]}"#
    );
    assert_eq!(
        text(&mut bench, "JSON.GET k .no"),
        "(error) ERR Path '$.no' does not exist"
    );
    assert_eq!(text(&mut bench, "JSON.GET missing"), "nil");
    assert_eq!(
        text(&mut bench, "JSON.GET k INDENT - NEWLINE | SPACE _ $.b"),
        "[|-1|]"
    );
}

#[test]
fn paths_match_as_the_standard_says() {
    let mut bench = with(
        r#"{"s":{"book":[{"t":"A","p":8.95},{"t":"B","p":12.99,"x":{"t":"C"}},{"t":"D","p":9}]}}"#,
    );
    for (path, shown) in [
        ("$.s.book[0].t", r#"["A"]"#),
        ("$.s.book[-1].t", r#"["D"]"#),
        ("$.s.book[0,2].t", r#"["A","D"]"#),
        ("$.s.book[0:2].t", r#"["A","B"]"#),
        ("$.s.book[::-1].t", r#"["D","B","A"]"#),
        ("$..t", r#"["A","B","C","D"]"#),
        ("$.s.book[*]['t','p']", r#"["A",8.95,"B",12.99,"D",9]"#),
        ("$.s.book[?(@.p<10)].t", r#"["A","D"]"#),
        ("$.s.book[?@.x].t", r#"["B"]"#),
        ("$.s.book[?(@.p>10||@.t=='A')].p", "[8.95,12.99]"),
        ("$.s.book[?(!@.x&&@.p!=9)].t", r#"["A"]"#),
        ("$.none", "[]"),
    ] {
        assert_eq!(
            text(&mut bench, &format!("JSON.GET k {path}")),
            shown,
            "{path}"
        );
    }
    let wrong = text(&mut bench, "JSON.GET k $.s[");
    assert!(wrong.starts_with("(error) ERR invalid JSONPath"), "{wrong}");
    let deep = format!("JSON.GET k $[?{}@.a]", "(".repeat(100_000));
    assert!(text(&mut bench, &deep).contains("too many nested conditions"));
}

#[test]
fn upstash_answers_the_deepest_match_first() {
    let document = br#"{"a":[3],"nested":{"a":{"b":2,"c":1}}}"#;
    for (mut bench, shown) in [(Bench::redis(), "[nil, 2]"), (Bench::upstash(), "[2, nil]")] {
        bench.run_args(&[b"JSON.SET", b"k", b"$", document]);
        assert_eq!(bench.show("JSON.OBJLEN k $..a"), shown);
    }
}

#[test]
fn set_creates_at_the_root_and_adds_members() {
    let mut bench = Bench::redis();
    assert_eq!(
        bench.show("JSON.SET k $.a 1"),
        "(error) ERR new objects must be created at the root"
    );
    assert_eq!(bench.show("JSON.SET k $ {} XX"), "nil");
    assert_eq!(bench.show("JSON.SET k $ {}"), "OK");
    assert_eq!(bench.show("JSON.SET k $.a 1"), "OK");
    assert_eq!(bench.show("JSON.SET k $.a 2 NX"), "nil");
    assert_eq!(bench.show("JSON.SET k $.a.b 2"), "nil");
    assert_eq!(bench.show("JSON.MSET k $.b 2 l $ [1]"), "OK");
    assert_eq!(text(&mut bench, "JSON.GET k"), r#"{"a":1,"b":2}"#);
    assert_eq!(
        bench.show("JSON.MGET k l m $"),
        r#"["[{\"a\":1,\"b\":2}]", "[[1]]", nil]"#
    );
    assert!(
        bench
            .show("JSON.SET k $ {")
            .starts_with("(error) ERR EOF while parsing")
    );
    assert_eq!(bench.show("TYPE k"), "ReJSON-RL");
    bench.run("SET s 1");
    assert!(bench.show("JSON.GET s").starts_with("(error) WRONGTYPE"));
}

#[test]
fn numbers_stay_integers_while_they_can() {
    let mut bench = with(r#"{"a":"b","n":[1,2.5],"big":9223372036854775807}"#);
    assert_eq!(text(&mut bench, "JSON.NUMINCRBY k $.n[*] 2"), "[3,4.5]");
    assert_eq!(
        text(&mut bench, "JSON.NUMMULTBY k $..* 2"),
        "[null,null,1.8446744073709552e19,6,9.0]"
    );
    assert_eq!(text(&mut bench, "JSON.NUMINCRBY k .n[0] 1.5"), "7.5");
    assert_eq!(text(&mut bench, "JSON.NUMINCRBY k $.none 1"), "[]");
    assert_eq!(
        text(&mut bench, "JSON.NUMINCRBY k .a 1"),
        "(error) WRONGTYPE wrong type of path value - expected a number but found string"
    );
}

#[test]
fn arrays_strings_and_booleans_change_in_place() {
    let mut bench = with(r#"{"l":[1,2,3],"s":"ab","t":true,"o":{"x":1}}"#);
    assert_eq!(bench.show("JSON.ARRAPPEND k $.l 4 5"), "[5]");
    assert_eq!(bench.show("JSON.ARRINSERT k $.l -1 9"), "[6]");
    assert_eq!(bench.show("JSON.ARRINDEX k $.l 9"), "[4]");
    assert_eq!(bench.show("JSON.ARRINDEX k $.l 77"), "[-1]");
    assert_eq!(bench.show("JSON.ARRPOP k $.l 0"), "[\"1\"]");
    assert_eq!(bench.show("JSON.ARRTRIM k $.l 1 2"), "[2]");
    assert_eq!(bench.show("JSON.ARRLEN k $.*"), "[2, nil, nil, nil]");
    assert_eq!(text(&mut bench, "JSON.GET k $.l"), "[[3,4]]");
    assert_eq!(bench.show("JSON.STRAPPEND k $.s \"c\""), "[3]");
    assert_eq!(bench.show("JSON.STRLEN k .s"), "3");
    assert_eq!(bench.show("JSON.TOGGLE k $.*"), "[nil, nil, 0, nil]");
    assert_eq!(bench.show("JSON.TOGGLE k .t"), "\"true\"");
    assert_eq!(bench.show("JSON.OBJKEYS k $.o"), "[[\"x\"]]");
    assert_eq!(
        bench.show("JSON.TYPE k $.*"),
        r#"["array", "string", "boolean", "object"]"#
    );
    assert_eq!(bench.show("JSON.CLEAR k $.*"), "2");
    assert_eq!(
        text(&mut bench, "JSON.GET k"),
        r#"{"l":[],"s":"abc","t":true,"o":{}}"#
    );
}

#[test]
fn parts_are_merged_and_deleted() {
    let mut bench = with(r#"{"a":{"b":1,"c":2},"l":[0,1,2,3]}"#);
    assert_eq!(bench.show(r#"JSON.MERGE k $.a {"b":null,"d":3}"#), "OK");
    assert_eq!(text(&mut bench, "JSON.GET k $.a"), r#"[{"c":2,"d":3}]"#);
    assert_eq!(bench.show("JSON.DEL k $.l[1,2]"), "2");
    assert_eq!(text(&mut bench, "JSON.GET k .l"), "[0,3]");
    assert_eq!(
        bench.show("JSON.RESP k $"),
        r#"[[{, "a", [{, "c", 2, "d", 3], "l", [[, 0, 3]]]"#
    );
    assert_eq!(bench.show("JSON.FORGET k"), "1");
    assert_eq!(bench.show("EXISTS k"), "0");
    assert_eq!(bench.show("JSON.DEL k"), "0");
    assert_eq!(
        bench.show("JSON.ARRAPPEND k $ 1"),
        "(error) ERR could not perform this operation on a key that doesn't exist"
    );
}

#[test]
fn a_change_that_fails_leaves_the_document_as_it_was() {
    let mut bench = with(r#"{"a":1,"b":1e308,"l":[1],"m":[1,2,3]}"#);
    assert_eq!(
        bench.show("JSON.NUMMULTBY k $.* 1e10"),
        "(error) ERR result is not a number"
    );
    assert_eq!(
        bench.show("JSON.ARRINSERT k $.* 2 0"),
        "(error) ERR index out of bounds"
    );
    assert_eq!(
        text(&mut bench, "JSON.GET k"),
        r#"{"a":1,"b":1e308,"l":[1],"m":[1,2,3]}"#
    );
}

#[test]
fn what_is_deleted_beside_each_other_goes_at_once() {
    let mut bench = with(r#"{"a":{"x":1,"y":2,"z":[1,2,3,4]},"b":[{"x":1},{"x":2},5]}"#);
    assert_eq!(bench.show("JSON.DEL k $..x"), "3");
    assert_eq!(bench.show("JSON.DEL k $.a.z[1,3,0]"), "3");
    assert_eq!(
        text(&mut bench, "JSON.GET k"),
        r#"{"a":{"y":2,"z":[3]},"b":[{},{},5]}"#
    );
    assert_eq!(bench.show("JSON.DEL k $.b[*]"), "3");
    // What is inside of another match goes with it.
    assert_eq!(bench.show("JSON.DEL k $..*"), "2");
    assert_eq!(text(&mut bench, "JSON.GET k"), "{}");
}

#[test]
fn a_path_that_would_match_without_end_is_refused() {
    let mut bench = with(&format!("{}1{}", "[".repeat(60), "]".repeat(60)));
    let doubling = format!("JSON.GET k ${}", "[0,0]".repeat(50));
    let everywhere = format!("JSON.GET k ${}", "..*".repeat(20));
    for line in [doubling, everywhere] {
        let refused = bench.show(&line);
        assert!(refused.ends_with("it matches too many places"), "{refused}");
    }
}
