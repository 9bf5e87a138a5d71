//! What a run is to do: its targets, its scenarios, and the rules it keeps to.

use std::time::{SystemTime, UNIX_EPOCH};

use scenarios::Scenario;
use scenarios::step::Action;

use crate::compare::Catalogue;
use crate::target::{KeyExpiry, Target};

/// A scenario with the document it stands in.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The document's path, as given.
    pub document: String,
    /// The scenario.
    pub scenario: Scenario,
}

/// A target that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Its name.
    pub name: String,
    /// Why, and what to set to have it; one line.
    pub reason: String,
}

/// What a run is to do.
pub struct Plan {
    /// The scenarios, in the order a report lists them.
    pub scenarios: Vec<Planned>,
    /// The targets.
    pub targets: Vec<Target>,
    /// Which target the others are held against; without one, only the documents judge.
    pub reference: Option<usize>,
    /// Targets that were asked for, or are tried by default, and are not there.
    pub absent: Vec<Absent>,
    /// The names of targets on which everything has to be evaluable.
    pub required: Vec<String>,
    /// The documented differences.
    pub catalogue: Catalogue,
    /// Whether the reference is run against itself too.
    pub self_check: bool,
    /// How many scenarios run at a time.
    pub jobs: usize,
    /// Decides the order in which scenarios run; the same seed repeats it.
    pub seed: u64,
    /// Part of every key's prefix, so that two runs on one database never meet.
    pub run_id: String,
    /// Whether credentials of an Upstash database were found in the environment.
    pub credentials: bool,
}

impl Plan {
    /// An identifier for a run, no two alike: the time and this process.
    pub fn new_run_id() -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mixed = now.as_nanos() as u64 ^ (u64::from(std::process::id()) << 40);
        // Always the same length, for the prefixes to have one.
        format!("{:012x}", mixed & 0xffff_ffff_ffff)
    }

    /// The name of the reference.
    pub fn reference_name(&self) -> Option<&str> {
        self.reference
            .and_then(|index| self.targets.get(index))
            .map(|target| target.name.as_str())
    }
}

/// Commands by which a scenario can see or set an expiry.
const EXPIRY_COMMANDS: &[&str] = &[
    "TTL",
    "PTTL",
    "EXPIRETIME",
    "PEXPIRETIME",
    "PERSIST",
    // An expiry given to a watched key would abort the transaction.
    "WATCH",
    "EXPIRE",
    "PEXPIRE",
    "EXPIREAT",
    "PEXPIREAT",
    "DUMP",
    "RESTORE",
    "COPY",
    "OBJECT",
];

/// Whether the scenario can see that a key of its was given an expiry.
pub(super) fn key_expiry(scenario: &Scenario) -> KeyExpiry {
    let sees = |text: &str| {
        let upper = text.to_ascii_uppercase();
        upper
            .split(|letter: char| !letter.is_ascii_alphabetic())
            .any(|word| EXPIRY_COMMANDS.contains(&word) || word == "KEEPTTL")
    };
    let observed = scenario.steps.iter().any(|step| {
        matches!(step.action, Action::Start(_))
            || step
                .action
                .commands()
                .iter()
                .any(|command| sees(&command.source))
    });
    if observed {
        KeyExpiry::Observed
    } else {
        KeyExpiry::Guarded
    }
}

/// The order in which scenarios run, decided by a seed.
pub(super) fn order(count: usize, seed: u64) -> Vec<usize> {
    use rand::seq::SliceRandom;
    use rand_pcg::rand_core::SeedableRng;
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut rand_pcg::Pcg64Mcg::seed_from_u64(seed));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_order() {
        assert_eq!(order(50, 7), order(50, 7));
        assert_ne!(order(50, 7), order(50, 8));
        let mut all = order(50, 7);
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn run_ids_have_one_length() {
        assert_eq!(Plan::new_run_id().len(), 12);
    }
}
