//! What the commands of a run would be billed at Upstash, and what that costs on each plan.
//!
//! The rules are those of Upstash's pricing page (docs, overall/billing, August 2026): every command
//! counts, so does every member of a pipeline or transaction and every `redis.call` inside a script;
//! on a global database each write counts once more for every read region. The mock counts by the same
//! rules with code of its own; a test holds the two against each other over the whole suite.

mod command;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use command::Script;
use scenarios::client::Command;

/// Commands counted the way a bill counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Billed {
    /// All billable commands, those inside scripts included.
    pub commands: u64,
    /// How many of them write; each is billed once more per read region.
    pub writes: u64,
    /// How many of them are an estimate: `redis.call`s counted in the text of scripts.
    pub estimated: u64,
}

impl Billed {
    /// Adds another count.
    pub fn add(&mut self, other: Billed) {
        self.commands += other.commands;
        self.writes += other.writes;
        self.estimated += other.estimated;
    }

    /// What is billed when the database has this many read regions.
    pub fn with_read_regions(self, regions: u64) -> u64 {
        self.commands + self.writes * regions
    }

    /// What these commands cost on each plan.
    pub fn prices(self) -> Vec<Price> {
        let payg = self.commands as f64 * PAYG_USD_PER_COMMAND;
        let region = self.with_read_regions(1) as f64 * PAYG_USD_PER_COMMAND;
        let share = self.commands as f64 * 100.0 / FREE_COMMANDS_PER_MONTH as f64;
        vec![
            Price {
                plan: "Free",
                usd: 0.0,
                note: format!("{share:.2} % of a month's commands"),
            },
            Price {
                plan: "Pay as you go",
                usd: payg,
                note: format!(
                    "$0.20 per 100,000 commands; {} with one read region",
                    dollars(region)
                ),
            },
            Price {
                plan: "Fixed",
                usd: 0.0,
                note: "commands are not counted; from $10 a month by data size, and half as much again \
                       for each read region"
                    .into(),
            },
        ]
    }
}

/// Knows what commands are billed, and remembers scripts, which may be sent once and run often.
///
/// MULTI and EXEC are billed where they are sent, and so is every command that is refused: no source
/// says otherwise. AUTH, HELLO, QUIT, RESET and CLIENT are not. How often the calls of a script run
/// cannot be seen from outside: each that its text holds counts once.
#[derive(Debug, Default)]
pub struct Tariff {
    /// What a script calls, by its digest.
    scripts: Mutex<BTreeMap<Vec<u8>, Billed>>,
    /// What a library calls, by the names of its functions.
    functions: Mutex<BTreeMap<Vec<u8>, Billed>>,
}

impl Tariff {
    /// What a command is billed that is about to be sent.
    pub fn bill(&self, command: &Command) -> Billed {
        let Some(name) = command.first() else {
            return Billed::default();
        };
        if command::is_free(name) {
            return Billed::default();
        }
        let mut billed = Billed {
            commands: 1,
            writes: u64::from(command::writes(command)),
            estimated: 0,
        };
        billed.add(self.called_by(command));
        billed
    }

    /// What is billed for a connection over TCP: its PING. AUTH and HELLO are not.
    pub const GREETING: Billed = Billed {
        commands: 1,
        writes: 0,
        estimated: 0,
    };

    /// What is billed around the commands of a transaction over TCP: MULTI and EXEC.
    pub const TRANSACTION: Billed = Billed {
        commands: 2,
        writes: 0,
        estimated: 0,
    };

