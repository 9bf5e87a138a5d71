//! Today's differences, accepted: a file that a run is held against, so that only new ones fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::compare::{Kind, Verdict};
use crate::run::{BaselineOutcome, Outcome, ScenarioOutcome, WorkloadOutcome};

/// The version of the file.
const VERSION: u32 = 1;

/// The differences that a file accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    file: String,
    accepted: BTreeMap<String, Accepted>,
    violations: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    id: String,
    kind: Kind,
    what: String,
}

/// A workload that may be violated on a target.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Violation {
    id: String,
    what: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    accepted: Vec<Accepted>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

/// Why a baseline could not be read or written. Every text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error(
        "the baseline '{path}' cannot be read: {error}; write one with --write-baseline {path}"
    )]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not a baseline.
    #[error(
        "the baseline '{path}' is malformed: {error}write it anew with --write-baseline {path}"
    )]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: Box<toml::de::Error>,
    },
    /// The file was written by another version.
    #[error(
        "the baseline '{path}' has version {version}, this swapcheck reads version {VERSION}; write \
         it anew with --write-baseline {path}"
    )]
    Version {
        /// The file.
        path: String,
        /// Its version.
        version: u32,
    },
    /// The file cannot be written.
    #[error("the baseline '{path}' cannot be written: {error}; check that its folder exists")]
    Unwritable {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a baseline of this version.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| BaselineError::Unreadable {
            path: file.clone(),
            error,
        })?;
        let parsed: File = toml::from_str(&text).map_err(|error| BaselineError::Malformed {
            path: file.clone(),
            error: Box::new(error),
        })?;
        if parsed.version != VERSION {
            return Err(BaselineError::Version {
                path: file,
                version: parsed.version,
            });
        }
        let accepted = parsed
            .accepted
            .into_iter()
            .map(|one| (one.id.clone(), one))
            .collect();
        let violations = parsed.violations.into_iter().map(|one| one.id).collect();
        Ok(Baseline {
            file,
            accepted,
            violations,
        })
    }

    /// Writes the unexpected differences of a run and what its workloads violated, sorted, so that a change of the file shows in a
    /// review what changed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(path: &Path, outcome: &Outcome) -> Result<usize, BaselineError> {
        let unwritable = |error| BaselineError::Unwritable {
            path: path.display().to_string(),
            error,
        };
        let differences: BTreeMap<&str, Accepted> = outcome
            .scenarios
            .iter()
            .flat_map(|scenario| &scenario.results)
            .flat_map(|result| &result.differences)
            .filter(|found| found.documented.is_none())
            .map(|found| {
                let accepted = Accepted {
                    id: found.id.clone(),
                    kind: found.kind,
                    what: found.what.clone(),
                };
                (found.id.as_str(), accepted)
            })
            .collect();
        let workloads = outcome.workloads.iter().flat_map(|all| &all.workloads);
        let violations: Vec<Violation> = workloads
            .flat_map(|workload| &workload.results)
            .filter(|result| result.verdict == Verdict::Differed)
            .filter_map(|result| result.violation.as_ref())
            .map(|found| Violation {
                id: found.id.clone(),
                what: found.what.clone(),
            })
            .collect();
        let count = differences.len() + violations.len();
        let file = File {
            version: VERSION,
            accepted: differences.into_values().collect(),
            violations,
        };
        let text =
            toml::to_string(&file).map_err(|error| unwritable(std::io::Error::other(error)))?;
        let text = format!(
            "# Differences that are accepted. A run with --baseline fails for any other, and for any\n\
             # of these that no longer shows; only for violations of workloads, which chance decides\n\
             # too, it does not matter whether they show. Written by swapcheck run --write-baseline.\n\n{text}"
        );
        fs::write(path, text).map_err(unwritable)?;
        Ok(count)
    }

    /// Marks what the file accepts, and says what is new and what is gone.
    ///
    /// A difference can be gone only where its scenario was judged on its target in this run.
    pub(crate) fn apply(&self, scenarios: &mut [ScenarioOutcome]) -> BaselineOutcome {
        let (mut new, mut seen, mut judged) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for scenario in scenarios {
            for result in &mut scenario.results {
                if result.verdict != Verdict::NotEvaluable {
                    judged.insert((scenario.id.clone(), result.target.clone()));
                }
                for found in result
                    .differences
                    .iter_mut()
                    .filter(|one| one.documented.is_none())
                {
                    found.accepted = self.accepted.contains_key(&found.id);
                    let place = if found.accepted { &mut seen } else { &mut new };
                    place.insert(found.id.clone());
                }
            }
        }
        let in_reach = |id: &str| {
            let scenario = id.split('#').next().unwrap_or_default();
            let target = id.rsplit(" on ").next().unwrap_or_default();
            judged.contains(&(scenario.to_owned(), target.to_owned()))
        };
        let gone = self
            .accepted
            .keys()
            .filter(|id| !seen.contains(*id) && in_reach(id));
        BaselineOutcome {
            file: self.file.clone(),
            accepted: seen.len(),
            gone: gone.cloned().collect(),
            new: new.into_iter().collect(),
        }
    }

    /// As [`Baseline::apply`], for violations of workloads. None of them can be gone: whether one
    /// shows depends on who meets whom.
    pub(crate) fn apply_to_workloads(
        &self,
        workloads: &mut [WorkloadOutcome],
        outcome: &mut BaselineOutcome,
    ) {
        for result in workloads.iter_mut().flat_map(|one| &mut one.results) {
            let differed = result.verdict == Verdict::Differed;
            let Some(found) = result.violation.as_mut().filter(|_| differed) else {
                continue;
            };
            found.accepted = self.violations.contains(&found.id);
            match found.accepted {
                true => outcome.accepted += 1,
                false => outcome.new.push(found.id.clone()),
            }
        }
    }
}
