//! Workloads: what many clients do at once, and what must hold whatever the order in which it happens.
//!
//! A [`Workload`] is data: who relies on it, a function that lets clients loose on a target through a
//! [`Context`], and a check of the [`History`] they leave. [`execute`] does both.

mod context;
mod counter;
mod lock;
mod message;
mod occasion;
mod queue;
mod rate;
mod session;
mod stream;
mod transfer;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::client::Connector;
use crate::history::linearizable::Undecided;
use crate::history::{History, Violation};

pub use context::{Context, Stop, Worker};
pub use occasion::Occasion;

/// What a check says: what could not be decided, or what is wrong.
pub type Checked = Result<Vec<Undecided>, Violation>;

/// What clients do, until it is over or cannot go on.
pub type Running<'c> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'c>>;

/// A concurrent scenario.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Its id: the area, `workload`, and its name.
    pub id: &'static str,
    /// What holds, as a heading.
    pub title: &'static str,
    /// Who relies on it and what breaks without it.
    pub prose: &'static str,
    /// Whether a backend that answers from several copies breaks it by design, and says so.
    pub eventual: bool,
    /// What has to have happened for a run to say much; what did not is noted in the report.
    pub occasions: &'static [Occasion],
    /// Lets the clients loose.
    pub run: for<'c> fn(&'c Context) -> Running<'c>,
    /// Checks what they did.
    pub check: fn(&History) -> Checked,
}

impl Workload {
    /// The area it belongs to.
    pub fn area(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }
}

/// All workloads, by area.
pub fn workloads() -> Vec<Workload> {
    [
        lock::WORKLOADS,
        counter::WORKLOADS,
        rate::WORKLOADS,
        session::WORKLOADS,
        queue::WORKLOADS,
        stream::WORKLOADS,
        transfer::WORKLOADS,
        message::WORKLOADS,
    ]
    .concat()
}

/// How much a workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many clients there are, two at least.
    pub clients: usize,
    /// How many operations they begin, all together.
    pub operations: usize,
    /// After which time they begin no more.
    pub duration: Duration,
    /// How many round trips they are given in any case, however far away the target is, up to
    /// [`Settings::LONGEST_STRETCH`].
    pub round_trips: u32,
    /// Decides who does what, as far as the server's timing lets it.
    pub seed: u64,
}

impl Settings {
    /// How long clients are given at most where the target is far away.
    pub const LONGEST_STRETCH: Duration = Duration::from_secs(15);
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            clients: 6,
            operations: 600,
            duration: Duration::from_millis(1_200),
            round_trips: 80,
            seed: 1,
        }
    }
}

/// What a workload came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that must not happen happened.
    Held,
    /// Something did.
    Violated(Violation),
    /// The target cannot do it at all, with the reason.
    Unsupported(String),
    /// Nothing can be said, with the reason.
    NotEvaluable(String),
}

/// What a workload came to, and how much was seen.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it came to.
    pub verdict: Verdict,
    /// What the clients did.
    pub history: History,
    /// What the reader should know: that clients polled, that something was not decided.
    pub notes: Vec<String>,
}

/// Runs a workload on a target, its keys under `prefix`, and checks what it did. When `stop` turns
/// true the clients begin nothing more.
pub async fn execute(
    workload: &Workload,
    connector: Arc<dyn Connector>,
    prefix: &[u8],
    settings: Settings,
    stop: watch::Receiver<bool>,
) -> Finding {
    let context = match Context::begin(connector, prefix, settings, stop).await {
        Ok(context) => context,
        Err(stop) => {
            return Finding {
                verdict: stop.verdict(),
                history: History::default(),
                notes: Vec::new(),
            };
        }
    };
    let ran = (workload.run)(&context).await;
    let history = context.recorder.history();
    // A search takes its time, and other workloads' clients want the thread meanwhile.
    let check = workload.check;
    let checking = tokio::task::spawn_blocking(move || (check(&history), history)).await;
    let (checked, history) = match checking {
        Ok(checked) => checked,
        Err(error) => {
            let reason = format!("swapcheck failed to check it, please report this: {error}");
            return Finding {
                verdict: Verdict::NotEvaluable(reason),
                history: context.recorder.history(),
                notes: context.notes(),
            };
        }
    };
    // What was seen before something got in the way counts all the same.
    let verdict = match (checked, ran) {
        (Err(violation), _) => Verdict::Violated(violation),
        (Ok(_), Err(stop)) => stop.verdict(),
        (Ok(undecided), Ok(())) => concluded(&context, &history, &undecided),
    };
    if verdict == Verdict::Held {
        let occasions = workload.occasions.iter();
        for occasion in occasions.filter(|occasion| !(occasion.came)(&history)) {
            context.note(format!(
                "it held, and says little: {}; more time (--workload-duration) or operations \
                 (--workload-operations) help",
                occasion.missed
            ));
        }
    }
    Finding {
        verdict,
        history,
        notes: context.notes(),
    }
}

/// What a workload that came to its end without a violation came to.
fn concluded(context: &Context, history: &History, undecided: &[Undecided]) -> Verdict {
    let returned = history
        .operations()
        .iter()
        .any(|one| one.output().is_some());
    if context.is_stopped() {
        return Verdict::NotEvaluable("the run was interrupted".to_owned());
    }
    if !returned {
        return Verdict::NotEvaluable("no operation returned".to_owned());
    }
    match undecided {
        [] => Verdict::Held,
        [first, ..] => Verdict::NotEvaluable(format!("not decided: {first}")),
    }
}
