//! What one target did in one scenario: each step's commands and answer, with the keys written as
//! the document writes them, so that what two targets did can be held side by side.

use std::time::Duration;

use scenarios::Reply;
use scenarios::client::{ClientError, Command};
use scenarios::reply::Expressiveness;
use scenarios::step::Captures;

use crate::compare::Difference;
use crate::cost::Billed;
use crate::latency::TargetLatency;

/// What came back from a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A reply.
    Reply(Reply),
    /// The step has no reply and was done: time passed, a subscription was opened.
    Done,
    /// No reply came.
    Failed(ClientError),
    /// The step was not tried; the text says why.
    Skipped(String),
}

impl Answer {
    /// The reply, when one came.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Answer::Reply(reply) => Some(reply),
            _ => None,
        }
    }
}

/// What one target did at one step.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The commands as sent, keys written `{name}`.
    pub sent: Vec<Command>,
    /// What came back, keys written `{name}`.
    pub answer: Answer,
    /// How long the answer took; `None` for steps that measure nothing.
    pub latency: Option<Duration>,
    /// How the answer departs from what the document expects; for a pipeline once per member.
    pub mismatches: Vec<Difference>,
}

/// How a scenario came to its end on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All steps were tried.
    Complete,
    /// The target cannot do it; the text says what it lacks.
    Unsupported(String),
    /// No reply came to a step, and the steps after it were not tried. Whether that is the target's
    /// behaviour or its end is for its health to say.
    NoReply(String),
    /// Nothing can be said about the target; the text says why.
    NotEvaluable(String),
}

/// What one target did in one scenario.
#[derive(Debug, Clone)]
pub struct Trace {
    /// One for each step, in the document's order; fewer when the scenario did not complete.
    pub steps: Vec<Observation>,
    /// How it ended.
    pub end: End,
    /// Which kinds of reply the target's transport keeps apart.
    pub level: Expressiveness,
    /// The replies that later steps used, by name.
    pub captures: Captures,
    /// What was sent, as a bill counts it.
    pub billed: Billed,
    /// How long the replies took.
    pub latency: TargetLatency,
}

impl Trace {
    /// A trace of a scenario that was not run.
    pub fn ended(end: End, level: Expressiveness) -> Self {
        Trace {
            steps: Vec::new(),
            end,
            level,
            captures: Captures::new(),
            billed: Billed::default(),
            latency: TargetLatency::default(),
        }
    }

    /// Whether every step was tried.
    pub fn is_complete(&self) -> bool {
        self.end == End::Complete
    }
}
