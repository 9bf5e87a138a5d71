//! Strings.

use crate::testing::Bench;

#[test]
fn what_is_set_is_read_back() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("GET k"), "nil");
    assert_eq!(bench.show("SET k v"), "OK");
    assert_eq!(bench.show("GET k"), "\"v\"");
    assert_eq!(
        bench.show("NOPE a"),
        "(error) ERR unknown command 'NOPE', with args beginning with: 'a' "
    );
}

#[test]
fn set_heeds_its_conditions() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("SET k 1 XX"), "nil");
    assert_eq!(bench.show("SET k 1 NX"), "OK");
    assert_eq!(bench.show("SET k 2 NX GET"), "\"1\"");
    assert_eq!(bench.show("SET k 2 IFEQ 0"), "nil");
    assert_eq!(bench.show("SET k 2 IFEQ 1 GET"), "\"1\"");
    assert_eq!(bench.show("DIGEST k"), "\"fb95a7322f5da314\"");
    assert_eq!(bench.show("SET k 3 IFDEQ FB95A7322F5DA314"), "OK");
    assert_eq!(bench.show("SET absent 1 IFNE 0"), "OK");
    assert_eq!(bench.show("DELEX k IFNE 3"), "0");
    assert_eq!(bench.show("DELEX k IFEQ 3"), "1");
    assert_eq!(bench.show("SET k 1 NX IFEQ 1"), "(error) ERR syntax error");
}

#[test]
fn a_string_expires_to_the_millisecond() {
    let mut bench = Bench::redis();
    bench.run("SET k v PX 100");
    bench.advance_ms(100);
    assert_eq!(bench.show("PTTL k"), "0");
    bench.advance_ms(1);
    assert_eq!(bench.show("GET k"), "nil");
    bench.run("SET k v EX 10");
    bench.run("SET k w KEEPTTL");
    assert_eq!(bench.show("TTL k"), "10");
    assert_eq!(bench.show("GETEX k PERSIST"), "\"w\"");
    assert_eq!(bench.show("TTL k"), "-1");
    assert_eq!(bench.show("GETEX k PXAT 1"), "\"w\"");
    assert_eq!(bench.show("EXISTS k"), "0");
}

#[test]
fn floats_are_added_in_extended_precision_or_in_doubles() {
    let mut redis = Bench::redis();
    redis.run("SET k 0.1");
    assert_eq!(redis.show("INCRBYFLOAT k 0.2"), "\"0.3\"");
    redis.run("SET k 3.0e3");
    assert_eq!(redis.show("INCRBYFLOAT k 200"), "\"3200\"");
    assert_eq!(redis.show("INCRBYFLOAT k -0x1p-3"), "\"3199.875\"");
    let mut upstash = Bench::upstash();
    upstash.run("SET k 0.1");
    assert_eq!(upstash.show("INCRBYFLOAT k 0.2"), "\"0.30000000000000004\"");
}
