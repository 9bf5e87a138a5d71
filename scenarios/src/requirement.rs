//! What a target must offer for a scenario or a step to apply to it.

use std::fmt;

/// One line of a transcript that says where it applies.
///
/// The runner decides whether a target meets it; one that does not is reported `unsupported`, with
/// the requirement as the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// `only rest`: commands travel over HTTP.
    OnlyRest,
    /// `only tcp`: commands travel over the Redis protocol.
    OnlyTcp,
    /// `needs blocking`: a client may wait for a reply.
    NeedsBlocking,
    /// `needs connection`: a client is one connection with a state of its own (`WATCH`, `CLIENT`).
    NeedsConnection,
    /// `needs command JSON.SET`: the target knows a command. A subcommand is a second word.
    NeedsCommand(Vec<String>),
    /// `since redis 7.4`: the Redis version that a target reports, or is compatible with.
    Since(Version),
    /// `before redis 8.0`: the behaviour ended with that version.
    Before(Version),
}

/// A Redis version, as far as requirements name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 7 in 7.4.
    pub major: u32,
    /// 4 in 7.4.
    pub minor: u32,
}

impl Version {
    /// Reads `7.4`, `7.4.2` or `7`; what follows the minor version is ignored, so that the
    /// `redis_version` line of `INFO` can be given as it is.
    pub fn parse(text: &str) -> Option<Version> {
        let mut parts = text.trim().split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = match parts.next() {
            Some(minor) => minor.parse().ok()?,
            None => 0,
        };
        Some(Version { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Requirement {
    /// The requirement as a document writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Requirement::OnlyRest => f.write_str("only rest"),
            Requirement::OnlyTcp => f.write_str("only tcp"),
            Requirement::NeedsBlocking => f.write_str("needs blocking"),
            Requirement::NeedsConnection => f.write_str("needs connection"),
            Requirement::NeedsCommand(words) => write!(f, "needs command {}", words.join(" ")),
            Requirement::Since(version) => write!(f, "since redis {version}"),
            Requirement::Before(version) => write!(f, "before redis {version}"),
        }
    }
}
