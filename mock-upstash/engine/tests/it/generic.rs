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

#[test]
fn a_payload_made_to_deceive_is_refused_or_restored_and_no_more() {
    let mut bench = Bench::redis();
    bench.run("HSET hash a 1 b 2");
    bench.run("HPEXPIRE hash 1000 FIELDS 1 a");
    bench.run("RPUSH list a b c");
    bench.run("ZADD sorted 1 a 2 b");
    // A quicklist of one listpack, and a packed string.
    let listpack = b"\x12\x01\x02\x0d\x0d\0\0\0\x02\0\x01\x01\x81a\x02\xff\x0f\0".to_vec();
    let packed = b"\0\xc3\x05\x14\x01ab\xe0\x01\x0f\0".to_vec();
    let mut payloads = vec![listpack, packed];
    for key in ["hash", "list", "sorted"] {
        let Reply::Bulk(payload) = bench.run(&format!("DUMP {key}")) else {
            panic!("{key} was not dumped");
        };
        payloads.push(payload[..payload.len() - 8].to_vec());
    }
    for payload in payloads {
        for at in 0..payload.len() {
            for change in [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xff] {
                let mut forged = payload.clone();
                forged[at] = change;
                // A checksum of zero stands for none.
                forged.extend_from_slice(&[0; 8]);
                let reply = bench.run_args(&[b"RESTORE", b"k", b"0", &forged, b"REPLACE"]);
                assert!(
                    matches!(reply, Reply::Status(_) | Reply::Error(_)),
                    "{reply:?}"
                );
                bench.run("TYPE k");
            }
        }
    }
}
