//! Operations of concurrent clients, with when they began and how they ended.

use std::fmt;

use serde::Serialize;

/// An argument or a result of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing: no argument, an empty queue, a key that is not there.
    Nil,
    /// Whether it worked.
    Bool(bool),
    /// A number.
    Integer(i64),
    /// A token, a job, a value.
    Text(String),
    /// Several of them.
    List(Vec<Value>),
}

impl Value {
    /// The number, when it is one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, when it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a place of a list; of anything else, itself at the first.
    pub fn at(&self, index: usize) -> Option<&Value> {
        match self {
            Value::List(values) => values.get(index),
            other if index == 0 => Some(other),
            _ => None,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl<const N: usize> From<[Value; N]> for Value {
    fn from(values: [Value; N]) -> Self {
        Value::List(values.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nothing"),
            Value::Bool(true) => f.write_str("yes"),
            Value::Bool(false) => f.write_str("no"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Text(text) => f.write_str(text),
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                Ok(())
            }
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It returned this.
    Returned(Value),
    /// It did not happen: it was refused, or never reached the server.
    Failed(String),
    /// It may have happened, then or at any time later: no answer came.
    Unknown(String),
}

/// What one client did.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Operation {
    /// Who did it, counted from 0.
    pub client: usize,
    /// What it is: `acquire`, `read`, `take`.
    pub name: &'static str,
    /// What it was done to, by the name of its key.
    pub object: String,
    /// With which arguments.
    pub input: Value,
    /// When it was invoked, in microseconds since the history began.
    pub invoked_us: u64,
    /// When it ended, or was given up.
    pub ended_us: u64,
    /// How it ended.
    pub ended: Ended,
}

impl Operation {
    /// What it returned, if it did.
    pub fn output(&self) -> Option<&Value> {
        match &self.ended {
            Ended::Returned(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it returned exactly this.
    pub fn returned(&self, value: impl Into<Value>) -> bool {
        self.output() == Some(&value.into())
    }

    /// Whether it may have happened without anybody knowing.
    pub fn is_unknown(&self) -> bool {
        matches!(self.ended, Ended::Unknown(_))
    }

    /// Whether it certainly did not happen.
    pub fn is_failed(&self) -> bool {
        matches!(self.ended, Ended::Failed(_))
    }

    /// Whether it was over before the other began.
    pub fn precedes(&self, other: &Operation) -> bool {
        !self.is_unknown() && self.ended_us < other.invoked_us
    }
}

/// What all clients did, in the order in which it was invoked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct History {
    operations: Vec<Operation>,
}

impl History {
    /// A history of these operations, in any order.
    pub fn new(mut operations: Vec<Operation>) -> Self {
        operations.sort_by_key(|operation| (operation.invoked_us, operation.ended_us));
        History { operations }
    }

    /// All operations, in the order in which they were invoked.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Those of one name.
    pub fn named<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h Operation> {
        self.operations
            .iter()
            .filter(move |operation| operation.name == name)
    }

    /// The objects, each once, in the order of their names.
    pub fn objects(&self) -> Vec<&str> {
        let mut objects: Vec<&str> = self
            .operations
            .iter()
            .map(|operation| operation.object.as_str())
            .collect();
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    /// The part that is about one object.
    pub fn of(&self, object: &str) -> History {
        History {
            operations: self
                .operations
                .iter()
                .filter(|operation| operation.object == object)
                .cloned()
                .collect(),
        }
    }

    /// How many operations have no known outcome.
    pub fn unknown(&self) -> usize {
        self.operations
            .iter()
            .filter(|operation| operation.is_unknown())
            .count()
    }
}

/// Something that must not happen, and happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// The operations that show it, in the order in which they were invoked.
    pub slice: Vec<Operation>,
}

impl Violation {
    /// A violation that these operations show.
    pub fn new<'h>(
        what: impl Into<String>,
        slice: impl IntoIterator<Item = &'h Operation>,
    ) -> Self {
        let mut operations: Vec<Operation> = Vec::new();
        for operation in slice {
            if !operations.contains(operation) {
                operations.push(operation.clone());
            }
        }
        Violation {
            what: what.into(),
            slice: History::new(operations).operations,
        }
    }
}
