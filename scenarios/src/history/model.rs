//! Sequential objects that histories are held against.

use std::collections::VecDeque;

use super::linearizable::{Model, Shortcut};
use super::operation::{Operation, Value};
use super::{fifo, zone};

/// A register: `read` returns what is in it, `write` (value) replaces it, `swap` (expected, new)
/// replaces it only if it holds what is expected, and returns whether it did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Register;

impl Model for Register {
    type State = Value;

    fn initial(&self) -> Value {
        Value::Nil
    }

    fn step(&self, state: &Value, operation: &Operation) -> Option<Value> {
        match operation.name {
            "read" => {
                let seen = operation.output();
                (seen.is_none() || seen == Some(state)).then(|| state.clone())
            }
            "write" => Some(operation.input.clone()),
            "swap" => {
                let (expected, new) = (operation.input.at(0)?, operation.input.at(1)?);
                let swaps = expected == state;
                if operation.output().is_some() && !operation.returned(swaps) {
                    return None;
                }
                Some(if swaps { new.clone() } else { state.clone() })
            }
            _ => None,
        }
    }

    fn looks(&self, operation: &Operation) -> bool {
        match operation.name {
            "read" => true,
            "swap" => operation.returned(false),
            _ => false,
        }
    }

    fn shortcut(&self, operations: &[Operation]) -> Option<Shortcut> {
        zone::decide(operations)
    }

    fn droppable(&self, operations: &[Operation]) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = (0..operations.len())
            .filter(|at| self.looks(&operations[*at]))
            .map(|at| vec![at])
            .collect();
        // A swap that did not work may owe that to a write that nobody saw.
        if operations
            .iter()
            .any(|one| one.name == "swap" && one.returned(false))
        {
            return groups;
        }
        // A value can go with all who saw it, unless a swap replaced it.
        let replaced = |value: &Value| {
            let by = |one: &Operation| one.name == "swap" && one.input.at(0) == Some(value);
            operations.iter().any(by)
        };
        for operation in operations {
            let new = match operation.name {
                "write" => Some(&operation.input),
                "swap" => operation.input.at(1),
                _ => None,
            };
            if let Some(new) = new.filter(|new| !replaced(new)) {
                let about = |at: &usize| match operations[*at].name {
                    "read" => operations[*at].output() == Some(new),
                    "write" => operations[*at].input == *new,
                    _ => operations[*at].input.at(1) == Some(new),
                };
                groups.push((0..operations.len()).filter(about).collect());
            }
        }
        groups
    }
}

/// A lock without expiry: `acquire` (token) returns whether it was free, `release` (token) whether
/// it was held with that token.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lock;

impl Model for Lock {
    type State = Option<Value>;

    fn initial(&self) -> Option<Value> {
        None
    }

    fn step(&self, state: &Option<Value>, operation: &Operation) -> Option<Option<Value>> {
        let token = operation.input.at(0)?;
        let (works, after) = match operation.name {
            "acquire" => (state.is_none(), Some(token.clone())),
            "release" => (state.as_ref() == Some(token), None),
            _ => return None,
        };
        if operation.output().is_some() && !operation.returned(works) {
            return None;
        }
        Some(if works { after } else { state.clone() })
    }

    fn looks(&self, operation: &Operation) -> bool {
        operation.returned(false)
    }

    fn droppable(&self, operations: &[Operation]) -> Vec<Vec<usize>> {
        let refused: Vec<Vec<usize>> = (0..operations.len())
            .filter(|at| operations[*at].returned(false))
            .map(|at| vec![at])
            .collect();
        if !refused.is_empty() {
            return refused;
        }
        // Once nobody says that the lock was taken, a whole tenure can go.
        let held = |at: &usize| operations[*at].name == "acquire" && operations[*at].returned(true);
        (0..operations.len())
            .filter(held)
            .filter_map(|at| {
                let token = operations[at].input.at(0);
                let of_token: Vec<usize> = (0..operations.len())
                    .filter(|other| operations[*other].input.at(0) == token)
                    .collect();
                let released = of_token.iter().any(|other| {
                    operations[*other].name == "release" && operations[*other].returned(true)
                });
                (released && of_token.len() == 2).then_some(of_token)
            })
            .collect()
    }
}

/// A queue, first in first out: `push` (job), `take` returns the oldest job or nothing. Jobs are
/// told apart by their names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queue;

impl Model for Queue {
    type State = VecDeque<Value>;

    fn initial(&self) -> VecDeque<Value> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<Value>, operation: &Operation) -> Option<VecDeque<Value>> {
        match operation.name {
            "push" => {
                let mut state = state.clone();
                state.push_back(operation.input.at(0)?.clone());
                Some(state)
            }
            "take" => match operation.output() {
                Some(Value::Nil) => state.is_empty().then(|| state.clone()),
                Some(job) if state.front() != Some(job) => None,
                _ => {
                    let mut state = state.clone();
                    state.pop_front();
                    Some(state)
                }
            },
            _ => None,
        }
    }

    fn looks(&self, operation: &Operation) -> bool {
        operation.name == "take" && operation.returned(Value::Nil)
    }

    fn shortcut(&self, operations: &[Operation]) -> Option<Shortcut> {
        fifo::decide(operations)
    }

    fn droppable(&self, operations: &[Operation]) -> Vec<Vec<usize>> {
        // A queue without one of its jobs is a queue still: one that was pushed and taken once, or
        // never taken. An empty answer remains right without it, and can go itself.
        let taken = |job: &Value| -> Vec<usize> {
            let of_job = |at: &usize| {
                operations[*at].name == "take" && operations[*at].output() == Some(job)
            };
            (0..operations.len()).filter(of_job).collect()
        };
        let group = |at: usize| match operations[at].name {
            _ if self.looks(&operations[at]) => Some(vec![at]),
            "push" => match taken(operations[at].input.at(0)?).as_slice() {
                [] => Some(vec![at]),
                [one] => Some(vec![at, *one]),
                _ => None,
            },
            _ => None,
        };
        (0..operations.len()).filter_map(group).collect()
    }
}
