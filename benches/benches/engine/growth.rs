//! How the time of a command grows with what it works on: constant or logarithmic, as Redis documents.

use std::cell::Cell;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion};
use redis_engine::{Dialect, Reply};

use crate::{Store, words};

const SIZES: [usize; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth");
    for size in SIZES {
        let store = &mut Store::redis();
        store.fill("ZADD zset", size, |n| format!("{n} member{n}"));
        store.fill("RPUSH list", size, |n| format!("element{n}"));
        store.fill("MSET", size, |n| format!("key:{n} value:{n}"));
        let mut bench = |name: &str, commands: &[String]| {
            let commands: Vec<Vec<Bytes>> = commands.iter().map(|line| words(line)).collect();
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    for command in &commands {
                        store.run(command);
                    }
                });
            });
        };
        let middle = size / 2;
        // There and back, so that the set stays as it is.
        bench(
            "ZADD",
            &[
                format!("ZADD zset {middle}.5 member7"),
                "ZADD zset 7 member7".to_owned(),
            ],
        );
        bench(
            "LINDEX at the ends",
            &["LINDEX list 0".to_owned(), "LINDEX list -1".to_owned()],
        );
        bench(
            "RPOP and RPUSH",
            &["RPOP list".to_owned(), "RPUSH list element".to_owned()],
        );
        let cursor = Cell::new(Bytes::from_static(b"0"));
        let scan = Bytes::from_static(b"SCAN");
        group.bench_function(BenchmarkId::new("SCAN", size), |bencher| {
            bencher.iter(|| {
                let at = cursor.take();
                cursor.set(next_cursor(store.run(&[scan.clone(), at])));
            });
        });
    }
    // As Upstash, a script that fails takes back what it wrote, for which it notes what was there.
    for size in SIZES {
        let store = &mut Store::new(Dialect::UPSTASH);
        store.fill("HSET hash", size, |n| format!("field{n} value{n}"));
        let script = "return redis.call('HSET',KEYS[1],'field7','other')";
        let eval = ["EVAL", script, "1", "hash"].map(|word| Bytes::from_static(word.as_bytes()));
        group.bench_function(
            BenchmarkId::new("EVAL that can be taken back", size),
            |bencher| {
                bencher.iter(|| store.run(&eval));
            },
        );
    }
    group.finish();
}

/// The cursor in a reply of SCAN.
pub(crate) fn next_cursor(reply: Reply) -> Bytes {
    match reply {
        Reply::Array(parts) => match parts.into_iter().next() {
            Some(Reply::Bulk(cursor)) => cursor,
            other => panic!("SCAN answers a cursor first, not {other:?}"),
        },
        other => panic!("SCAN answers an array, not {other:?}"),
    }
}
