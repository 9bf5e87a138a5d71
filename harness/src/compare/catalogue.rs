//! The documented differences: where Upstash departs from Redis on purpose, each with its source and
//! with advice, so that they are reported apart from the unexpected ones.

use std::collections::BTreeSet;

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use scenarios::expectation::Expectation;
use scenarios::reply::Expressiveness;
use scenarios::step::{Action, Bindings, Captures};
use scenarios::{Document, Reply};

use super::canonical::fold;
use super::difference::Severity;

/// The catalogue as it is kept in the repository.
pub const BUILT_IN: &str = include_str!("../../../scenarios/documented-differences.toml");

/// How sure it is that Upstash behaves this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Upstash's documentation says so.
    Documented,
    /// A test of an official SDK, run against the service, recorded it.
    Recorded,
    /// Users or third parties measured it.
    Reported,
    /// It follows from other facts and was not observed.
    Inferred,
}

impl Confidence {
    /// The word the catalogue uses.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Documented => "documented",
            Confidence::Recorded => "recorded",
            Confidence::Reported => "reported",
            Confidence::Inferred => "inferred",
        }
    }
}

/// A documented difference.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name, stable across versions.
    pub id: String,
    /// What differs, in one sentence.
    pub title: String,
    /// How bad it is for an application that relies on Redis's behaviour.
    pub severity: Severity,
    /// Where it is documented or was measured.
    pub source: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to change in the application.
    pub advice: String,
    /// The scenarios, by id, in which it has to show.
    pub shows_in: Vec<String>,
    /// What the mock calls it: quirks that can be switched off there.
    pub quirks: Vec<String>,
    /// Why no scenario can show it; `None` when one can.
    pub unseen: Option<String>,
    patterns: Vec<Pattern>,
}

/// The replies by which a documented difference is recognised.
#[derive(Debug, Clone)]
struct Pattern {
    scenarios: GlobSet,
    command: String,
    contains: Vec<String>,
    reference: Expectation,
    subject: Expectation,
}

/// All documented differences.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// What a difference looks like to the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// The scenario's id.
    pub scenario: &'a str,
    /// The command, its name first.
    pub command: &'a [Vec<u8>],
    /// What the reference answered; what the document expects, when there is no reference.
    pub reference: Option<&'a Reply>,
    /// What the subject answered.
    pub subject: &'a Reply,
}

/// A catalogue that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file is not TOML, or lacks a field.
    #[error("the catalogue of documented differences cannot be read: {0}")]
    Syntax(#[from] Box<toml::de::Error>),
    /// An entry contradicts itself.
    #[error("the documented difference '{id}' cannot be used: {reason}")]
    Entry {
        /// The entry.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    difference: Vec<EntryText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    id: String,
    title: String,
    severity: Severity,
    source: String,
    confidence: Confidence,
    advice: String,
    #[serde(default)]
    shows_in: Vec<String>,
    #[serde(default)]
    quirks: Vec<String>,
    unseen: Option<String>,
    #[serde(rename = "match", default)]
    patterns: Vec<PatternText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternText {
    #[serde(default)]
    scenarios: Vec<String>,
    command: String,
    #[serde(default)]
    contains: Vec<String>,
    reference: String,
    subject: String,
}

impl Catalogue {
    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is malformed, names a difference twice, or has one that would match every reply.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let file: File = toml::from_str(text).map_err(Box::new)?;
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for text in file.difference {
            let id = text.id.clone();
            let entry = entry(text)
                .and_then(|entry| {
                    if seen.insert(entry.id.clone()) {
                        Ok(entry)
                    } else {
                        Err("it is listed twice".to_owned())
                    }
                })
                .map_err(|reason| CatalogueError::Entry { id, reason })?;
            entries.push(entry);
        }
        Ok(Catalogue { entries })
    }

    /// All entries, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of that id.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The documented difference that this is, if it is one.
    pub fn recognise(&self, sighting: Sighting<'_>) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            entry
                .patterns
                .iter()
                .any(|pattern| pattern.matches(sighting))
        })
    }
}

impl Pattern {
    fn matches(&self, sighting: Sighting<'_>) -> bool {
        let Some(name) = sighting.command.first() else {
            return false;
        };
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        let holds = |part: &String| {
            sighting.command[1..]
                .iter()
                .any(|argument| String::from_utf8_lossy(argument).contains(part.as_str()))
        };
        (self.scenarios.is_empty() || self.scenarios.is_match(sighting.scenario))
            && (self.command == "*" || self.command.eq_ignore_ascii_case(&name))
            && self.contains.iter().all(holds)
            && meets(&self.subject, sighting.subject)
            && sighting
                .reference
                .is_none_or(|reply| meets(&self.reference, reply))
    }
}

/// Replies in the catalogue are written once for all transports.
fn meets(expectation: &Expectation, reply: &Reply) -> bool {
    let keys = |name: &str| format!("{{{name}}}").into_bytes();
    let captures = Captures::new();
    let bindings = Bindings {
        keys: &keys,
        captures: &captures,
    };
    let reply = fold(reply, Expressiveness::Json);
    expectation
        .check(&reply, Expressiveness::Json, bindings)
        .is_ok()
}

