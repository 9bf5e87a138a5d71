//! A Lua pattern, and behind the first line end the text it is tried on: the script ends, by itself or
//! at its limit.

use std::sync::Arc;

use bytes::Bytes;
use redis_engine::{Config, Connect, Dialect, Engine, ManualClock, Options, Reply};

const SCRIPT: &str = "local count = 0
for found in string.gmatch(ARGV[2], ARGV[1]) do count = count + 1 end
return {count, string.find(ARGV[2], ARGV[1]) or -1, (string.gsub(ARGV[2], ARGV[1], '%0'))}";

pub(crate) fn run(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n');
    let (pattern, text) = input.split_at(at.unwrap_or(input.len()));
    let text = text.get(1..).unwrap_or_default();
    let mut engine = Engine::new(Options {
        dialect: Dialect::REDIS,
        config: Config {
            script_time_limit_ms: 20,
            script_memory_bytes: 8 << 20,
            ..Config::default()
        },
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        seed: 1,
    });
    let client = engine.connect(Connect::default());
    let words = [b"EVAL", SCRIPT.as_bytes(), b"0", pattern, text];
    let args: Vec<Bytes> = words.into_iter().map(Bytes::copy_from_slice).collect();
    let reply = engine.execute(client, &args);
    assert!(
        matches!(reply, Reply::Array(_) | Reply::Error(_)),
        "{reply:?}"
    );
}
