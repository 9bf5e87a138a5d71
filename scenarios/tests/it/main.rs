//! The scenarios crate from outside: what documents may say, and what is said about mistakes.

mod cookbook;
mod cursor;
mod document;
mod fuzz;
mod glob;
mod history;
mod key_position;
mod linearizable;
mod matching;
mod mistake;
mod property;
mod record;
mod selector;
mod suite;

use std::collections::BTreeMap;

use scenarios::{Bindings, Document, Scenario, Step};

/// A document of one scenario with this transcript.
pub(crate) fn transcript(lines: &str) -> Scenario {
    match parse(lines) {
        Ok(document) => document.scenarios.into_iter().next().expect("one scenario"),
        Err(errors) => panic!("{errors}"),
    }
}

pub(crate) fn parse(lines: &str) -> Result<Document, scenarios::ParseErrors> {
    let text = format!("# Title\n\n## Scenario\nProse.\n\n```redis\n{lines}\n```\n");
    Document::parse("scenarios/locks/example.md", &text)
}

pub(crate) fn only_step(lines: &str) -> Step {
    let steps = transcript(lines).steps;
    assert_eq!(steps.len(), 1, "{steps:#?}");
    steps.into_iter().next().expect("one step")
}

/// Keys under the prefix `t:`, and no captured reply.
pub(crate) fn with_bindings<T>(run: impl FnOnce(Bindings<'_>) -> T) -> T {
    let captures = BTreeMap::from([("id".to_owned(), b"1-1".to_vec())]);
    run(Bindings {
        keys: &|name: &str| format!("t:{name}").into_bytes(),
        captures: &captures,
    })
}
