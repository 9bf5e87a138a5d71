//! The report for programs: the outcome of a run as it is, with a version and a published schema.

use crate::run::Outcome;

/// The outcome as JSON. The schema is `harness/schema/report.schema.json`.
///
/// # Errors
/// When a figure cannot be written as JSON, which no outcome holds.
pub fn json(outcome: &Outcome) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(outcome).map(|text| text + "\n")
}
