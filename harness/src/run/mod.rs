//! The run: which scenarios are tried on which targets, how they are kept apart, and what came of it.
//!
//! A [`Plan`] names targets and scenarios; [`execute`] runs every scenario on all its targets with
//! the same sequence of commands, and tells a stream of [`Event`]s what happens. Reporters listen to
//! the events and cannot change a verdict. What the run concludes is an [`Outcome`].

mod attribution;
mod checklist;
mod event;
mod execution;
mod observation;
mod outcome;
mod plan;
mod prefix;
mod readiness;
mod requirement;
mod scheduler;
mod single;
mod summary;
mod workload;

pub use attribution::attribute;
pub use checklist::{TICKS, Tick, checklist};
pub use event::{Event, Events, Progress};
pub use observation::{Answer, End, Observation, Trace};
pub use outcome::{
    AnswerOutcome, AreaOutcome, BaselineOutcome, BilledOutcome, ChecklistItem, ChecklistState,
    DifferenceOutcome, DocumentedOutcome, LatencyOutcome, NamedLatency, Outcome, REPORT_VERSION,
    ResultOutcome, Role, RunOutcome, ScenarioOutcome, StepOutcome, Tally, TargetOutcome,
};
pub use plan::{Absent, Plan, Planned};
pub use prefix::Prefix;
pub use readiness::Readiness;
pub use scheduler::{Executed, ScenarioRun, execute};
pub use single::observe;
pub use summary::summarize;
pub use workload::{
    ViolationOutcome, WorkloadOutcome, WorkloadPlan, WorkloadResult, WorkloadsOutcome,
    execute_workloads,
};
