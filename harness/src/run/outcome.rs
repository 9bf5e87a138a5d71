//! What a run concludes, as data: every report is made from this and from nothing else.

use serde::Serialize;

use super::readiness::Readiness;
use super::workload::WorkloadsOutcome;
use crate::compare::{Against, Blame, Confidence, Kind, Severity, Verdict};
use crate::cost::{Billed, Price};
use crate::latency::Summary;

/// The version of the JSON report. It grows when a field changes its meaning or goes away.
pub const REPORT_VERSION: u32 = 1;

/// All that a run concludes.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The version of swapcheck.
    pub swapcheck: &'static str,
    /// When and how it ran.
    pub run: RunOutcome,
    /// The last line of every report.
    pub readiness: Readiness,
    /// What the last line says besides.
    pub conclusion: String,
    /// The exit code.
    pub exit_code: u8,
    /// The targets, the reference first; absent ones last.
    pub targets: Vec<TargetOutcome>,
    /// The areas, in the order of their names.
    pub areas: Vec<AreaOutcome>,
    /// What a switch to Upstash needs, and whether this run proves it.
    pub checklist: Vec<ChecklistItem>,
    /// The documented differences that showed, or that had to and did not.
    pub documented: Vec<DocumentedOutcome>,
    /// How the run compares with the differences that were accepted before.
    pub baseline: Option<BaselineOutcome>,
    /// The scenarios, in the order of their ids.
    pub scenarios: Vec<ScenarioOutcome>,
    /// What many clients at once came to; none when they were switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workloads: Option<WorkloadsOutcome>,
}

/// When and how a run took place.
#[derive(Debug, Clone, Serialize)]
pub struct RunOutcome {
    /// Part of the prefix of every key.
    pub id: String,
    /// When it began, in UTC, as RFC 3339 writes it.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// What repeats the order in which scenarios ran.
    pub seed: u64,
    /// The name of the target that the others are held against.
    pub reference: Option<String>,
    /// Whether the reference was run against itself.
    pub self_check: bool,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// A target's part in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The others are held against it.
    Reference,
    /// It is held against the reference.
    Subject,
    /// It is not there.
    Absent,
}

/// How many scenarios came to which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// [`Verdict::Matched`].
    pub matched: usize,
    /// [`Verdict::Documented`].
    pub documented: usize,
    /// [`Verdict::Differed`], differences that the baseline accepts left out.
    pub differed: usize,
    /// [`Verdict::Differed`] in ways that the baseline accepts, all of them.
    pub accepted: usize,
    /// [`Verdict::Unsupported`].
    pub unsupported: usize,
    /// [`Verdict::NotEvaluable`].
    pub not_evaluable: usize,
}

impl Tally {
    /// Counts one scenario.
    pub fn count(&mut self, result: &ResultOutcome) {
        let place = match result.verdict {
            Verdict::Matched => &mut self.matched,
            Verdict::Documented => &mut self.documented,
            Verdict::Differed if result.is_accepted() => &mut self.accepted,
            Verdict::Differed => &mut self.differed,
            Verdict::Unsupported => &mut self.unsupported,
            Verdict::NotEvaluable => &mut self.not_evaluable,
        };
        *place += 1;
    }

    /// All scenarios counted.
    pub fn total(&self) -> usize {
        self.matched
            + self.documented
            + self.differed
            + self.accepted
            + self.unsupported
            + self.not_evaluable
    }
}

/// What a run concludes for a target.
#[derive(Debug, Clone, Serialize)]
pub struct TargetOutcome {
    /// Its name.
    pub name: String,
    /// Its part in the run.
    pub role: Role,
    /// Where the server came from, or why it is absent.
    pub description: String,
    /// What the server says of itself.
    pub server: Option<String>,
    /// What the user should know about how it was had.
    pub notes: Vec<String>,
    /// Whether it is good to switch to; for subjects only.
    pub readiness: Option<Readiness>,
    /// Its verdicts.
    pub tally: Tally,
    /// How long its replies took; without figures when it gave none.
    pub latency: LatencyOutcome,
    /// What it would be billed.
    pub billed: BilledOutcome,
}

/// How long a target's replies took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LatencyOutcome {
    /// All replies.
    pub all: Option<Summary>,
    /// By area.
    pub areas: Vec<NamedLatency>,
    /// By command.
    pub commands: Vec<NamedLatency>,
}

/// The latency of one area or command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedLatency {
    /// The area or the command.
    pub name: String,
    /// The figures.
    #[serde(flatten)]
    pub summary: Summary,
}

/// What a run's commands are billed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BilledOutcome {
    /// The commands of scenarios and workloads.
    #[serde(flatten)]
    pub billed: Billed,
    /// All that the run sent, health checks and cleaning up included.
    pub in_all: u64,
    /// What the commands of scenarios and workloads cost on each plan.
    pub prices: Vec<Price>,
}

