//! `swapcheck differences`: the catalogue of documented differences.

use std::fmt::Write;

use clap::Args;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

use super::{Failure, output};
use crate::compare::{BUILT_IN, Catalogue, Entry, Severity};
use crate::exit::Exit;

/// Longer lines are not read well.
const WIDEST: u16 = 120;

/// What to print of the catalogue.
#[derive(Debug, Args)]
pub(super) struct DifferencesArgs {
    /// Everything about one of them
    id: Option<String>,
    /// As a Markdown table
    #[arg(long, conflicts_with = "id")]
    markdown: bool,
}

pub(super) fn differences(args: &DifferencesArgs) -> Result<Exit, Failure> {
    let catalogue = Catalogue::parse(BUILT_IN)?;
    let text = match &args.id {
        Some(id) => one(&catalogue, id)?,
        None => all(&catalogue, args.markdown),
    };
    output::print(&text);
    Ok(Exit::Success)
}

fn one(catalogue: &Catalogue, id: &str) -> Result<String, Failure> {
    let entry = catalogue.entry(id).ok_or_else(|| {
        Failure::mistake(format!(
            "there is no documented difference '{id}'; `swapcheck differences` shows all of them"
        ))
    })?;
    let mut text = String::new();
    let _ = writeln!(text, "{}\n", entry.title);
    let _ = writeln!(text, "id          {}", entry.id);
    let _ = writeln!(text, "severity    {}", entry.severity);
    let _ = writeln!(text, "source      {}", entry.source);
    let _ = writeln!(text, "confidence  {}", entry.confidence.name());
    for scenario in &entry.shows_in {
        let _ = writeln!(text, "shows in    {scenario}");
    }
    if let Some(why) = &entry.unseen {
        let _ = writeln!(text, "not shown   {}", why.trim());
    }
    for quirk in &entry.quirks {
        let _ = writeln!(text, "in the mock mock-upstash --quirk {quirk}=off");
    }
    let _ = writeln!(
        text,
        "\n{}",
        wrapped(&entry.advice, output::width().min(usize::from(WIDEST)))
    );
    Ok(text)
}

fn all(catalogue: &Catalogue, markdown: bool) -> String {
    let mut entries: Vec<_> = catalogue.entries().iter().collect();
    entries.sort_by_key(|entry| (std::cmp::Reverse(entry.severity), entry.id.clone()));
    match markdown {
        true => for_documents(&entries),
        false => for_screens(&entries),
    }
}

/// A column for what is short, and one for what is read.
fn for_screens(entries: &[&Entry]) -> String {
    let mut table = Table::new();
    let width = u16::try_from(output::width()).unwrap_or(u16::MAX);
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.min(WIDEST))
        .set_header([
            "id, severity",
            "what differs, what to change, where that is from",
        ]);
    if let Some(column) = table.column_mut(0) {
        // Ids are not to be broken.
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for entry in entries {
        let first = format!("{}\n{}", entry.id, entry.severity);
        let second = format!(
            "{}\nWhat to change: {}\nSource: {} ({})",
            entry.title,
            one_line(&entry.advice),
            entry.source,
            entry.confidence.name()
        );
        table.add_row([first, second]);
    }
    let count = |severity: Severity| {
        let of_it = entries.iter().filter(|entry| entry.severity == severity);
        format!("{} {severity}", of_it.count())
    };
    let [breaking, degraded, cosmetic] =
        [Severity::Breaking, Severity::Degraded, Severity::Cosmetic].map(count);
    let mut text = format!("{table}\n\n");
    let note = format!(
        "{breaking} (code that relies on Redis's behaviour breaks), {degraded} (works, but slower, less \
         exact or in another order), {cosmetic} (visible to people, harmless to code). `swapcheck \
         differences ID` shows one with the scenarios that show it and its switch in the mock."
    );
    text.push_str(&wrapped(&note, usize::from(width.min(WIDEST))));
    text.push('\n');
    text
}

/// A table whose rows are lines.
fn for_documents(entries: &[&Entry]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["id", "what differs", "severity", "what to change", "source"]);
    for entry in entries {
        let source = format!("{} ({})", entry.source, entry.confidence.name());
        let row = [
            entry.id.as_str(),
            entry.title.as_str(),
            entry.severity.name(),
            entry.advice.as_str(),
            source.as_str(),
        ];
        table.add_row(row.map(|cell| one_line(cell).replace('|', "\\|")));
    }
    format!("{table}\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in lines of at most so many letters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if used > 0 && used + 1 + letters > width {
            lines.push('\n');
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += letters;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_listed_with_its_advice() {
        let catalogue = Catalogue::parse(BUILT_IN).expect("the repository's own catalogue");
        let (screen, document) = (all(&catalogue, false), all(&catalogue, true));
        assert!(
            screen
                .lines()
                .all(|line| line.chars().count() <= usize::from(WIDEST))
        );
        for entry in catalogue.entries() {
            assert!(screen.contains(&entry.id), "{}", entry.id);
            let advice = one_line(&entry.advice).replace('|', "\\|");
            assert!(document.contains(&advice), "{}", entry.id);
        }
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two  three", 7), "one two\nthree");
    }
}
