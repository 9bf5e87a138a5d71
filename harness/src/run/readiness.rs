//! Whether an application that does what the scenarios do can move to a target.

use serde::Serialize;

use super::outcome::{ResultOutcome, Tally};
use crate::compare::{Severity, Verdict};

/// Whether an application can move to a target. Ordered: the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// As it is.
    Ready,
    /// Once it is changed where the documented differences, or what is unsupported, concern it.
    ReadyWithChanges,
    /// Not before the unexpected differences are understood.
    NotReady,
}

impl Readiness {
    /// The words of the last line of a report.
    pub fn name(self) -> &'static str {
        match self {
            Readiness::Ready => "ready",
            Readiness::ReadyWithChanges => "ready with changes",
            Readiness::NotReady => "not ready",
        }
    }

    /// The readiness that a subject's results allow.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a ResultOutcome>) -> Self {
        let mut worst = Readiness::Ready;
        let mut seen = Tally::default();
        for result in results {
            seen.count(result);
            worst = worst.max(match result.verdict {
                Verdict::Matched => Readiness::Ready,
                Verdict::Differed if !result.is_accepted() => Readiness::NotReady,
                Verdict::Documented
                    if result
                        .differences
                        .iter()
                        .all(|found| found.severity == Severity::Cosmetic) =>
                {
                    Readiness::Ready
                }
                Verdict::Documented
                | Verdict::Differed
                | Verdict::Unsupported
                | Verdict::NotEvaluable => Readiness::ReadyWithChanges,
            });
        }
        // Where nothing was shown, or less than what could not be evaluated, nothing is ready.
        let shown = seen.total() - seen.unsupported - seen.not_evaluable;
        if shown == 0 || shown < seen.not_evaluable {
            Readiness::NotReady
        } else {
            worst
        }
    }
}
