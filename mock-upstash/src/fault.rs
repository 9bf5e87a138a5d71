//! Faults: what goes wrong, when, told in one form to the library, over HTTP and in a file.
//!
//! ```
//! use mock_upstash::Fault;
//!
//! // The second SET of a key under `order:` takes effect, and its answer is lost.
//! let fault: Fault = toml::from_str(
//!     r#"
//!     effect = "reset-after" # or { delay = { ms = 20 } }, { error = "ERR …" }, …
//!     commands = ["SET"]
//!     key = "order:*"
//!     every = 2
//!     times = 1
//!     "#,
//! )?;
//! # Ok::<(), toml::de::Error>(())
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use redis_engine::{command, glob};
use serde::{Deserialize, Serialize};

use crate::limit::Limit;

/// Something that goes wrong: which commands it strikes, and what it does to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// What happens.
    pub effect: Effect,
    /// Which commands; all when empty.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Only commands one of whose keys matches this glob.
    #[serde(default)]
    pub key: Option<String>,
    /// Only requests of this user: `default`, `default_ro`, or one that ACL SETUSER made.
    #[serde(default)]
    pub user: Option<String>,
    /// Only every n-th command that the rest of this description fits: 2 strikes the second, the
    /// fourth, …
    #[serde(default)]
    pub every: Option<u64>,
    /// Only with this probability, from 0 to 1; which commands it strikes follows from the mock's
    /// seed.
    #[serde(default)]
    pub probability: Option<f64>,
    /// Strikes so many times and is over; without it, for ever.
    #[serde(default)]
    pub times: Option<u64>,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Effect {
    /// The command is carried out late.
    Delay {
        /// How late, in milliseconds.
        ms: u64,
        /// Up to so many milliseconds more, evenly distributed.
        #[serde(default)]
        jitter_ms: u64,
    },
    /// The command is not carried out; this error is the reply.
    Error(
        /// The whole line, `ERR max requests limit exceeded. …`.
        String,
    ),
    /// The command is not carried out; the reply is what a limit of the plan answers once it is
    /// reached, with its status over REST: `{ limit = "monthly-commands" }`. The limits that make
    /// commands wait make it wait for a second.
    Limit(
        /// Which limit.
        Limit,
    ),
    /// REST alone: the request is not carried out; the response has this status and body.
    Status {
        /// HTTP status, 502 say.
        status: u16,
        /// The body, as a gateway would send it.
        #[serde(default)]
        body: String,
    },
    /// The connection ends before the command is carried out.
    ResetBefore,
    /// The connection ends after the command was carried out, without an answer.
    ResetAfter,
    /// The command is carried out; half of its answer arrives, then the connection ends.
    HalfAnswer,
    /// The answer arrives in small pieces.
    Drip {
        /// Bytes in a piece.
        bytes: usize,
        /// Milliseconds between pieces.
        interval_ms: u64,
    },
    /// The command is not carried out, and no answer ever comes.
    BlackHole,
}

impl Fault {
    /// A fault that strikes every command, until it is narrowed.
    pub fn new(effect: Effect) -> Fault {
        Fault {
            effect,
            commands: Vec::new(),
            key: None,
            user: None,
            every: None,
            probability: None,
            times: None,
        }
    }

    /// A late answer.
    pub fn delay(by: Duration) -> Fault {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        Fault::new(Effect::Delay { ms, jitter_ms: 0 })
    }

    /// An error in place of the reply.
    pub fn error(message: impl Into<String>) -> Fault {
        Fault::new(Effect::Error(message.into()))
    }

    /// The error of a limit that is reached, in place of the reply.
    pub fn limit(limit: Limit) -> Fault {
        Fault::new(Effect::Limit(limit))
    }

    /// An HTTP status in place of the response.
    pub fn status(status: u16, body: impl Into<String>) -> Fault {
        Fault::new(Effect::Status {
            status,
            body: body.into(),
        })
    }

    /// Narrows it to a command; further calls add commands.
    #[must_use]
    pub fn on(mut self, command: impl Into<String>) -> Fault {
        self.commands.push(command.into());
        self
    }

    /// Narrows it to keys that match a glob.
    #[must_use]
    pub fn on_key(mut self, pattern: impl Into<String>) -> Fault {
        self.key = Some(pattern.into());
        self
    }

    /// Lets it strike every n-th command alone.
    #[must_use]
    pub fn every(mut self, n: u64) -> Fault {
        self.every = Some(n);
        self
    }

    /// Lets it strike with a probability.
    #[must_use]
    pub fn with_probability(mut self, probability: f64) -> Fault {
        self.probability = Some(probability);
        self
    }

    /// Lets it strike so many times and be over.
    #[must_use]
    pub fn times(mut self, times: u64) -> Fault {
        self.times = Some(times);
        self
    }