    /// What the script or function that the command runs is expected to call.
    fn called_by(&self, command: &Command) -> Billed {
        match command::script(command) {
            Some(Script::Text { text, runs }) => {
                let calls = command::calls(text);
                locked(&self.scripts).insert(command::digest(text), calls);
                if runs { calls } else { Billed::default() }
            }
            Some(Script::Library(text)) => {
                let calls = command::calls(text);
                let mut functions = locked(&self.functions);
                for name in command::functions(text) {
                    functions.insert(name, calls);
                }
                Billed::default()
            }
            // Of a script that was not seen nothing is known but that it runs.
            Some(Script::Digest(digest)) => locked(&self.scripts)
                .get(&digest.to_ascii_lowercase())
                .copied()
                .unwrap_or_default(),
            Some(Script::Function(name)) => locked(&self.functions)
                .get(name)
                .copied()
                .unwrap_or_default(),
            None => Billed::default(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere cannot leave a map of numbers half written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PAYG_USD_PER_COMMAND: f64 = 0.20 / 100_000.0;
const FREE_COMMANDS_PER_MONTH: u64 = 500_000;

/// What a plan charges for the commands of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Price {
    /// The plan's name on Upstash's pricing page.
    pub plan: &'static str,
    /// US dollars on top of what the plan costs by the month.
    pub usd: f64,
    /// What the figure rests on.
    pub note: String,
}

/// US dollars with as many decimals as the amount needs.
pub fn dollars(usd: f64) -> String {
    if usd == 0.0 {
        "$0".into()
    } else if usd < 0.01 {
        format!("${usd:.5}")
    } else {
        format!("${usd:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Command {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn counted(commands: &[&[&str]]) -> Billed {
        let tariff = Tariff::default();
        let mut billed = Billed::default();
        for words in commands {
            billed.add(tariff.bill(&command(words)));
        }
        billed
    }

    #[test]
    fn a_write_is_billed_once_more_per_read_region() {
        let billed = counted(&[&["GET", "k"], &["set", "k", "v"]]);
        assert_eq!((billed.commands, billed.writes), (2, 1));
        assert_eq!(billed.with_read_regions(2), 4);
    }

    #[test]
    fn a_script_is_billed_with_its_calls_however_it_is_sent() {
        let script =
            "local v = redis.call('GET', KEYS[1]) if v then redis.pcall(\"DEL\", KEYS[1]) end";
        let wanted = Billed {
            commands: 3,
            writes: 1,
            estimated: 2,
        };
        assert_eq!(counted(&[&["EVAL", script, "1", "k"]]), wanted);
        let digest = String::from_utf8(command::digest(script.as_bytes())).expect("hexadecimal");
        let loaded = counted(&[&["SCRIPT", "LOAD", script], &["EVALSHA", &digest, "1", "k"]]);
        assert_eq!(
            loaded,
            Billed {
                commands: 4,
                ..wanted
            }
        );
        assert_eq!(counted(&[&["EVALSHA", &digest, "1", "k"]]).commands, 1);
    }

    #[test]
    fn a_function_is_billed_with_the_calls_of_its_library() {
        let library = "#!lua name=lib\nredis.register_function('one', function(k) return redis.call('INCR', k[1]) end)\nredis.register_function{function_name='two', callback=f}";
        let load: &[&str] = &["FUNCTION", "LOAD", library];
        for name in ["one", "two"] {
            let billed = counted(&[load, &["FCALL", name, "1", "k"]]);
            assert_eq!((billed.commands, billed.writes), (3, 2), "{name}");
        }
        assert_eq!(counted(&[load, &["FCALL", "three", "1", "k"]]).commands, 2);
    }

    #[test]
    fn connecting_is_free() {
        let free: &[&[&str]] = &[&["auth", "secret"], &["HELLO", "3"], &["CLIENT", "ID"]];
        assert_eq!(counted(free), Billed::default());
        assert_eq!(counted(&[&["PING"], &["NONSENSE"], &["XINFO"]]).commands, 3);
    }

    #[test]
    fn money_is_per_hundred_thousand() {
        let billed = Billed {
            commands: 250_000,
            ..Billed::default()
        };
        let prices = billed.prices();
        assert_eq!(dollars(prices[1].usd), "$0.50");
        assert!(prices[0].note.starts_with("50.00 %"));
    }
}
