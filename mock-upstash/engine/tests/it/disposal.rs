//! What takes long to free is handed over, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis_engine::{Disposal, Rubbish};

use crate::testing::Bench;

/// Counts what it is given.
struct Counter(Arc<AtomicUsize>);

impl Disposal for Counter {
    fn dispose(&mut self, _rubbish: Rubbish) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A list, a set, a hash and a sorted set of a hundred elements each.
fn fill(bench: &mut Bench) {
    for n in 0..100 {
        bench.run(&format!("RPUSH list {n}"));
        bench.run(&format!("SADD set m{n}"));
        bench.run(&format!("HSET hash f{n} v"));
        bench.run(&format!("ZADD zset {n} m{n}"));
    }
}

#[test]
fn large_values_are_handed_over_however_they_go() {
    let mut bench = Bench::redis();
    let count = Arc::new(AtomicUsize::new(0));
    bench.engine.disposal = Box::new(Counter(Arc::clone(&count)));
    fill(&mut bench);
    bench.run("SET small v");
    bench.run("RPUSH short a b c");
    assert_eq!(bench.show("DEL small short"), "2");
    assert_eq!(count.load(Ordering::Relaxed), 0);

    assert_eq!(bench.show("UNLINK list"), "1");
    assert_eq!(bench.show("SET set v"), "OK");
    assert_eq!(bench.show("PEXPIRE hash 1"), "1");
    bench.advance_ms(2);
    assert_eq!(bench.show("EXISTS hash"), "0");
    assert_eq!(bench.show("RENAME zset other"), "OK");
    assert_eq!(count.load(Ordering::Relaxed), 3);
    assert_eq!(bench.show("FLUSHALL"), "OK");
    assert_eq!(count.load(Ordering::Relaxed), 4);
    // There is nothing left to hand over.
    assert_eq!(bench.show("FLUSHALL"), "OK");
    assert_eq!(count.load(Ordering::Relaxed), 4);
}
