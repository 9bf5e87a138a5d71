//! `swapcheck list`: areas, scenarios and workloads with their ids.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use super::workload::selected;
use super::{Failure, output};
use crate::exit::Exit;
use crate::suite::{Selection, SuiteError, load};

/// What to list.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only this area; may be given several times
    #[arg(long, value_name = "AREA")]
    area: Vec<String>,
    /// Only scenarios whose id matches this glob; may be given several times
    #[arg(long, value_name = "GLOB")]
    filter: Vec<String>,
    /// Documents, or folders of documents, of your own in place of the suite
    documents: Vec<PathBuf>,
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let selection = Selection {
        areas: args.area.clone(),
        filters: args.filter.clone(),
        documents: args.documents.clone(),
    };
    let workloads = selected(&selection);
    let scenarios = match load(&selection) {
        Err(SuiteError::NothingSelected) if !workloads.is_empty() => Vec::new(),
        loaded => loaded?,
    };
    let mut text = String::new();
    let mut area = "";
    for planned in &scenarios {
        let scenario = &planned.scenario;
        if scenario.area != area {
            if !area.is_empty() {
                text.push('\n');
            }
            area = &scenario.area;
            let count = scenarios
                .iter()
                .filter(|other| other.scenario.area == area)
                .count();
            let _ = writeln!(text, "{area} ({count})");
        }
        let _ = writeln!(text, "  {}", scenario.id);
    }
    if !workloads.is_empty() {
        let _ = writeln!(
            text,
            "\nworkloads: many clients at once ({})",
            workloads.len()
        );
        for workload in &workloads {
            let _ = writeln!(text, "  {}", workload.id);
        }
    }
    output::print(&text);
    Ok(Exit::Success)
}