    fn fits(&self, user: &[u8], args: &[Bytes]) -> bool {
        let Some(name) = args.first() else {
            return false;
        };
        let named = self.commands.is_empty()
            || self
                .commands
                .iter()
                .any(|command| command.as_bytes().eq_ignore_ascii_case(name));
        named
            && self
                .user
                .as_ref()
                .is_none_or(|wanted| wanted.as_bytes() == user)
            && self
                .key
                .as_ref()
                .is_none_or(|pattern| has_key(args, pattern.as_bytes()))
    }
}

fn has_key(args: &[Bytes], pattern: &[u8]) -> bool {
    let Some(row) = command::find(&args[0]) else {
        return false;
    };
    let row = args
        .get(1)
        .and_then(|word| row.subcommand(word))
        .unwrap_or(row);
    row.key_positions(args)
        .into_iter()
        .filter_map(|at| args.get(at))
        .any(|key| glob::matches(pattern, key))
}

/// The faults that are in force.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Whether there are any: requests look at this alone as long as there are none.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    faults: Vec<Armed>,
    random: Pcg64Mcg,
}

/// A fault with what it has met so far.
#[derive(Debug)]
struct Armed {
    fault: Fault,
    met: u64,
    struck: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            faults: Vec::new(),
            random: Pcg64Mcg::seed_from_u64(seed),
        };
        Faults {
            any: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn add(&self, fault: Fault) {
        let mut state = self.state.lock();
        state.faults.push(Armed {
            fault,
            met: 0,
            struck: 0,
        });
        self.any.store(true, Ordering::Release);
    }

    /// The faults in force, whether they can strike again or not.
    pub(crate) fn list(&self) -> Vec<Fault> {
        let state = self.state.lock();
        state
            .faults
            .iter()
            .map(|armed| armed.fault.clone())
            .collect()
    }

    pub(crate) fn clear(&self) {
        self.state.lock().faults.clear();
        self.any.store(false, Ordering::Release);
    }

    /// Whether there are any faults.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// What strikes a command; the first fault that does.
    pub(crate) fn strike(&self, user: &[u8], args: &[Bytes]) -> Option<Effect> {
        let State { faults, random } = &mut *self.state.lock();
        for armed in faults {
            let over = armed.fault.times.is_some_and(|times| armed.struck >= times);
            if over || !armed.fault.fits(user, args) {
                continue;
            }
            armed.met += 1;
            let due = armed
                .fault
                .every
                .is_none_or(|n| n > 0 && armed.met.is_multiple_of(n))
                && armed
                    .fault
                    .probability
                    .is_none_or(|p| random.random::<f64>() < p);
            if due {
                armed.struck += 1;
                let mut effect = armed.fault.effect.clone();
                if let Effect::Delay { ms, jitter_ms } = &mut effect {
                    *ms = ms.saturating_add(random.random_range(0..=*jitter_ms));
                    *jitter_ms = 0;
                }
                return Some(effect);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(fault: Fault, lines: &[&str]) -> Vec<bool> {
        let faults = Faults::new(1);
        faults.add(fault);
        let struck = lines.iter().map(|line| {
            let args: Vec<Bytes> = line.split(' ').map(|word| word.to_owned().into()).collect();
            faults.strike(b"default", &args).is_some()
        });
        struck.collect()
    }

    #[test]
    fn a_fault_strikes_what_it_describes() {
        let on_set = Fault::error("ERR no").on("set").on_key("a:*");
        assert_eq!(
            strikes(on_set, &["SET a:1 v", "SET b v", "GET a:1"]),
            [true, false, false]
        );
        let second = Fault::error("ERR no").every(2).times(1);
        assert_eq!(
            strikes(second, &["PING"; 5]),
            [false, true, false, false, false]
        );
        let other_user = Fault {
            user: Some("bob".to_owned()),
            ..Fault::error("ERR no")
        };
        assert_eq!(strikes(other_user, &["PING"]), [false]);
    }

    #[test]
    fn a_probability_strikes_about_as_often_and_always_the_same() {
        let half = Fault::error("ERR no").with_probability(0.5);
        let first = strikes(half.clone(), &["PING"; 1000]);
        let count = first.iter().filter(|&&struck| struck).count();
        assert!((400..600).contains(&count), "{count}");
        assert_eq!(first, strikes(half, &["PING"; 1000]));
    }

    #[test]
    fn a_fault_can_be_written_in_a_file() {
        let fault: Fault = toml::from_str("effect = { delay = { ms = 20 } }\ncommands = [\"GET\"]")
            .expect("a fault");
        assert_eq!(fault, Fault::delay(Duration::from_millis(20)).on("GET"));
        for mistake in [
            "effect = \"explode\"",
            "effect = \"black-hole\"\ncomands = []",
            "effect = { delay = { s = 1 } }",
        ] {
            assert!(toml::from_str::<Fault>(mistake).is_err(), "{mistake}");
        }
    }
}
