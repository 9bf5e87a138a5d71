//! DUMP and RESTORE: to and from real servers, with options, and payloads made to deceive.

mod sample;
mod server;
pub(crate) mod spoilt;

use std::time::Duration;

use redis_engine::{Reply, dump};

use crate::testing::{Bench, START_MS, show};
use sample::sealed;

fn payload_of(bench: &mut Bench, key: &str) -> Vec<u8> {
    match bench.run(&format!("DUMP {key}")) {
        Reply::Bulk(payload) => payload.to_vec(),
        other => panic!("DUMP {key} answered {other:?}"),
    }
}

#[test]
fn an_integer_is_dumped_as_redis_7_0_dumps_it() {
    let mut bench = Bench::redis();
    bench.run("SET a 1");
    let expected = b"\x00\xc0\x01\x0a\x00\x26\x78\xe7\xb6\xd1\x01\x11\xfc";
    assert_eq!(payload_of(&mut bench, "a"), expected);
}

#[test]
fn times_to_live_are_relative_or_absolute() {
    let mut bench = Bench::redis();
    bench.run("SET a value");
    let payload = payload_of(&mut bench, "a");
    let restore = |bench: &mut Bench, ttl: u64, rest: &[&[u8]]| {
        let ttl = ttl.to_string();
        let args = [&[&b"RESTORE"[..], b"b", ttl.as_bytes(), &payload], rest].concat();
        show(&bench.run_args(&args))
    };
    assert_eq!(restore(&mut bench, 1500, &[]), "OK");
    assert_eq!(bench.show("PTTL b"), "1500");
    assert_eq!(
        restore(&mut bench, 1500, &[]),
        "(error) BUSYKEY Target key name already exists."
    );
    assert_eq!(
        restore(&mut bench, START_MS + 70, &[b"ABSTTL", b"REPLACE"]),
        "OK"
    );
    assert_eq!(bench.show("PTTL b"), "70");
    bench.clock.advance(Duration::from_millis(71));
    assert_eq!(bench.show("GET b"), "nil");
    // A time that is past takes the old value away and puts none there.
    bench.run("SET b other");
    assert_eq!(restore(&mut bench, 1, &[b"REPLACE", b"ABSTTL"]), "OK");
    assert_eq!(bench.show("EXISTS b"), "0");
}

#[test]
fn documents_go_as_a_module_value() {
    let mut bench = Bench::redis();
    // Encoding 7, the id of ReJSON-RL in version 3, a string, the end.
    let id = b"\x81\x45\xe2\x52\x38\xdf\x91\x2c\x03";
    let body = [&b"\x07"[..], id, b"\x05\x07{\"a\":1}\x00"].concat();
    let value = dump::restore_body(&body).expect("a document");
    assert_eq!(dump::dump(&value), sealed(&body, 10));
    let payload = sealed(&body, 10);
    let reply = bench.run_args(&[b"RESTORE", b"doc", b"0", &payload]);
    assert_eq!(show(&reply), "OK");
    assert_eq!(bench.show("TYPE doc"), "ReJSON-RL");
}

#[test]
fn a_checksum_of_zero_stands_for_none() {
    let mut bench = Bench::redis();
    let payload = b"\x00\x01v\x0a\x00\0\0\0\0\0\0\0\0";
    let reply = bench.run_args(&[b"RESTORE", b"k", b"0", payload]);
    assert_eq!(show(&reply), "OK");
    assert_eq!(bench.show("GET k"), "\"v\"");
}
