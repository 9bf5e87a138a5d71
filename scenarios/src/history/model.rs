//! Sequential objects that histories are held against.

use std::collections::VecDeque;

use super::linearizable::Model;
use super::operation::{Operation, Value};

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

    fn droppable(&self, operations: &[Operation]) -> Vec<Vec<usize>> {
        let looks = |operation: &Operation| match operation.name {
            "read" => true,
            "swap" => operation.returned(false),
            _ => false,
        };
        let seen = |value: &Value| {
            operations.iter().any(|operation| {
                operation.output() == Some(value)
                    || operation.name == "swap" && operation.input.at(0) == Some(value)
            })
        };
        let swaps_are_gone = !operations
            .iter()
            .any(|operation| operation.name == "swap" && !operation.returned(true));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (at, operation) in operations.iter().enumerate() {
            // A look changes nothing. A write that nobody saw was replaced before anybody looked;
            // only a swap that did not happen could have seen it without saying so.
            let unseen = operation.name == "write" && swaps_are_gone && !seen(&operation.input);
            if looks(operation) || unseen {
                groups.push(vec![at]);
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

    fn droppable(&self, operations: &[Operation]) -> Vec<Vec<usize>> {
        let empty: Vec<Vec<usize>> = (0..operations.len())
            .filter(|at| operations[*at].name == "take" && operations[*at].returned(Value::Nil))
            .map(|at| vec![at])
            .collect();
        if !empty.is_empty() {
            return empty;
        }
        // A queue without one of its jobs, pushed and taken once each, is a queue still.
        (0..operations.len())
            .filter(|at| operations[*at].name == "push")
            .filter_map(|at| {
                let job = operations[at].input.at(0)?;
                let takes: Vec<usize> = (0..operations.len())
                    .filter(|other| {
                        operations[*other].name == "take"
                            && operations[*other].output() == Some(job)
                    })
                    .collect();
                match takes.as_slice() {
                    [one] => Some(vec![at, *one]),
                    _ => None,
                }
            })
            .collect()
    }
}
