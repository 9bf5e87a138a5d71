//! Each comparator: what it takes, and what it refuses.

use scenarios::reply::Expressiveness::{self, Json, Resp2, Resp3};
use scenarios::{Captures, Expectation, Mismatch, Reply};

use crate::{only_step, with_bindings};

fn expectation(reply: &str) -> Expectation {
    only_step(&format!("> PING\n{reply}"))
        .expect
        .expect("a reply")
}

fn check(reply: &str, actual: &Reply, by: Expressiveness) -> Result<Captures, Mismatch> {
    with_bindings(|bindings| expectation(reply).check(actual, by, bindings))
}

#[track_caller]
fn takes(reply: &str, actual: Reply, by: Expressiveness) {
    if let Err(mismatch) = check(reply, &actual, by) {
        panic!("{by:?}: {mismatch}");
    }
}

#[track_caller]
fn refuses(reply: &str, actual: Reply, by: Expressiveness) -> String {
    match check(reply, &actual, by) {
        Ok(_) => panic!("{by:?}: {actual:?} was taken for {reply}"),
        Err(mismatch) => mismatch.to_string(),
    }
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

fn status(text: &str) -> Reply {
    Reply::Status(text.to_owned())
}

fn error(text: &str) -> Reply {
    Reply::Error(text.to_owned())
}

fn bulks(texts: &[&str]) -> Reply {
    Reply::Array(texts.iter().map(|text| bulk(text)).collect())
}

#[test]
fn a_status_is_no_string_unless_the_transport_cannot_tell() {
    takes("OK", status("OK"), Resp2);
    takes("OK", bulk("OK"), Json);
    refuses("OK", bulk("OK"), Resp2);
    refuses("OK", status("QUEUED"), Resp2);
    refuses("OK", Reply::Nil, Json);
    takes(
        "(status) \"Background saving started\"",
        status("Background saving started"),
        Resp3,
    );
}

#[test]
fn text_is_compared_byte_for_byte() {
    takes("\"a\\x00\\xff\"", Reply::Bulk(vec![b'a', 0, 0xff]), Resp2);
    takes("'{\"a\":1}'", bulk("{\"a\":1}"), Resp2);
    refuses("\"a\"", bulk("a "), Resp2);
    refuses("\"3\"", Reply::Integer(3), Json);
    refuses("\"OK\"", status("OK"), Resp2);
    takes("\"1.5\"", Reply::Double(1.5), Resp3);
    refuses("\"1.5\"", Reply::Double(1.6), Resp3);
    takes("<4 ab>", bulk("abab"), Resp2);
    refuses("<4 ab>", bulk("abba"), Resp2);
}

#[test]
fn keys_and_captured_replies_are_filled_in() {
    takes("{q}:1", bulk("t:q:1"), Resp2);
    let text = refuses("{q}", bulk("{q}"), Resp2);
    assert_eq!(text, "expected {q} (\"t:q\"), got \"{q}\"");
}

#[test]
fn any_string_is_a_string() {
    takes("(string)", bulk(""), Resp2);
    takes("(string)", status("OK"), Json);
    refuses("(string)", status("OK"), Resp2);
    refuses("(string)", Reply::Integer(1), Json);
    refuses("(string)", Reply::Nil, Json);
}

#[test]
fn a_glob_describes_a_string() {
    takes("(like \"user:*:x\")", bulk("user:1:x"), Resp2);
    takes("(like \"a\\\\*\")", bulk("a*"), Resp2);
    refuses("(like \"a\\\\*\")", bulk("ab"), Resp2);
    refuses("(like \"user:*:x\")", bulk("user:1:y"), Resp2);
    takes("(like \"a*\") | (like \"b*\")", bulk("bc"), Resp2);
}

#[test]
fn integers_are_exact_or_in_a_range() {
    takes("(integer) 3", Reply::Integer(3), Json);
    refuses("(integer) 3", Reply::Integer(4), Json);
    refuses("(integer) 3", bulk("3"), Json);
    takes("(integer) 1..200", Reply::Integer(1), Resp2);
    takes("(integer) 1..200", Reply::Integer(200), Resp2);
    refuses("(integer) 1..200", Reply::Integer(0), Resp2);
    refuses("(integer) 1..200", Reply::Integer(201), Resp2);
    takes("(integer) -5..-1", Reply::Integer(-5), Resp2);
    takes("(integer) 1..", Reply::Integer(i64::MAX), Resp2);
    refuses("(integer) ..1", Reply::Integer(2), Resp2);
    takes("(integer)", Reply::Integer(-7), Resp2);
    refuses("(integer)", bulk("1"), Resp2);
}

#[test]
fn doubles_are_text_where_the_transport_has_none() {
    takes("(double) 1.5", Reply::Double(1.5), Resp3);
    takes("(double) 1.5", bulk("1.50"), Resp2);
    refuses("(double) 1.5", bulk("1.5"), Resp3);
    refuses("(double) 1.5", bulk("1.6"), Json);
    takes("(double) inf", Reply::Double(f64::INFINITY), Resp3);
    takes("(double)", bulk("3"), Json);
    refuses("(double)", bulk("three"), Json);
}

#[test]
fn approximate_numbers_have_a_tolerance() {
    takes("(approx 0.01) 3.14", bulk("3.149"), Resp2);
    takes("(approx 0.01) (double) 3.14", Reply::Double(3.131), Resp3);
    takes("(approx 2) 10", Reply::Integer(12), Json);
    refuses("(approx 0.01) 3.14", bulk("3.16"), Resp2);
    refuses("(approx 0.01) 3.14", bulk("pi"), Resp2);
    refuses("(approx 2) 10", Reply::Integer(13), Json);
}

#[test]
fn nil_true_and_false() {
    takes("(nil)", Reply::Nil, Json);
    refuses("(nil)", bulk(""), Json);
    refuses("(nil)", Reply::Array(vec![]), Resp2);
    takes("(true)", Reply::Boolean(true), Resp3);
    takes("(true)", Reply::Integer(1), Resp2);
    refuses("(true)", Reply::Integer(1), Resp3);
    refuses("(false)", Reply::Boolean(true), Resp3);
    takes("(big number) 123", Reply::BigNumber("123".into()), Resp3);
    refuses("(big number) 123", Reply::BigNumber("124".into()), Resp3);
}

#[test]
fn errors_have_a_class_and_maybe_any_text() {
    takes(
        "(error) WRONGTYPE *",
        error("WRONGTYPE Operation against a key"),
        Json,
    );
    takes(
        "(error) ERR *unbalanced\\**",
        error("ERR is unbalanced* [x]"),
        Json,
    );
    takes(
        "(error) ERR beginning with:",
        error("ERR beginning with: "),
        Resp2,
    );
    refuses("(error) WRONGTYPE *", error("ERR Operation"), Json);
    refuses(
        "(error) ERR syntax error",
        error("ERR syntax error near x"),
        Json,
    );
    refuses("(error) ERR *", bulk("ERR x"), Json);
    let either = "(error) EXECABORT * | (error) ERR *";
    takes(either, error("EXECABORT discarded"), Resp2);
    takes(either, error("ERR wrong number"), Json);
    refuses(either, error("WRONGTYPE x"), Json);
    takes("(error) \"\"", error(""), Resp2);
    takes(
        "(error) \"ERR a | (error) b\"",
        error("ERR a | (error) b"),
        Resp2,
    );
}

#[test]
fn any_takes_all_but_errors() {
    takes("(any)", Reply::Nil, Json);
    takes("(any)", bulks(&["a"]), Json);
    refuses("(any)", error("ERR x"), Json);
}

#[test]
fn arrays_are_compared_element_by_element() {
    takes(
        "1) \"a\"\n2) (integer) 2",
        Reply::Array(vec![bulk("a"), Reply::Integer(2)]),
        Json,
    );
    let text = refuses(
        "1) \"a\"\n2) 1) \"b\"\n   2) \"c\"",
        Reply::Array(vec![bulk("a"), bulks(&["b", "d"])]),
        Json,
    );
    assert_eq!(text, "element 2.2: expected \"c\", got \"d\"");
    let text = refuses("1) \"a\"", bulks(&["a", "b"]), Json);
    assert_eq!(text, "expected 1 element, got 2: 1) \"a\"\n2) \"b\"");
    refuses("1) \"a\"\n2) \"b\"", bulks(&["b", "a"]), Json);
    let text = refuses("1) \"a\"\n2) (nil)", error("ERR x"), Json);
    assert_eq!(text, "expected an array of 2 elements, got (error) ERR x");
    takes("(empty array)", Reply::Array(vec![]), Json);
    refuses("(empty array)", Reply::Nil, Json);
}

#[test]
fn unordered_arrays_pair_comparators_well() {
    takes("(unordered)\n1) \"a\"\n2) \"b\"", bulks(&["b", "a"]), Json);
    refuses("(unordered)\n1) \"a\"\n2) \"b\"", bulks(&["a", "a"]), Json);
    // Taking the first that fits would give `a` to (string) and leave "a" without a partner.
    takes(
        "(unordered)\n1) (string)\n2) (like \"a*\")\n3) \"a\"",
        bulks(&["a", "ab", "b"]),
        Json,
    );
    refuses(
        "(unordered)\n1) (like \"a*\")\n2) \"a\"\n3) (string)",
        bulks(&["a", "b", "c"]),
        Json,
    );
    refuses("(unordered)\n1) \"a\"", bulks(&["a", "b"]), Json);
}

#[test]
fn maps_are_flat_where_the_transport_has_none() {
    let map = "1# \"a\" => \"1\"\n2# \"b\" => \"2\"";
    let pair = |key, value| (bulk(key), bulk(value));
    takes(map, Reply::Map(vec![pair("b", "2"), pair("a", "1")]), Resp3);
    takes(map, bulks(&["b", "2", "a", "1"]), Resp2);
    takes(map, bulks(&["a", "1", "b", "2"]), Json);
    refuses(map, bulks(&["a", "2", "b", "1"]), Json);
    refuses(map, bulks(&["a", "1", "b", "2"]), Resp3);
    refuses(map, bulks(&["a", "1", "b"]), Json);
    takes(
        "1) \"a\"\n2) \"1\"",
        Reply::Map(vec![pair("a", "1")]),
        Resp3,
    );
    takes("(empty hash)", Reply::Array(vec![]), Json);
}

#[test]
fn sets_have_no_order() {
    takes(
        "1~ \"a\"\n2~ \"b\"",
        Reply::Set(vec![bulk("b"), bulk("a")]),
        Resp3,
    );
    takes("1~ \"a\"\n2~ \"b\"", bulks(&["b", "a"]), Resp2);
    refuses("1~ \"a\"\n2~ \"b\"", bulks(&["b", "a"]), Resp3);
    refuses(
        "1~ \"a\"\n2~ \"b\"",
        Reply::Set(vec![bulk("b"), bulk("c")]),
        Resp3,
    );
}

#[test]
fn scores_nested_by_resp3_match_the_flat_form() {
    let pairs = vec![
        Reply::Array(vec![bulk("a"), Reply::Double(1.0)]),
        Reply::Array(vec![bulk("b"), Reply::Double(2.5)]),
    ];
    let flat = "1) \"a\"\n2) \"1\"\n3) \"b\"\n4) \"2.5\"";
    takes(flat, Reply::Array(pairs.clone()), Resp3);
    refuses(flat, Reply::Array(pairs), Resp2);
}

#[test]
fn streams_sent_as_a_map_match_the_array_of_pairs() {
    let entries = Reply::Array(vec![bulk("1-1")]);
    let map = Reply::Map(vec![(bulk("t:log"), entries)]);
    takes("1) 1) {log}\n   2) 1) \"1-1\"", map.clone(), Resp3);
    refuses("1) 1) {log}\n   2) 1) \"1-2\"", map, Resp3);
}

#[test]
fn alternatives_take_one_of_several() {
    takes("\"a\" | (nil)", Reply::Nil, Json);
    takes("\"a\" | (nil)", bulk("a"), Json);
    let text = refuses("\"a\" | (nil)", bulk("b"), Json);
    assert_eq!(text, "expected \"a\" | (nil), got \"b\"");
}

#[test]
fn a_matching_reply_is_captured() {
    let found =
        check("1) \"0\"\n2) (string) => $name", &bulks(&["0", "x"]), Json).expect("matches");
    assert_eq!(found.get("name").map(Vec::as_slice), Some(b"x".as_slice()));
    let found = check("(integer) => $n", &Reply::Integer(-4), Json).expect("matches");
    assert_eq!(found.get("n").map(Vec::as_slice), Some(b"-4".as_slice()));
    refuses("(integer) 1 => $n", Reply::Integer(2), Json);
    refuses("(any) => $n", bulks(&["a"]), Json);
}
