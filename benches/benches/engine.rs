//! The engine without a transport.

use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use redis_engine::{Config, Connect, Dialect, Engine, ManualClock, Options};

fn engine() -> (Engine, u64) {
    let mut engine = Engine::new(Options {
        dialect: Dialect::REDIS,
        config: Config::default(),
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        seed: 1,
    });
    let client = engine.connect(Connect::default());
    (engine, client)
}

fn args(line: &str) -> Vec<Bytes> {
    line.split(' ')
        .map(|word| Bytes::copy_from_slice(word.as_bytes()))
        .collect()
}

fn single_commands(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    let (mut engine, client) = engine();
    for line in ["SET k some-value", "GET k"] {
        let command = args(line);
        group.bench_function(line, |bencher| {
            bencher.iter(|| engine.execute(client, &command))
        });
    }
    group.finish();
}

criterion_group!(benches, single_commands);
criterion_main!(benches);
