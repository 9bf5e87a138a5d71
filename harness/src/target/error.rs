//! Why a target could not be had: the user's mistake, or something that could not be reached.

/// Why a target could not be parsed, provisioned or reached.
///
/// Every text says what happened and what to do next, in lower case, and fits after "error: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// A flag, an environment variable or a URL is wrong.
    #[error("{0}")]
    Mistake(String),
    /// Nobody answers, or not in the protocol that was asked for.
    #[error("{0}")]
    Unreachable(String),
    /// The server answered and refused the credentials.
    #[error("{0}")]
    Credentials(String),
    /// A Redis could not be started on this machine.
    #[error("{0}")]
    Provision(String),
}

impl TargetError {
    /// Whether the user's input is wrong (exit code 2); otherwise the target could not be reached
    /// or provisioned (exit code 3).
    pub fn is_mistake(&self) -> bool {
        matches!(self, TargetError::Mistake(_))
    }
}
