//! Commands, one to a line, their arguments separated by tabs: whatever they are, the engine answers
//! every one, within its limits.

use std::sync::Arc;

use bytes::Bytes;
use redis_engine::{Config, Connect, Dialect, Engine, ManualClock, Options};

/// Limits low enough for a machine that tries many inputs.
const STRING_BYTES: usize = 1 << 20;
const SCRIPT_MS: u64 = 20;
const SCRIPT_BYTES: usize = 8 << 20;

pub(crate) fn run(input: &[u8]) {
    for dialect in [Dialect::REDIS, Dialect::UPSTASH] {
        let mut engine = Engine::new(Options {
            dialect,
            config: Config {
                databases: 2,
                max_string_bytes: STRING_BYTES,
                script_time_limit_ms: SCRIPT_MS,
                script_memory_bytes: SCRIPT_BYTES,
                ..Config::default()
            },
            clock: Arc::new(ManualClock::at(1_700_000_000_000)),
            seed: 1,
        });
        let client = engine.connect(Connect::default());
        for line in input.split(|byte| *byte == b'\n') {
            let arguments = line.split(|byte| *byte == b'\t');
            let args: Vec<Bytes> = arguments.map(Bytes::copy_from_slice).collect();
            engine.execute(client, &args);
        }
    }
}
