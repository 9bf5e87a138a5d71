//! What swapcheck's exit codes mean.

use crate::compare::Verdict;
use crate::run::{Executed, Outcome, Plan, Role};

/// How a run ends. The code is for scripts, the variants for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing unexpected: all matched, or differed as documented or as the baseline accepts.
    Success,
    /// Unexpected differences; a baseline that is out of date; a required target on which something
    /// could not be evaluated; a self-check in which replies varied.
    Differences,
    /// A mistake in flags, configuration or a document.
    Mistake,
    /// A target could not be reached or provisioned, or was lost during the run.
    Unreachable,
    /// The user interrupted the run (128 and SIGINT's number, as shells have it).
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Differences => 1,
            Exit::Mistake => 2,
            Exit::Unreachable => 3,
            Exit::Interrupted => 130,
        }
    }

    /// The exit of that code; an unknown one counts as a difference, never as success.
    pub fn from_code(code: u8) -> Exit {
        let all = [
            Exit::Success,
            Exit::Mistake,
            Exit::Unreachable,
            Exit::Interrupted,
        ];
        all.into_iter()
            .find(|exit| exit.code() == code)
            .unwrap_or(Exit::Differences)
    }

    /// How a finished run exits.
    pub(crate) fn of(outcome: &Outcome, plan: &Plan, executed: &Executed) -> Exit {
        if outcome.run.interrupted {
            return Exit::Interrupted;
        }
        let lost = executed.lost.iter().any(Option::is_some);
        if lost
            || plan
                .absent
                .iter()
                .any(|absent| plan.required.contains(&absent.name))
        {
            return Exit::Unreachable;
        }
        let unexpected = outcome
            .scenarios
            .iter()
            .flat_map(|scenario| &scenario.results)
            .any(|result| result.verdict == Verdict::Differed && !result.is_accepted());
        let unevaluable = outcome
            .targets
            .iter()
            .any(|target| plan.required.contains(&target.name) && target.tally.not_evaluable > 0);
        let stale = outcome
            .baseline
            .as_ref()
            .is_some_and(|baseline| !baseline.gone.is_empty() || !baseline.new.is_empty());
        let varied = executed.runs.iter().any(|run| !run.self_check.is_empty());
        if unexpected || unevaluable || stale || varied {
            Exit::Differences
        } else {
            Exit::Success
        }
    }

    /// Why a run that does not succeed does not, in a clause.
    pub(crate) fn reason(self, outcome: &Outcome) -> Option<String> {
        let differing = outcome
            .scenarios
            .iter()
            .filter(|scenario| {
                scenario
                    .results
                    .iter()
                    .any(|result| result.unexpected().count() > 0)
            })
            .count();
        let reference_differs = outcome
            .targets
            .iter()
            .any(|target| target.role == Role::Reference && target.tally.differed > 0);
        match self {
            Exit::Success | Exit::Mistake => None,
            Exit::Interrupted => Some("the run was interrupted".into()),
            Exit::Unreachable => Some("a target could not be reached to the end".into()),
            Exit::Differences if differing > 0 => Some(format!(
                "{differing} {} unexpectedly{}",
                if differing == 1 {
                    "scenario differs"
                } else {
                    "scenarios differ"
                },
                if reference_differs {
                    " (on the reference itself, too)"
                } else {
                    ""
                },
            )),
            Exit::Differences => match &outcome.baseline {
                Some(baseline) if !baseline.gone.is_empty() => Some(format!(
                    "{} accepted differences are gone: write the baseline anew",
                    baseline.gone.len()
                )),
                _ if outcome.run.self_check
                    && outcome
                        .scenarios
                        .iter()
                        .any(|scenario| scenario.steps.iter().any(|step| step.unstable)) =>
                {
                    Some("the reference differs from itself in some steps".into())
                }
                _ => Some("a required target could not be evaluated".into()),
            },
        }
    }
}
