//! The reply that a step expects: literal, or by a comparator.

use crate::glob::Glob;
use crate::reply::{Expressiveness, Reply};
use crate::step::{Argument, Bindings, Captures};

/// What a reply must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// `(any)`: any reply but an error.
    Any,
    /// `OK`, or `(status) "with spaces"`.
    Status(String),
    /// `"text"`, `{key}`, `$capture`, `<1000 x>`: these bytes.
    Text(Argument),
    /// `(string)`: any bytes.
    AnyText,
    /// `(like "user:*")`: bytes that a glob matches.
    Like(Glob),
    /// `(integer) 3`, `(integer) 1..200`, `(integer) 1..`, `(integer)`: one of a range, both ends
    /// included.
    Integer {
        /// The least that is right.
        min: i64,
        /// The most that is right.
        max: i64,
    },
    /// `(double) 1.5`.
    Double(f64),
    /// `(double)`: any number.
    AnyDouble,
    /// `(approx 0.001) 3.14`: a number, however it is sent, that differs by no more than that.
    Approx {
        /// The number.
        value: f64,
        /// How far off it may be.
        tolerance: f64,
    },
    /// `(nil)`.
    Nil,
    /// `(true)` or `(false)`.
    Boolean(bool),
    /// `(big number) 12345678901234567890`.
    BigNumber(String),
    /// `(error) WRONGTYPE *`: an error whose text a glob matches. The class is always literal.
    Error(Glob),
    /// `1) …`: these elements in this order.
    Array(Vec<Expectation>),
    /// `1~ …`: these members in any order.
    Set(Vec<Expectation>),
    /// `1# … => …`: these pairs in any order. RESP2 and JSON send them flat.
    Map(Vec<(Expectation, Expectation)>),
    /// `(unordered)` before an array: these elements in any order.
    Unordered(Vec<Expectation>),
    /// `"a" | (nil)`: one of them.
    Either(Vec<Expectation>),
    /// `… => $name`: matches what it holds, and keeps the reply under that name.
    Capture(Box<Expectation>, String),
}

/// Why a reply is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the reply, as printed numbers: `[3, 1]` is element 1 of element 3. Empty for the
    /// whole reply.
    pub path: Vec<usize>,
    /// What the document expects there, as it would write it.
    pub expected: String,
    /// What came, as redis-cli prints it; shortened when it is long.
    pub actual: String,
}

impl Expectation {
    /// Holds a reply against the expectation, and yields the replies to capture.
    ///
    /// `expressiveness` is that of the transport the reply came by: what the transport cannot tell
    /// apart is not held against it.
    ///
    /// # Errors
    /// The first place where the reply is not what was expected.
    pub fn check(
        &self,
        reply: &Reply,
        expressiveness: Expressiveness,
        bindings: Bindings<'_>,
    ) -> Result<Captures, Mismatch> {
        crate::matching::check(self, reply, expressiveness, bindings)
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            let path: Vec<String> = self.path.iter().map(usize::to_string).collect();
            write!(f, "element {}: ", path.join("."))?;
        }
        write!(f, "expected {}, got {}", self.expected, self.actual)
    }
}
