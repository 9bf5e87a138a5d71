//! Time per command.

use std::cell::Cell;

use bytes::Bytes;
use criterion::Criterion;

use crate::{Store, words};

/// Members of the sorted sets.
const MEMBERS: usize = 100_000;
/// Keys that SCAN walks.
const KEYS: usize = 1_000_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("command");
    let mut bench = |name: &str, store: &mut Store, commands: &[&str]| {
        let commands: Vec<Vec<Bytes>> = commands.iter().map(|line| words(line)).collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for command in &commands {
                    store.run(command);
                }
            });
        });
    };

    let store = &mut Store::redis();
    store.run_line("SET k some-value");
    store.fill("HSET hash", 100, |n| format!("field{n} value{n}"));
    store.fill("ZADD zset", MEMBERS, |n| format!("{n} member{n}"));
    bench("SET", store, &["SET k some-value"]);
    bench("GET", store, &["GET k"]);
    bench("INCR", store, &["INCR counter"]);
    bench("HSET", store, &["HSET hash field50 other"]);
    bench("HGETALL of 100 fields", store, &["HGETALL hash"]);
    bench(
        "LPUSH and RPOP",
        store,
        &["LPUSH list element", "RPOP list"],
    );
    bench(
        "ZADD to 100,000 members",
        store,
        &["ZADD zset 50000.5 member7", "ZADD zset 7 member7"],
    );
    bench(
        "ZRANGE of 10 in 100,000 members",
        store,
        &["ZRANGE zset 50000 50009 WITHSCORES"],
    );
    bench("XADD", store, &["XADD stream MAXLEN ~ 10000 * field value"]);
    let script = "return redis.call('INCR',KEYS[1])";
    let eval = ["EVAL", script, "1", "counter"].map(|word| Bytes::from_static(word.as_bytes()));
    group.bench_function("EVAL", |bencher| bencher.iter(|| store.run(&eval)));

    let store = &mut Store::redis();
    store.fill("MSET", KEYS, |n| format!("key:{n} value:{n}"));
    let cursor = Cell::new(Bytes::from_static(b"0"));
    let scan = Bytes::from_static(b"SCAN");
    group.bench_function("SCAN over 1,000,000 keys", |bencher| {
        bencher.iter(|| {
            let at = cursor.take();
            cursor.set(crate::growth::next_cursor(store.run(&[scan.clone(), at])));
        });
    });
    group.finish();
}
