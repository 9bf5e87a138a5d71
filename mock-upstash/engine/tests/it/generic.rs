//! Generic commands.

use std::collections::BTreeSet;

use redis_engine::Reply;

use crate::testing::Bench;

#[test]
fn a_scan_meets_every_key_that_stays_while_others_go() {
    let mut bench = Bench::redis();
    for i in 0..100 {
        bench.run(&format!("SET stays:{i} v"));
        bench.run(&format!("SET goes:{i} v"));
    }
    let (mut cursor, mut seen, mut round) = ("0".to_owned(), BTreeSet::new(), 0);
    loop {
        let Reply::Array(parts) = bench.run(&format!("SCAN {cursor} COUNT 7")) else {
            panic!("SCAN did not answer an array");
        };
        let [Reply::Bulk(next), Reply::Array(keys)] = &parts[..] else {
            panic!("SCAN did not answer a cursor and keys");
        };
        for key in keys {
            if let Reply::Bulk(key) = key {
                seen.insert(key.clone());
            }
        }
        bench.run(&format!("DEL goes:{round} goes:{}", round + 50));
        round += 1;
        cursor = String::from_utf8_lossy(next).into_owned();
        if cursor == "0" {
            break;
        }
    }
    let stayed = seen.iter().filter(|key| key.starts_with(b"stays:"));
    assert_eq!(stayed.count(), 100);
}

#[test]
fn scan_tells_types_where_upstash_does() {
    let mut redis = Bench::redis();
    redis.run("SET k v");
    assert_eq!(redis.show("SCAN 0 WITHTYPE"), "(error) ERR syntax error");
    let mut upstash = Bench::upstash();
    upstash.run("SET k v");
    assert_eq!(
        upstash.show("SCAN 0 WITHTYPE"),
        "[\"0\", [\"k\", \"string\"]]"
    );
    assert_eq!(upstash.show("UNLINK"), "0");
    assert_eq!(upstash.show("COPY k k"), "0");
}

#[test]
fn an_expiry_moves_with_its_key() {
    let mut bench = Bench::redis();
    bench.run("SET a v PX 100");
    bench.run("COPY a b");
    bench.run("RENAME a c");
    assert_eq!(bench.show("PTTL b"), "100");
    assert_eq!(bench.show("PTTL c"), "100");
    bench.advance_ms(101);
    assert_eq!(bench.show("EXISTS a b c"), "0");
}

#[test]
fn wait_blocks_for_replicas_that_never_come() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("WAIT 0 0"), "0");
    assert_eq!(bench.show("WAIT 1 100"), "none");
    assert_eq!(
        bench.engine.next_deadline_ms(),
        Some(crate::testing::START_MS + 100)
    );
}
