//! What happens during a run, told while it happens. Reporters listen; nothing they do comes back.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::outcome::{Outcome, Role};
use crate::compare::Verdict;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A target was found or started.
    TargetReady {
        /// Its name.
        name: String,
        /// Where the server came from.
        description: String,
        /// Its part in the run.
        role: Role,
    },
    /// A target is not there.
    TargetAbsent {
        /// Its name.
        name: String,
        /// Why, and what to set to have it.
        reason: String,
    },
    /// The scenarios begin to run.
    Started {
        /// How many there are.
        scenarios: usize,
        /// How many steps they have.
        steps: usize,
        /// How many targets each runs on.
        targets: usize,
    },
    /// A scenario was judged on all its targets.
    Judged(Progress),
    /// Scenarios that differed are run once more, one at a time, to see whether it shows again.
    Confirming {
        /// How many.
        scenarios: usize,
    },
    /// Workloads begin to run.
    Workloads {
        /// How many there are.
        count: usize,
        /// How many clients each has.
        clients: usize,
    },
    /// A workload was judged on a target.
    WorkloadJudged {
        /// Its id.
        workload: String,
        /// The target.
        target: String,
        /// The verdict.
        verdict: Verdict,
    },
    /// A target stopped answering; nothing more is evaluable on it.
    TargetLost {
        /// Its name.
        name: String,
        /// What it did last.
        reason: String,
    },
    /// The user asked the run to stop.
    Interrupted,
    /// Keys are deleted and servers stopped.
    CleaningUp,
    /// Something the user should know, in one line.
    Note(String),
    /// The run is over.
    Finished(Arc<Outcome>),
}

/// How far a run is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The scenario's id.
    pub scenario: String,
    /// The verdicts, by target.
    pub verdicts: Vec<(String, Verdict)>,
    /// How many scenarios were judged so far.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

/// Where events are sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events(mpsc::UnboundedSender<Event>);

impl Events {
    /// A stream of events, and where it is read.
    pub fn channel() -> (Events, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Events(sender), receiver)
    }

    /// Tells whoever listens. A run goes on without listeners.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(event);
    }
}
