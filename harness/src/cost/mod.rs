//! What the commands of a run would be billed at Upstash, and what that costs on each plan.
//!
//! The rules are those of Upstash's pricing page (docs, overall/billing, August 2026): every command
//! counts, so does every member of a pipeline or transaction and every `redis.call` inside a script;
//! on a global database each write counts once more for every read region.

mod command;

use std::collections::BTreeMap;

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
        let share = self.commands as f64 * 100.0 / FREE_COMMANDS_PER_MONTH as f64;
        vec![
            Price {
                plan: "Free",
                usd: 0.0,
                note: format!("{share:.2} % of the month's {FREE_COMMANDS_PER_MONTH} commands"),
            },
            Price {
                plan: "Pay as you go",
                usd: payg,
                note: "$0.20 per 100,000 commands".into(),
            },
            Price {
                plan: "Fixed",
                usd: 0.0,
                note: "commands are not counted; from $10 a month by data size".into(),
            },
        ]
    }
}

/// Counts commands as they are sent, and remembers scripts, which may be sent once and run often.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    billed: Billed,
    /// What a script calls and how much of that writes, by its digest.
    scripts: BTreeMap<Vec<u8>, (u64, u64)>,
}

impl Counter {
    /// Counts one command that was sent.
    pub fn count(&mut self, command: &Command) {
        let Some(name) = command.first() else { return };
        self.billed.commands += 1;
        if command::writes(name) {
            self.billed.writes += 1;
        }
        let (calls, writes) = self.script(command);
        self.billed.commands += calls;
        self.billed.estimated += calls;
        self.billed.writes += writes;
    }

    /// What was counted so far.
    pub fn billed(&self) -> Billed {
        self.billed
    }

    /// What the script that the command runs is expected to call.
    fn script(&mut self, command: &Command) -> (u64, u64) {
        match command::script(command) {
            Some(Script::Text { text, runs }) => {
                let calls = command::calls(text);
                self.scripts.insert(command::digest(text), calls);
                if runs { calls } else { (0, 0) }
            }
            // Of a script that was not seen nothing is known but that it runs.
            Some(Script::Digest(digest)) => self
                .scripts
                .get(&digest.to_ascii_lowercase())
                .copied()
                .unwrap_or_default(),
            None => (0, 0),
        }
    }
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
        let mut counter = Counter::default();
        for words in commands {
            counter.count(&command(words));
        }
        counter.billed()
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
