//! Notes what clients do while they do it, all on one clock.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::operation::{Ended, History, Operation, Value};

/// Notes operations. Shared by all clients of a workload.
#[derive(Debug)]
pub struct Recorder {
    origin: Instant,
    operations: Mutex<Vec<Operation>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            origin: Instant::now(),
            operations: Mutex::default(),
        }
    }
}

impl Recorder {
    /// The time on the history's clock, in microseconds.
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Notes that an operation begins. It has to be told how it ends; one that is dropped before,
    /// because nobody waits for it any more, has an unknown outcome.
    pub fn invoke(
        &self,
        client: usize,
        name: &'static str,
        object: impl Into<String>,
        input: impl Into<Value>,
    ) -> Call<'_> {
        Call {
            recorder: self,
            operation: Some(Operation {
                client,
                name,
                object: object.into(),
                input: input.into(),
                invoked_us: self.now_us(),
                ended_us: u64::MAX,
                ended: Ended::Unknown("given up".to_owned()),
            }),
        }
    }

    /// What was noted so far.
    pub fn history(&self) -> History {
        let operations = self.operations.lock();
        History::new(operations.unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// An operation that is under way.
#[derive(Debug)]
pub struct Call<'r> {
    recorder: &'r Recorder,
    operation: Option<Operation>,
}

impl Call<'_> {
    /// It returned.
    pub fn returned(self, output: impl Into<Value>) {
        self.end(Ended::Returned(output.into()));
    }

    /// It did not happen.
    pub fn failed(self, reason: impl Into<String>) {
        self.end(Ended::Failed(reason.into()));
    }

    /// No answer came.
    pub fn unknown(self, reason: impl Into<String>) {
        self.end(Ended::Unknown(reason.into()));
    }

    fn end(mut self, ended: Ended) {
        if let Some(operation) = &mut self.operation {
            operation.ended = ended;
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(mut operation) = self.operation.take() {
            operation.ended_us = self.recorder.now_us();
            let operations = self.recorder.operations.lock();
            operations
                .unwrap_or_else(PoisonError::into_inner)
                .push(operation);
        }
    }
}