/// What a run concludes for an area.
#[derive(Debug, Clone, Serialize)]
pub struct AreaOutcome {
    /// The area.
    pub name: String,
    /// How many scenarios it has.
    pub scenarios: usize,
    /// How many steps they have.
    pub steps: usize,
    /// The verdicts by target, in the order of [`Outcome::targets`], absent ones left out.
    pub tallies: Vec<Tally>,
}

/// What a run saw of a documented difference.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentedOutcome {
    /// Its name in the catalogue.
    pub id: String,
    /// What differs.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is documented or was measured.
    pub source: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to change in the application.
    pub advice: String,
    /// The scenarios in which it showed.
    pub shown_in: Vec<String>,
    /// The targets on which it showed.
    pub shown_on: Vec<String>,
    /// Where it had to show and did not, as `scenario on target`.
    pub expected_but_absent: Vec<String>,
}

/// A line of the checklist.
#[derive(Debug, Clone, Serialize)]
pub struct ChecklistItem {
    /// What has to be so.
    pub title: &'static str,
    /// Whether it is.
    pub state: ChecklistState,
    /// What proves it, or what is missing.
    pub note: String,
}

/// Whether a line of the checklist holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChecklistState {
    /// It holds.
    Yes,
    /// It holds, once the application is changed as the documented differences advise.
    WithChanges,
    /// It does not.
    No,
    /// This run says nothing about it.
    NotRun,
}

impl ChecklistState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            ChecklistState::Yes => "yes",
            ChecklistState::WithChanges => "with changes",
            ChecklistState::No => "no",
            ChecklistState::NotRun => "not run",
        }
    }
}

/// How a run compares with the differences that were accepted before.
#[derive(Debug, Clone, Serialize)]
pub struct BaselineOutcome {
    /// The file.
    pub file: String,
    /// How many differences it accepts that showed.
    pub accepted: usize,
    /// Differences that it does not accept.
    pub new: Vec<String>,
    /// Differences that it accepts and that did not show.
    pub gone: Vec<String>,
}

/// A scenario and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct ScenarioOutcome {
    /// Its id.
    pub id: String,
    /// Its area.
    pub area: String,
    /// Its heading.
    pub title: String,
    /// Who relies on it and what breaks without it, as Markdown.
    pub prose: String,
    /// The document it stands in.
    pub document: String,
    /// The line of its heading.
    pub line: usize,
    /// Its steps with every target's answers.
    pub steps: Vec<StepOutcome>,
    /// What is concluded for each target, in the order of [`Outcome::targets`].
    pub results: Vec<ResultOutcome>,
}

/// A step and what every target answered.
#[derive(Debug, Clone, Serialize)]
pub struct StepOutcome {
    /// Its line in the document.
    pub line: usize,
    /// What was sent, as the document writes it.
    pub sent: String,
    /// The reply that the document expects, as it writes it; none for a probe.
    pub expected: Option<String>,
    /// How loosely the replies were compared, when not byte for byte.
    pub compared: Option<&'static str>,
    /// Whether its reply varies between two runs of one target.
    pub unstable: bool,
    /// The answers, by target, in the order of [`Outcome::targets`].
    pub answers: Vec<AnswerOutcome>,
}

/// What a target answered.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerOutcome {
    /// The target.
    pub target: String,
    /// The reply as redis-cli prints it, shortened when it is very long.
    pub reply: Option<String>,
    /// Why there is no reply.
    pub note: Option<String>,
    /// How long it took.
    pub latency_us: Option<u64>,
}

/// What is concluded for a scenario on a target.
#[derive(Debug, Clone, Serialize)]
pub struct ResultOutcome {
    /// The target.
    pub target: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, for a target that is unsupported or not evaluable.
    pub reason: Option<String>,
    /// The steps it could not do, as `line N: reason`.
    pub unsupported_steps: Vec<String>,
    /// What differs, the worst first.
    pub differences: Vec<DifferenceOutcome>,
}

impl ResultOutcome {
    /// Whether everything unexpected in it is accepted by the baseline.
    pub fn is_accepted(&self) -> bool {
        let mut unexpected = self
            .differences
            .iter()
            .filter(|found| found.documented.is_none());
        self.verdict == Verdict::Differed && unexpected.all(|found| found.accepted)
    }

    /// The differences that fail a run.
    pub fn unexpected(&self) -> impl Iterator<Item = &DifferenceOutcome> {
        self.differences
            .iter()
            .filter(|found| found.documented.is_none() && !found.accepted)
    }
}

/// A difference.
#[derive(Debug, Clone, Serialize)]
pub struct DifferenceOutcome {
    /// Its name in a baseline; the same from run to run.
    pub id: String,
    /// The step, counted from 0 in [`ScenarioOutcome::steps`].
    pub step: usize,
    /// In which way the replies disagree.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// What it was held against.
    pub against: Against,
    /// Where it comes from.
    pub blame: Blame,
    /// Where in a nested reply, counted from 1.
    pub path: Vec<usize>,
    /// What differs, in one sentence.
    pub what: String,
    /// The documented difference that it is.
    pub documented: Option<String>,
    /// Whether the baseline accepts it.
    pub accepted: bool,
}
