//! How many billable commands a command is, as Upstash counts them.
//!
//! Every member of a pipeline or transaction is one, and so is every `redis.call` that a script
//! makes (Upstash docs, pricing). How often a script's calls run cannot be seen from outside: a
//! script is estimated as one command and one more for each `redis.call` or `redis.pcall` that its
//! text holds. `MULTI` and `EXEC` are counted too, where they are sent, and so are commands that
//! Upstash may not charge for, such as `PING`: the figure is meant never to be too low for a script
//! without loops.

use std::collections::HashMap;
use std::sync::Mutex;

use scenarios::client::Command;
use sha1::{Digest, Sha1};

use super::command::name;

/// Knows the scripts that were sent, so that `EVALSHA` can be counted.
#[derive(Debug, Default)]
pub(crate) struct Tariff {
    calls_by_digest: Mutex<HashMap<String, u64>>,
}

impl Tariff {
    /// How many billable commands `command` is.
    pub(crate) fn cost(&self, command: &Command) -> u64 {
        match name(command).as_str() {
            "EVAL" | "EVAL_RO" => {
                let calls = command.get(1).map_or(0, |text| self.learn(text));
                1 + calls
            }
            "SCRIPT"
                if command
                    .get(1)
                    .is_some_and(|sub| sub.eq_ignore_ascii_case(b"LOAD")) =>
            {
                if let Some(text) = command.get(2) {
                    self.learn(text);
                }
                1
            }
            "EVALSHA" | "EVALSHA_RO" => {
                let digest = command
                    .get(1)
                    .map(|digest| String::from_utf8_lossy(digest).to_ascii_lowercase())
                    .unwrap_or_default();
                1 + self.scripts().get(&digest).copied().unwrap_or(0)
            }
            _ => 1,
        }
    }

    fn learn(&self, text: &[u8]) -> u64 {
        let digest: String = Sha1::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let calls = String::from_utf8_lossy(text);
        let calls =
            (calls.matches("redis.call").count() + calls.matches("redis.pcall").count()) as u64;
        self.scripts().insert(digest, calls);
        calls
    }

    fn scripts(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        // A panic elsewhere cannot leave a map of numbers half written.
        self.calls_by_digest
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_cost_their_calls() {
        let tariff = Tariff::default();
        let text = "redis.call('SET', KEYS[1], 1) return redis.pcall('GET', KEYS[1])";
        let command = |words: &[&str]| -> Command {
            words.iter().map(|word| word.as_bytes().to_vec()).collect()
        };
        let digest: String = Sha1::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(tariff.cost(&command(&["get", "k"])), 1);
        assert_eq!(tariff.cost(&command(&["EVALSHA", &digest, "0"])), 1);
        assert_eq!(tariff.cost(&command(&["SCRIPT", "LOAD", text])), 1);
        assert_eq!(tariff.cost(&command(&["EVALSHA", &digest, "0"])), 3);
        assert_eq!(tariff.cost(&command(&["eval", text, "0"])), 3);
    }
}
