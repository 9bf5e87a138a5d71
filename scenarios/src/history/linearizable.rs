//! Linearizability: could these operations have taken place one at a time, each at one moment
//! between its invocation and its return?
//!
//! Objects are checked one by one, which is sound because linearizability is local (Herlihy and Wing,
//! 1990) and keeps the work small. Where an object has an algorithm of its own
//! ([`Model::shortcut`]) that decides, else [`super::search`].

use std::fmt;
use std::hash::Hash;

use super::operation::{History, Operation, Violation};
use super::search::{self, Found};
use super::shrink::shrink;

/// How many configurations are looked at before the search gives up on an object.
pub const SEARCH_LIMIT: usize = 500_000;

/// An object that does one thing at a time.
pub trait Model {
    /// What it remembers.
    type State: Clone + Eq + Hash;

    /// What it remembers at first.
    fn initial(&self) -> Self::State;

    /// The state after the operation, or `None` when the object would not have answered so. An
    /// operation whose outcome is unknown may have answered anything.
    fn step(&self, state: &Self::State, operation: &Operation) -> Option<Self::State>;

    /// Whether the operation, having returned what it did, changed nothing whatever the state was.
    fn looks(&self, operation: &Operation) -> bool;

    /// Groups of operations that can be left out of any right history with a right one remaining,
    /// so that what is wrong without them was wrong with them.
    fn droppable(&self, operations: &[Operation]) -> Vec<Vec<usize>>;

    /// What an algorithm for this object says, when it has one that applies.
    fn shortcut(&self, operations: &[Operation]) -> Option<Shortcut> {
        let _ = operations;
        None
    }
}

/// What an algorithm for one kind of object says of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortcut {
    /// There is an order.
    Right,
    /// There is none, and why in one sentence.
    Wrong(String),
}

/// Whether there is an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linearizability {
    /// There is one.
    Yes,
    /// There is none.
    No,
    /// The search was given up.
    Undecided,
}

/// An object whose operations were too many at a time to decide about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The object.
    pub object: String,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the operations on {} overlap too much to decide whether they are linearizable; use \
             fewer --workload-clients",
            self.object
        )
    }
}

/// Checks every object of the history on its own. Returns those that could not be decided.
///
/// # Errors
/// The violation, with the smallest slice found of the object's history.
pub fn check<M: Model>(model: &M, history: &History) -> Result<Vec<Undecided>, Violation> {
    let mut undecided = Vec::new();
    for object in history.objects() {
        let part = history.of(object);
        match search(model, part.operations(), SEARCH_LIMIT) {
            Linearizability::Yes => {}
            Linearizability::No => {
                let slice = shrink(model, part.operations().to_vec());
                let what = match model.shortcut(&slice) {
                    Some(Shortcut::Wrong(why)) => format!("{object} is not linearizable: {why}"),
                    _ => format!(
                        "no order of these operations explains what {object} answered: it is not \
                         linearizable"
                    ),
                };
                return Err(Violation::new(what, &slice));
            }
            Linearizability::Undecided => undecided.push(Undecided {
                object: object.to_owned(),
            }),
        }
    }
    Ok(undecided)
}

/// Whether there is an order for the operations of one object, looking at no more than `limit`
/// configurations.
pub fn search<M: Model>(model: &M, operations: &[Operation], limit: usize) -> Linearizability {
    match model.shortcut(operations) {
        Some(Shortcut::Right) => return Linearizability::Yes,
        Some(Shortcut::Wrong(_)) => return Linearizability::No,
        None => {}
    }
    match search::order(model, operations, limit) {
        Found::Order(_) => Linearizability::Yes,
        Found::Nothing => Linearizability::No,
        Found::GaveUp => Linearizability::Undecided,
    }
}
