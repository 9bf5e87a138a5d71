//! What two replies do not agree on: the kind of difference, how bad it is, and in words what it is.

use serde::{Deserialize, Serialize};

/// In which way two replies disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One succeeded where the other failed.
    Status,
    /// The replies are of different types: a number here, text there.
    Type,
    /// Same type, another value.
    Value,
    /// Both failed, with different error codes (`WRONGTYPE` and `ERR`).
    ErrorClass,
    /// Both failed with the same code, in other words.
    ErrorText,
    /// The same members in another order.
    Order,
    /// The subject left out members that the reference returned.
    Missing,
    /// The subject returned members that the reference did not.
    Extra,
    /// The same number, printed with other digits.
    Precision,
    /// A time to live that is further apart than the two runs were.
    Timing,
    /// One side gave no reply: the connection broke, or it did not answer in time.
    NoReply,
}

impl Kind {
    /// The name used in reports, baselines and the catalogue.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Status => "status",
            Kind::Type => "type",
            Kind::Value => "value",
            Kind::ErrorClass => "error-class",
            Kind::ErrorText => "error-text",
            Kind::Order => "order",
            Kind::Missing => "missing",
            Kind::Extra => "extra",
            Kind::Precision => "precision",
            Kind::Timing => "timing",
            Kind::NoReply => "no-reply",
        }
    }

    /// How bad a difference of this kind is when nothing more is known about it.
    ///
    /// Applications branch on success, type, value and error code; few read an error's words.
    pub fn severity(self) -> Severity {
        match self {
            Kind::Status
            | Kind::Type
            | Kind::Value
            | Kind::ErrorClass
            | Kind::Missing
            | Kind::Extra
            | Kind::NoReply => Severity::Breaking,
            Kind::Order | Kind::Precision | Kind::Timing => Severity::Degraded,
            Kind::ErrorText => Severity::Cosmetic,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How bad a difference is for an application. Ordered: the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Visible to people who read replies, harmless to code.
    Cosmetic,
    /// Works, but slower, less exact or in another order.
    Degraded,
    /// Code that relies on the reference's behaviour breaks.
    Breaking,
}

impl Severity {
    /// The name used in reports and the catalogue.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Cosmetic => "cosmetic",
            Severity::Degraded => "degraded",
            Severity::Breaking => "breaking",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One disagreement between what was wanted and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which way the replies disagree.
    pub kind: Kind,
    /// Where in a nested reply, counted from 1 as redis-cli prints it; empty for the whole reply.
    pub path: Vec<usize>,
    /// One sentence on what differs.
    pub what: String,
}

impl Difference {
    /// A difference of the whole reply.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Difference {
            kind,
            path: Vec::new(),
            what: what.into(),
        }
    }
}
