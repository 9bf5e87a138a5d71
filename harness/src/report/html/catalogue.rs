//! All documented differences, each with an anchor that the rest of the page links to, whether they
//! showed in this run or not.

use crate::compare::{BUILT_IN, Catalogue, Confidence};
use crate::run::{DocumentedOutcome, Outcome};

/// A documented difference as the page lists it.
pub(super) struct CatalogueRow {
    /// Its name; the anchor is made of it.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: &'static str,
    pub(super) advice: String,
    pub(super) source: String,
    /// Why no scenario can show it.
    pub(super) unseen: Option<String>,
    /// What the mock calls it.
    pub(super) quirks: Vec<String>,
    /// The targets on which it showed.
    pub(super) shown_on: Vec<String>,
    /// Where it had to show and did not.
    pub(super) missed: Vec<String>,
}

/// The whole catalogue, the worst first; of a run with another one, what that run saw.
pub(super) fn rows(outcome: &Outcome) -> Vec<CatalogueRow> {
    let seen = |id: &str| outcome.documented.iter().find(|found| found.id == id);
    let built_in = Catalogue::parse(BUILT_IN).unwrap_or_default();
    let mut entries: Vec<_> = built_in.entries().iter().collect();
    entries.sort_by_key(|entry| (std::cmp::Reverse(entry.severity), entry.id.clone()));
    let mut rows: Vec<CatalogueRow> = entries
        .into_iter()
        .map(|entry| CatalogueRow {
            id: entry.id.clone(),
            title: entry.title.clone(),
            severity: entry.severity.name(),
            advice: entry.advice.trim().to_owned(),
            source: source(&entry.source, entry.confidence),
            unseen: entry.unseen.clone(),
            quirks: entry.quirks.clone(),
            shown_on: seen(&entry.id).map_or_else(Vec::new, |found| found.shown_on.clone()),
            missed: seen(&entry.id)
                .map_or_else(Vec::new, |found| found.expected_but_absent.clone()),
        })
        .collect();
    let others = outcome.documented.iter();
    rows.extend(
        others
            .filter(|found| built_in.entry(&found.id).is_none())
            .map(other),
    );
    rows
}

fn other(found: &DocumentedOutcome) -> CatalogueRow {
    CatalogueRow {
        id: found.id.clone(),
        title: found.title.clone(),
        severity: found.severity.name(),
        advice: found.advice.trim().to_owned(),
        source: source(&found.source, found.confidence),
        unseen: None,
        quirks: Vec::new(),
        shown_on: found.shown_on.clone(),
        missed: found.expected_but_absent.clone(),
    }
}

fn source(source: &str, confidence: Confidence) -> String {
    format!("{} ({})", source.trim(), confidence.name())
}
