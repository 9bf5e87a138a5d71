//! `swapcheck differences`: the catalogue of documented differences.

use std::fmt::Write;

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};

use super::{Failure, output};
use crate::compare::{BUILT_IN, Catalogue};
use crate::exit::Exit;

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
    let _ = writeln!(text, "\n{}", entry.advice.trim());
    Ok(text)
}

fn all(catalogue: &Catalogue, markdown: bool) -> String {
    let mut table = Table::new();
    table.load_style(if markdown {
        presets::ASCII_MARKDOWN
    } else {
        presets::UTF8_HORIZONTAL_ONLY
    });
    if markdown {
        table.set_content_arrangement(ContentArrangement::Disabled);
    } else {
        let width = u16::try_from(output::width()).unwrap_or(u16::MAX);
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table.set_header(["id", "what differs", "severity", "what to change", "source"]);
    let mut entries: Vec<_> = catalogue.entries().iter().collect();
    entries.sort_by_key(|entry| (std::cmp::Reverse(entry.severity), entry.id.clone()));
    for entry in entries {
        let source = format!("{} ({})", entry.source, entry.confidence.name());
        let row = [
            entry.id.as_str(),
            entry.title.as_str(),
            entry.severity.name(),
            entry.advice.trim(),
            source.as_str(),
        ];
        let escape = |cell: &str| {
            let line = cell.split_whitespace().collect::<Vec<_>>().join(" ");
            if markdown {
                line.replace('|', "\\|")
            } else {
                line
            }
        };
        table.add_row(row.map(escape));
    }
    format!("{table}\n")
}
