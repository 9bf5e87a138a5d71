//! A scenario document as data: its scenarios, in the order written, and where each stands.

use std::collections::BTreeSet;

use crate::error::ParseErrors;
use crate::requirement::Requirement;
use crate::step::Step;

/// A place in a document, both numbers counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A Markdown file whose level-2 headings are scenarios.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The path it was read from, as given; errors and reports name it.
    pub path: String,
    /// The folder it lies in: `locks` for `scenarios/locks/mutual-exclusion.md`.
    pub area: String,
    /// Its level-1 heading; the file's stem when it has none.
    pub title: String,
    /// The Markdown between the title and the first scenario.
    pub prose: String,
    /// Its scenarios, in the order written.
    pub scenarios: Vec<Scenario>,
}

/// One named behaviour that an application relies on.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// `area/file stem/slug of the heading`, unique within a suite:
    /// `locks/mutual-exclusion/a-lock-has-one-holder-until-it-expires`.
    pub id: String,
    /// The area of its document.
    pub area: String,
    /// The heading, without Markdown markup.
    pub title: String,
    /// Who relies on it and what breaks without it, as Markdown.
    pub prose: String,
    /// What a target must offer to run any of it.
    pub requirements: Vec<Requirement>,
    /// The transcript.
    pub steps: Vec<Step>,
    /// Where the heading stands.
    pub location: Location,
}

impl Document {
    /// Reads a document. `path` is only for naming: its last folder is the area, its file stem a
    /// part of every scenario's id. A document outside any folder is in the area `user`.
    ///
    /// # Errors
    /// All mistakes of the document at once, each with its place.
    pub fn parse(path: &str, text: &str) -> Result<Document, ParseErrors> {
        crate::syntax::document(path, text)
    }
}

impl Scenario {
    /// The clients of the transcript, each once, in the order they first speak. The default client
    /// has the empty name.
    pub fn clients(&self) -> Vec<&str> {
        let mut clients: Vec<&str> = Vec::new();
        for step in &self.steps {
            if step.action.has_client() && !clients.contains(&step.client.as_str()) {
                clients.push(&step.client);
            }
        }
        clients
    }

    /// The names between braces, `lock` for `{lock}`: each stands for a key, a channel or a prefix
    /// of keys. The keys that were really touched are known once a command is rendered; see
    /// [`crate::key_position::keys`].
    pub fn key_names(&self) -> BTreeSet<&str> {
        self.steps
            .iter()
            .flat_map(|step| step.action.arguments())
            .flat_map(|argument| argument.key_names())
            .collect()
    }
}