fn entry(text: EntryText) -> Result<Entry, String> {
    match (&text.unseen, text.patterns.is_empty()) {
        (None, true) => {
            return Err(
                "it has no [[difference.match]], so nothing could ever match it; say why in `unseen`"
                    .into(),
            );
        }
        (Some(_), false) => {
            return Err("it is `unseen`, and has a [[difference.match]] to be seen by".into());
        }
        _ => {}
    }
    let patterns = text
        .patterns
        .into_iter()
        .map(pattern)
        .collect::<Result<Vec<_>, _>>()?;
    for (name, value) in [
        ("title", &text.title),
        ("source", &text.source),
        ("advice", &text.advice),
    ] {
        if value.trim().is_empty() {
            return Err(format!("its {name} is empty"));
        }
    }
    Ok(Entry {
        id: text.id,
        title: text.title,
        severity: text.severity,
        source: text.source,
        confidence: text.confidence,
        advice: text.advice,
        shows_in: text.shows_in,
        quirks: text.quirks,
        unseen: text.unseen,
        patterns,
    })
}

fn pattern(text: PatternText) -> Result<Pattern, String> {
    let reference = expectation(&text.reference)?;
    let subject = expectation(&text.subject)?;
    if subject == Expectation::Any {
        return Err("its subject is (any), which would swallow every difference".into());
    }
    let mut scenarios = GlobSetBuilder::new();
    for glob in &text.scenarios {
        scenarios.add(Glob::new(glob).map_err(|error| error.to_string())?);
    }
    Ok(Pattern {
        scenarios: scenarios.build().map_err(|error| error.to_string())?,
        command: text.command,
        contains: text.contains,
        reference,
        subject,
    })
}

/// Reads a reply written as in a document, by reading a document that holds nothing else.
fn expectation(text: &str) -> Result<Expectation, String> {
    let document = format!(
        "## Reply\n\n```redis\n> GET {{k}}\n{}\n```\n",
        text.trim_end()
    );
    let document = Document::parse("user/reply.md", &document).map_err(|errors| {
        let messages: Vec<_> = errors
            .mistakes
            .iter()
            .map(|mistake| &mistake.message)
            .collect();
        format!("the reply '{text}' cannot be read: {messages:?}")
    })?;
    document
        .scenarios
        .into_iter()
        .flat_map(|scenario| scenario.steps)
        .find(|step| matches!(step.action, Action::Command(_)))
        .and_then(|step| step.expect)
        .ok_or_else(|| format!("'{text}' is not a reply"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"
        [[difference]]
        id = "rollback"
        title = "A failing script leaves nothing behind"
        severity = "breaking"
        source = "measured"
        confidence = "reported"
        advice = "do not rely on partial writes"
        [[difference.match]]
        scenarios = ["patterns/*"]
        command = "GET"
        reference = '"1"'
        subject = '(nil)'
    "#;

    fn sighting<'a>(
        reference: Option<&'a Reply>,
        subject: &'a Reply,
        command: &'a [Vec<u8>],
    ) -> Sighting<'a> {
        Sighting {
            scenario: "patterns/lua/rollback",
            command,
            reference,
            subject,
        }
    }

    #[test]
    fn a_difference_is_recognised_by_command_and_replies() {
        let catalogue = Catalogue::parse(ONE).expect("a valid catalogue");
        let get = [b"get".to_vec(), b"{k}".to_vec()];
        let other = [b"TYPE".to_vec()];
        let one = Reply::Bulk(b"1".to_vec());
        let id = |sighting| catalogue.recognise(sighting).map(|entry| entry.id.clone());
        assert_eq!(
            id(sighting(Some(&one), &Reply::Nil, &get)).as_deref(),
            Some("rollback")
        );
        assert_eq!(
            id(sighting(None, &Reply::Nil, &get)).as_deref(),
            Some("rollback")
        );
        assert_eq!(id(sighting(Some(&Reply::Nil), &one, &get)), None);
        assert_eq!(id(sighting(Some(&one), &Reply::Nil, &other)), None);
        let elsewhere = Sighting {
            scenario: "locks/x/y",
            ..sighting(Some(&one), &Reply::Nil, &get)
        };
        assert_eq!(id(elsewhere), None);
    }

    #[test]
    fn what_would_swallow_everything_is_refused() {
        let greedy = ONE.replace("subject = '(nil)'", "subject = '(any)'");
        let error = Catalogue::parse(&greedy)
            .expect_err("(any) matches all")
            .to_string();
        assert!(
            error.contains("rollback") && error.contains("(any)"),
            "{error}"
        );
        let twice = format!("{ONE}{ONE}");
        let error = Catalogue::parse(&twice)
            .expect_err("two of one id")
            .to_string();
        assert!(error.contains("listed twice"), "{error}");
    }

    #[test]
    fn the_built_in_catalogue_names_scenarios_that_exist() {
        let catalogue = Catalogue::parse(BUILT_IN).expect("the repository's own catalogue");
        let suite = crate::suite::load(&crate::suite::Selection::default()).expect("the suite");
        assert!(!catalogue.entries().is_empty());
        for entry in catalogue.entries() {
            for id in &entry.shows_in {
                let known = suite.iter().any(|planned| planned.scenario.id == *id);
                assert!(known, "{} shows in {id}, which is no scenario", entry.id);
            }
        }
    }
}
