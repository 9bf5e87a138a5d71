//! Settings that CONFIG shows and the engine heeds.

use crate::notification::Class;

/// Settings of an engine.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which keyspace notifications are published.
    pub notifications: Class,
    /// Number of databases that SELECT can choose.
    pub databases: usize,
    /// Longest string, in bytes.
    pub max_string_bytes: usize,
    /// How long a script may run, in milliseconds of the host's time.
    pub script_time_limit_ms: u64,
    /// How much memory scripts may use, in bytes.
    pub script_memory_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            notifications: Class::empty(),
            databases: 16,
            max_string_bytes: 512 * 1024 * 1024,
            script_time_limit_ms: 5_000,
            script_memory_bytes: 256 * 1024 * 1024,
        }
    }
}
