//! The verdict for one scenario on each target, and where each difference comes from.

use std::collections::BTreeSet;

use serde::Serialize;

use scenarios::reply::Expressiveness;
use scenarios::step::{Action, Bindings, Step};
use scenarios::{Reply, Scenario};

use super::catalogue::{Catalogue, Sighting};
use super::difference::{Difference, Kind, Severity};
use super::expectation::{mode, only_reply};
use super::reply::{Mode, compare};
use crate::run::{Answer, End, Observation, Trace};
use crate::target::TargetKind;

/// A target's part in a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What kind of target it is.
    pub kind: TargetKind,
    /// Whether it is an Upstash database or stands for one, so that Upstash's documented
    /// differences apply to it.
    pub upstash: bool,
    /// What it did.
    pub trace: &'a Trace,
}

/// What the run concludes for a scenario on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It answered as the document expects and as the reference does.
    Matched,
    /// It differs, in ways that Upstash documents.
    Documented,
    /// It differs.
    Differed,
    /// It cannot do this at all; the reason is given.
    Unsupported,
    /// Nothing can be said; the reason is given.
    NotEvaluable,
}

impl Verdict {
    /// The verdict in words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Matched => "matched",
            Verdict::Documented => "documented difference",
            Verdict::Differed => "differed",
            Verdict::Unsupported => "unsupported",
            Verdict::NotEvaluable => "not evaluable",
        }
    }
}

/// What a finding was held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The reference's reply.
    Reference,
    /// The document's expectation.
    Expectation,
    /// The real Upstash's reply, which the mock has to predict.
    Upstash,
}

/// Where a difference comes from, as far as the targets at hand can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The real Upstash departs from the reference.
    UpstashDiffers,
    /// The mock, standing for Upstash, departs from the reference; no Upstash was there to confirm.
    MockPredicts,
    /// The mock departs from the real Upstash.
    MockIsWrong,
    /// One database answers differently over REST and over TCP.
    TransportDiffers,
    /// The reference departs from the document: one of the two is wrong.
    Expectation,
    /// A target that the user named departs from the reference.
    SubjectDiffers,
}

impl Blame {
    /// One clause that says it.
    pub fn gloss(self) -> &'static str {
        match self {
            Blame::UpstashDiffers => "Upstash behaves differently here",
            Blame::MockPredicts => "the mock says that Upstash behaves differently here",
            Blame::MockIsWrong => {
                "the mock does not behave like the real Upstash: a fault of the mock"
            }
            Blame::TransportDiffers => {
                "the same database answers differently over REST and over TCP"
            }
            Blame::Expectation => {
                "the reference does not answer as the document expects: the document or this backend is wrong"
            }
            Blame::SubjectDiffers => "this target behaves differently from the reference",
        }
    }
}

/// One difference, at one step of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which step, counted from 0.
    pub step: usize,
    /// What differs.
    pub difference: Difference,
    /// How bad it is.
    pub severity: Severity,
    /// What it was held against.
    pub against: Against,
    /// Where it comes from.
    pub blame: Blame,
    /// The documented difference that it is.
    pub documented: Option<String>,
}

/// What the run concludes for a scenario on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, for a target that is unsupported or not evaluable.
    pub reason: Option<String>,
    /// What differs.
    pub findings: Vec<Finding>,
    /// Documented differences that had to show here and did not.
    pub absent: Vec<String>,
}

/// Judges a scenario on all its targets, in their order.
///
/// `unstable` are the steps whose reply varies between two runs of one target: of those only the
/// type of reply is compared.
pub fn judge(
    scenario: &Scenario,
    sides: &[Side<'_>],
    reference: Option<usize>,
    unstable: &BTreeSet<usize>,
    catalogue: &Catalogue,
) -> Vec<Judgement> {
    let court = Court {
        scenario,
        sides,
        reference,
        unstable,
        catalogue,
    };
    (0..sides.len())
        .map(|index| court.judgement(index))
        .collect()
}

struct Court<'a> {
    scenario: &'a Scenario,
    sides: &'a [Side<'a>],
    reference: Option<usize>,
    unstable: &'a BTreeSet<usize>,
    catalogue: &'a Catalogue,
}

