//! Linearizability: could these operations have taken place one at a time, each at one moment
//! between its invocation and its return?
//!
//! The search is Wing and Gong's (1993) with Lowe's memoization of the configurations seen (2017):
//! a depth-first search over which operation took effect next, that never visits the same set of
//! operations with the same state twice. Objects are checked one by one, which is sound because
//! linearizability is local (Herlihy and Wing, 1990) and keeps the search small.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use super::operation::{History, Operation, Violation};

/// How many configurations are looked at before the search gives up on an object.
pub const SEARCH_LIMIT: usize = 60_000;
/// As above, for each attempt to leave something out of a slice.
const SHRINK_LIMIT: usize = 20_000;
/// How many attempts are made at it.
const SHRINK_ATTEMPTS: usize = 600;

/// An object that does one thing at a time.
pub trait Model {
    /// What it remembers.
    type State: Clone + Eq + Hash;

    /// What it remembers at first.
    fn initial(&self) -> Self::State;

    /// The state after the operation, or `None` when the object would not have answered so. An
    /// operation whose outcome is unknown may have answered anything.
    fn step(&self, state: &Self::State, operation: &Operation) -> Option<Self::State>;

    /// Groups of operations that can be left out of any right history with a right one remaining,
    /// so that what is wrong without them was wrong with them.
    fn droppable(&self, operations: &[Operation]) -> Vec<Vec<usize>>;
}

/// What the search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linearizability {
    /// There is an order.
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
             fewer clients",
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
                let what = format!(
                    "no order of these operations explains what {object} answered: it is not \
                     linearizable"
                );
                return Err(Violation::new(what, &slice));
            }
            Linearizability::Undecided => undecided.push(Undecided {
                object: object.to_owned(),
            }),
        }
    }
    Ok(undecided)
}

/// Searches an order for the operations of one object.
pub fn search<M: Model>(model: &M, operations: &[Operation], limit: usize) -> Linearizability {
    let mut operations: Vec<&Operation> = operations
        .iter()
        .filter(|operation| !operation.is_failed())
        .collect();
    operations.sort_by_key(|operation| operation.invoked_us);
    let mut seen: HashSet<(Set, M::State)> = HashSet::new();
    let mut open = vec![(Set::new(operations.len()), model.initial())];
    while let Some((done, state)) = open.pop() {
        if seen.len() > limit {
            return Linearizability::Undecided;
        }
        // Nothing can take effect that was invoked after something not yet in effect returned.
        let returned = |at: &usize| !operations[*at].is_unknown() && !done.has(*at);
        let Some(first_return) = (0..operations.len())
            .filter(returned)
            .map(|at| operations[at].ended_us)
            .min()
        else {
            return Linearizability::Yes;
        };
        // What is pushed last is tried first: those that began first, then unknown ones.
        let mut next = Vec::new();
        for (at, operation) in operations.iter().enumerate() {
            if operation.invoked_us > first_return {
                break;
            }
            if done.has(at) {
                continue;
            }
            if let Some(after) = model.step(&state, operation) {
                let configuration = (done.with(at), after);
                if seen.insert(configuration.clone()) {
                    next.push((operation.is_unknown(), operation.ended_us, configuration));
                }
            }
        }
        next.sort_by_key(|(unknown, ended_us, _)| std::cmp::Reverse((*unknown, *ended_us)));
        open.extend(next.into_iter().map(|(_, _, configuration)| configuration));
    }
    Linearizability::No
}

/// A set of operations, a bit for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Set(Vec<u64>);

impl Set {
    fn new(size: usize) -> Self {
        Set(vec![0; size.div_ceil(64)])
    }

    fn has(&self, index: usize) -> bool {
        self.0[index / 64] & (1 << (index % 64)) != 0
    }

    fn with(&self, index: usize) -> Self {
        let mut set = self.clone();
        set.0[index / 64] |= 1 << (index % 64);
        set
    }
}

/// The smallest slice that can be found quickly: first all is cut off that began after it was too
/// late, then what can soundly be left out is.
fn shrink<M: Model>(model: &M, mut operations: Vec<Operation>) -> Vec<Operation> {
    let wrong =
        |operations: &[Operation]| search(model, operations, SHRINK_LIMIT) == Linearizability::No;
    let mut ends: Vec<u64> = operations
        .iter()
        .filter(|operation| operation.output().is_some())
        .map(|operation| operation.ended_us)
        .collect();
    ends.sort_unstable();
    // A history up to a moment is right whenever all of it is: the first wrong moment by bisection.
    let (mut low, mut high) = (0, ends.len().saturating_sub(1));
    while low < high {
        let middle = (low + high) / 2;
        if wrong(&until(&operations, ends[middle])) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    if let Some(end) = ends.get(low) {
        let cut = until(&operations, *end);
        if wrong(&cut) {
            operations = cut;
        }
    }
    let mut attempts = 0;
    let mut size = operations.len().max(1);
    while size > 0 {
        let groups = model.droppable(&operations);
        let mut dropped = false;
        for chunk in groups.chunks(size) {
            attempts += 1;
            if attempts > SHRINK_ATTEMPTS {
                return operations;
            }
            let without: Vec<Operation> = operations
                .iter()
                .enumerate()
                .filter(|(at, _)| !chunk.iter().any(|group| group.contains(at)))
                .map(|(_, operation)| operation.clone())
                .collect();
            if without.len() < operations.len() && wrong(&without) {
                operations = without;
                dropped = true;
                // The groups name places that have moved.
                break;
            }
        }
        if !dropped {
            size /= 2;
        }
    }
    operations
}

/// What had been invoked at a moment; what had not returned then has no known outcome.
fn until(operations: &[Operation], end_us: u64) -> Vec<Operation> {
    operations
        .iter()
        .filter(|operation| operation.invoked_us <= end_us)
        .map(|operation| {
            let mut operation = operation.clone();
            if operation.ended_us > end_us && !operation.is_failed() {
                operation.ended = super::Ended::Unknown("still under way".to_owned());
            }
            operation
        })
        .collect()
}
