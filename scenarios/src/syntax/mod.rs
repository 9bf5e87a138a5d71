//! Reading scenario documents: Markdown, transcripts in it, commands and replies in those.

mod argument;
mod check;
mod comparator;
mod line;
mod markdown;
mod reply;
mod transcript;

use std::collections::BTreeMap;

use crate::document::{Document, Location, Scenario};
use crate::error::{Mistake, ParseErrors};

/// One line of a transcript.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'t> {
    /// Its number within the document, from 1.
    number: usize,
    /// Its text, without the line break.
    text: &'t str,
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    fn add(
        &mut self,
        location: Location,
        length: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let length = length.max(1);
        self.0.push(Mistake {
            location,
            length,
            message: message.into(),
            help: help.into(),
        });
    }
}

pub(crate) fn document(path: &str, text: &str) -> Result<Document, ParseErrors> {
    let mut mistakes = Mistakes::default();
    let outline = markdown::outline(text, &mut mistakes);
    let (area, stem) = area_and_stem(path);
    let title = outline.title.unwrap_or_else(|| stem.clone());
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for section in outline.sections {
        let slug = slug(&section.title);
        if slug.is_empty() {
            mistakes.add(
                section.location,
                section.length,
                "a scenario's heading has no letter or digit to make its id of",
                "name the behaviour: `## A lock has one holder`",
            );
        }
        if let Some(line) = places.insert(slug.clone(), section.location.line) {
            mistakes.add(
                section.location,
                section.length,
                format!("this scenario has the same id, `{slug}`, as the one on line {line}"),
                "give each scenario of a document a heading of its own",
            );
        }
        let before = mistakes.0.len();
        let transcript = transcript::parse(&section.lines, &mut mistakes);
        if transcript.steps.is_empty() && before == mistakes.0.len() && !section.lines.is_empty() {
            mistakes.add(
                section.location,
                section.length,
                "the transcript of this scenario has no step",
                "write what the application sends: `> GET {key}`",
            );
        }
        check::scenario(&transcript.steps, &mut mistakes);
        scenarios.push(Scenario {
            id: format!("{area}/{stem}/{slug}"),
            area: area.clone(),
            title: section.title,
            prose: section.prose,
            requirements: transcript.requirements,
            steps: transcript.steps,
            location: section.location,
        });
    }
    if !mistakes.0.is_empty() {
        return Err(ParseErrors::new(path, text, mistakes.0));
    }
    Ok(Document {
        path: path.to_owned(),
        area,
        title,
        prose: outline.prose,
        scenarios,
    })
}

fn area_and_stem(path: &str) -> (String, String) {
    let mut parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    let file = parts.next().unwrap_or("document");
    let stem = file.strip_suffix(".md").unwrap_or(file);
    let area = parts
        .find(|part| !matches!(*part, "." | ".."))
        .unwrap_or("user");
    (area.to_owned(), stem.to_owned())
}

/// A heading as a part of an id: words in lower case joined by hyphens.
fn slug(heading: &str) -> String {
    let words =
        heading.split(|c: char| c.is_whitespace() || matches!(c, '-' | '/' | '_' | '–' | '—'));
    let word = |word: &str| {
        let kept = word.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect::<String>()
    };
    words
        .map(word)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}
