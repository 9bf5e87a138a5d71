//! The smallest slice of a wrong history that can be found quickly.

use super::linearizable::{Linearizability, Model, search};
use super::operation::{Ended, Operation};

/// How many configurations are looked at in each attempt to leave something out.
const LIMIT: usize = 20_000;
/// How many attempts are made.
const ATTEMPTS: usize = 600;

/// First all is cut off that began after it was too late, then what can soundly be left out is.
pub(super) fn shrink<M: Model>(model: &M, mut operations: Vec<Operation>) -> Vec<Operation> {
    let wrong = |operations: &[Operation]| search(model, operations, LIMIT) == Linearizability::No;
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
            if attempts > ATTEMPTS {
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
                operation.ended = Ended::Unknown("still under way".to_owned());
            }
            operation
        })
        .collect()
}
