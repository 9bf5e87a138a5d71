//! The engine without a transport: time per command, growth with size, memory, and stalls.

mod command;
mod growth;
mod memory;
mod stall;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::Criterion;
use redis_engine::{ClientId, Config, Connect, Dialect, Engine, ManualClock, Options, Reply};

/// An engine with one client.
struct Store {
    engine: Engine,
    client: ClientId,
}

impl Store {
    fn new(dialect: Dialect) -> Store {
        let mut engine = Engine::new(Options {
            dialect,
            config: Config::default(),
            clock: Arc::new(ManualClock::at(1_700_000_000_000)),
            seed: 1,
        });
        let client = engine.connect(Connect::default());
        Store { engine, client }
    }

    fn redis() -> Store {
        Store::new(Dialect::REDIS)
    }

    /// Runs a command; a benchmark of errors would measure nothing.
    fn run(&mut self, command: &[Bytes]) -> Reply {
        let reply = self.engine.execute(self.client, command);
        assert!(!matches!(reply, Reply::Error(_)), "{command:?}: {reply:?}");
        reply
    }

    fn run_line(&mut self, line: &str) -> Reply {
        self.run(&words(line))
    }

    /// Adds elements `0..count` to a key, many with each command: `element` writes one.
    fn fill(&mut self, command: &str, count: usize, element: impl Fn(usize) -> String) {
        const AT_ONCE: usize = 1000;
        for first in (0..count).step_by(AT_ONCE) {
            let elements = (first..count.min(first + AT_ONCE)).map(&element);
            let line = format!("{command} {}", elements.collect::<Vec<_>>().join(" "));
            self.run_line(&line);
        }
    }
}

/// A command's arguments, which stand between blanks.
fn words(line: &str) -> Vec<Bytes> {
    line.split(' ')
        .map(|word| Bytes::copy_from_slice(word.as_bytes()))
        .collect()
}

fn main() {
    // Without names of benchmarks as a filter, the figures that are no benchmarks come first.
    let filtered = std::env::args().skip(1).any(|arg| !arg.starts_with('-'));
    let wanted = |name: &str| !filtered || std::env::args().any(|arg| arg == name);
    if wanted("memory") {
        memory::report();
    }
    if wanted("stall") {
        stall::report();
    }
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    command::bench(&mut criterion);
    growth::bench(&mut criterion);
    criterion.final_summary();
}