impl Court<'_> {
    fn judgement(&self, index: usize) -> Judgement {
        let side = &self.sides[index];
        let mut findings: Vec<Finding> = (0..side.trace.steps.len())
            .flat_map(|step| self.findings(index, step))
            .collect();
        let silent = matches!(side.trace.end, End::NoReply(_));
        if silent && let Some(finding) = self.silence(index) {
            findings.push(finding);
        }
        let worst = if findings.iter().any(|finding| finding.documented.is_none()) {
            Verdict::Differed
        } else {
            Verdict::Documented
        };
        let (verdict, reason) = match &side.trace.end {
            _ if !findings.is_empty() => (worst, None),
            End::Complete => self.complete(side.trace),
            End::Unsupported(reason) => (Verdict::Unsupported, Some(reason.clone())),
            End::NotEvaluable(reason) | End::NoReply(reason) => {
                (Verdict::NotEvaluable, Some(reason.clone()))
            }
        };
        let absent = self.absent(side, &findings);
        Judgement {
            verdict,
            reason,
            findings,
            absent,
        }
    }

    /// A scenario of which the target could do no step is unsupported, not matched.
    fn complete(&self, trace: &Trace) -> (Verdict, Option<String>) {
        let tried = trace
            .steps
            .iter()
            .zip(&self.scenario.steps)
            .any(|(seen, step)| {
                step.action.has_client() && !matches!(seen.answer, Answer::Skipped(_))
            });
        let reason = trace.steps.iter().find_map(|seen| match &seen.answer {
            Answer::Skipped(reason) => Some(reason.clone()),
            _ => None,
        });
        match reason {
            Some(reason) if !tried => (Verdict::Unsupported, Some(reason)),
            _ => (Verdict::Matched, None),
        }
    }

    fn findings(&self, index: usize, step: usize) -> Vec<Finding> {
        let finding = |(against, difference): (Against, Difference)| {
            let documented = self.documented(index, step, &difference);
            let entry = documented.as_ref().and_then(|id| self.catalogue.entry(id));
            Finding {
                step,
                severity: entry.map_or_else(|| difference.kind.severity(), |entry| entry.severity),
                blame: self.blame(index, step, against),
                difference,
                against,
                documented,
            }
        };
        self.departures(index, step)
            .into_iter()
            .map(finding)
            .collect()
    }

    /// How the target departs at a step: from the reference, from the document, or, for the mock,
    /// from the Upstash it stands for. The members of a pipeline depart one by one, so that a
    /// documented difference in one slot does not hide another beside it.
    fn departures(&self, index: usize, step: usize) -> Vec<(Against, Difference)> {
        let Some(seen) = self.sides[index].trace.steps.get(step) else {
            return Vec::new();
        };
        let against = |against, found: &[Difference]| {
            found
                .iter()
                .map(|found| (against, found.clone()))
                .collect::<Vec<_>>()
        };
        let mismatches = against(Against::Expectation, &seen.mismatches);
        let Some(reference) = self.reference.filter(|reference| *reference != index) else {
            return mismatches;
        };
        let Some(wanted) = self.sides[reference].trace.steps.get(step) else {
            return mismatches;
        };
        if wanted.answer.reply().is_none() {
            return mismatches;
        }
        let apart = self.apart(reference, index, step);
        let mut departures = Vec::new();
        for slot in self.slots(step, &[&wanted.mismatches, &seen.mismatches, &apart]) {
            let of = |found: &[Difference]| -> Vec<Difference> {
                found
                    .iter()
                    .filter(|found| self.slot(step, found) == slot)
                    .cloned()
                    .collect()
            };
            let (wanted, seen, apart) = (of(&wanted.mismatches), of(&seen.mismatches), of(&apart));
            // Where the reference has not kept to the document and the subject has, the reference
            // is the one that is reported.
            if !wanted.is_empty() && seen.is_empty() {
                continue;
            }
            if !apart.is_empty() {
                departures.extend(against(Against::Reference, &apart));
            } else if wanted.is_empty() {
                departures.extend(against(Against::Expectation, &seen));
            }
        }
        if departures.is_empty() && self.sides[index].kind == TargetKind::Mock {
            // What a mock that agrees with the reference fails to predict of the real Upstash.
            if let Some(upstash) = self.position(TargetKind::Upstash) {
                departures.extend(against(Against::Upstash, &self.apart(upstash, index, step)));
            }
        }
        departures
    }

    /// The member of a pipeline that a difference is in; 0 for steps of one command.
    fn slot(&self, step: usize, difference: &Difference) -> usize {
        let several = self.scenario.steps.get(step).is_some_and(is_several);
        if several {
            difference.path.first().copied().unwrap_or(0)
        } else {
            0
        }
    }

    fn slots(&self, step: usize, found: &[&Vec<Difference>]) -> BTreeSet<usize> {
        found
            .iter()
            .flat_map(|found| found.iter())
            .map(|found| self.slot(step, found))
            .collect()
    }

    fn position(&self, kind: TargetKind) -> Option<usize> {
        self.sides.iter().position(|side| side.kind == kind)
    }

    /// How two targets' replies to a step differ; empty also when one of them gave none.
    fn apart(&self, left: usize, right: usize, step: usize) -> Vec<Difference> {
        let (left, right) = (self.sides[left].trace, self.sides[right].trace);
        let reply = |trace: &Trace| {
            trace
                .steps
                .get(step)
                .and_then(|seen| seen.answer.reply().cloned())
        };
        let (Some(one), Some(other)) = (reply(left), reply(right)) else {
            return Vec::new();
        };
        let level = left.level.min(right.level);
        let mode = self.mode(step);
        match (&one, &other) {
            (Reply::Array(ones), Reply::Array(others))
                if ones.len() == others.len()
                    && self.scenario.steps.get(step).is_some_and(is_several) =>
            {
                let of = |slot: usize| match &mode {
                    Mode::Items(modes) => modes.get(slot).unwrap_or(&Mode::Exact),
                    other => other,
                };
                ones.iter()
                    .zip(others)
                    .enumerate()
                    .filter_map(|(slot, (one, other))| {
                        let mut found = compare(one, other, level, of(slot))?;
                        found.path.insert(0, slot + 1);
                        Some(found)
                    })
                    .collect()
            }
            _ => compare(&one, &other, level, &mode).into_iter().collect(),
        }
    }

    fn mode(&self, step: usize) -> Mode {
        match self.scenario.steps.get(step) {
            _ if self.unstable.contains(&step) => Mode::Shape,
            Some(step) => mode(step),
            None => Mode::Exact,
        }
    }

    /// A step that the target gave no reply to though it is alive.
    fn silence(&self, index: usize) -> Option<Finding> {
        let trace = self.sides[index].trace;
        let step = trace.steps.len().checked_sub(1)?;
        let Answer::Failed(error) = &trace.steps[step].answer else {
            return None;
        };
        // Where the reference got no reply either, the subject is not to blame for its own.
        let shared = self.reference.is_some_and(|reference| {
            reference != index
                && !matches!(
                    self.sides[reference]
                        .trace
                        .steps
                        .get(step)
                        .map(|seen| &seen.answer),
                    Some(Answer::Reply(_) | Answer::Done)
                )
        });
        let against = if self.reference.is_none_or(|reference| reference == index) {
            Against::Expectation
        } else {
            Against::Reference
        };
        (!shared).then(|| Finding {
            step,
            difference: Difference::new(Kind::NoReply, format!("no reply: {error}")),
            severity: Kind::NoReply.severity(),
            against,
            blame: self.blame(index, step, against),
            documented: None,
        })
    }

    fn blame(&self, index: usize, step: usize, against: Against) -> Blame {
        let side = &self.sides[index];
        if self.reference == Some(index) {
            return Blame::Expectation;
        }
        if against == Against::Upstash {
            return Blame::MockIsWrong;
        }
        let other_way = match side.kind {
            TargetKind::Upstash => self.position(TargetKind::UpstashTcp),
            TargetKind::UpstashTcp => self.position(TargetKind::Upstash),
            _ => None,
        };
        if other_way.is_some_and(|other| !self.apart(other, index, step).is_empty()) {
            return Blame::TransportDiffers;
        }
        match side.kind {
            TargetKind::Mock => match self.position(TargetKind::Upstash) {
                Some(upstash) if self.answered(upstash, step) => {
                    if !self.apart(upstash, index, step).is_empty() {
                        Blame::MockIsWrong
                    } else {
                        Blame::UpstashDiffers
                    }
                }
                _ => Blame::MockPredicts,
            },
            _ if side.upstash => Blame::UpstashDiffers,
            _ => Blame::SubjectDiffers,
        }
    }

    fn answered(&self, index: usize, step: usize) -> bool {
        let seen = self.sides[index].trace.steps.get(step);
        seen.is_some_and(|seen| seen.answer.reply().is_some())
    }

    /// The documented difference that a departure is, looked up by the reply at which it shows: the
    /// member of a pipeline, or the whole reply.
    fn documented(&self, index: usize, step: usize, difference: &Difference) -> Option<String> {
        let side = &self.sides[index];
        if !side.upstash || self.reference == Some(index) {
            return None;
        }
        let written = self.scenario.steps.get(step)?;
        let seen = side.trace.steps.get(step)?;
        let subject = seen.answer.reply()?;
        let expected = self.expected(written, side.trace);
        let reference = self
            .reference
            .and_then(|reference| {
                self.sides[reference]
                    .trace
                    .steps
                    .get(step)?
                    .answer
                    .reply()
                    .cloned()
            })
            .or(expected);
        let id = |command: &[Vec<u8>], reference: Option<&Reply>, subject: &Reply| {
            let sighting = Sighting {
                scenario: &self.scenario.id,
                command,
                reference,
                subject,
            };
            self.catalogue
                .recognise(sighting)
                .map(|entry| entry.id.clone())
        };
        match (&written.action, subject) {
            (Action::Pipeline(_) | Action::Transaction(_), Reply::Array(members)) => {
                let slot = difference.path.first()?.checked_sub(1)?;
                let wanted = match &reference {
                    Some(Reply::Array(members)) => members.get(slot),
                    _ => None,
                };
                id(seen.sent.get(slot)?, wanted, members.get(slot)?)
            }
            // A message comes without a command.
            (Action::Message { .. } | Action::NoMessage { .. }, _) => {
                id(&[b"message".to_vec()], reference.as_ref(), subject)
            }
            _ => id(seen.sent.first()?, reference.as_ref(), subject),
        }
    }

    fn expected(&self, step: &Step, trace: &Trace) -> Option<Reply> {
        let keys = |name: &str| format!("{{{name}}}").into_bytes();
        let bindings = Bindings {
            keys: &keys,
            captures: &trace.captures,
        };
        only_reply(step.expect.as_ref()?, bindings)
    }

    /// The documented differences that had to show in this scenario on this target and did not.
    fn absent(&self, side: &Side<'_>, findings: &[Finding]) -> Vec<String> {
        let skipped = |seen: &Observation| matches!(seen.answer, Answer::Skipped(_));
        if !side.upstash || !side.trace.is_complete() || side.trace.steps.iter().any(skipped) {
            return Vec::new();
        }
        let shown = |id: &str| {
            findings
                .iter()
                .any(|finding| finding.documented.as_deref() == Some(id))
        };
        self.catalogue
            .entries()
            .iter()
            .filter(|entry| entry.shows_in.contains(&self.scenario.id) && !shown(&entry.id))
            .map(|entry| entry.id.clone())
            .collect()
    }
}

/// Whether a step's reply has one member for each of several commands.
fn is_several(step: &Step) -> bool {
    matches!(step.action, Action::Pipeline(_) | Action::Transaction(_))
}

/// The steps whose replies vary between two runs of one target.
pub fn varying(scenario: &Scenario, one: &Trace, other: &Trace) -> BTreeSet<usize> {
    let level = one.level.min(other.level).max(Expressiveness::Json);
    (0..scenario.steps.len())
        .filter(|index| {
            let reply = |trace: &Trace| {
                trace
                    .steps
                    .get(*index)
                    .and_then(|seen| seen.answer.reply().cloned())
            };
            match (reply(one), reply(other)) {
                (Some(one), Some(other)) => {
                    compare(&one, &other, level, &mode(&scenario.steps[*index])).is_some()
                }
                _ => false,
            }
        })
        .collect()
}
