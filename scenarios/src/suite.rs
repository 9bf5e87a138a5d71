//! The scenario documents that come with swapcheck.

use std::fmt;

use crate::document::Document;
use crate::error::ParseErrors;

/// Paths and texts of the documents, by area in the order in which reports show them: cache,
/// patterns, sessions, locks, queue; within an area by file name.
pub const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/suite.rs"));

/// The areas of the suite, in the order in which reports show them.
pub const AREAS: [&str; 5] = ["cache", "patterns", "sessions", "locks", "queue"];

/// Parses the suite.
///
/// # Errors
/// The mistakes of all its documents. A test of this crate holds that there are none.
pub fn suite() -> Result<Vec<Document>, SuiteErrors> {
    let mut documents = Vec::new();
    let mut errors = Vec::new();
    for (path, text) in SOURCES {
        match Document::parse(path, text) {
            Ok(document) => documents.push(document),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(documents)
    } else {
        Err(SuiteErrors(errors))
    }
}

/// The mistakes of several documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SuiteErrors(pub Vec<ParseErrors>);

impl fmt::Display for SuiteErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}
