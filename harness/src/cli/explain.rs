//! `swapcheck explain ID`: one scenario with its prose and its transcript, as its document has it.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use scenarios::print;
use scenarios::workload::{Settings, Workload};

use super::workload::selected;
use super::{Failure, output};
use crate::exit::Exit;
use crate::run::Planned;
use crate::suite::{Selection, load};

/// What to explain.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The scenario's id, or the end of it, as `swapcheck list` shows it
    id: String,
    /// Documents, or folders of documents, of your own in place of the suite
    documents: Vec<PathBuf>,
}

pub(super) fn explain(args: &ExplainArgs) -> Result<Exit, Failure> {
    let selection = Selection {
        documents: args.documents.clone(),
        ..Selection::default()
    };
    let scenarios = load(&selection)?;
    let exact = scenarios
        .iter()
        .find(|planned| planned.scenario.id == args.id);
    let found: Vec<&Planned> = match exact {
        Some(planned) => vec![planned],
        None => scenarios
            .iter()
            .filter(|planned| planned.scenario.id.contains(&args.id))
            .collect(),
    };
    let workloads: Vec<Workload> = selected(&selection)
        .into_iter()
        .filter(|workload| match exact {
            Some(_) => false,
            None => workload.id.contains(&args.id),
        })
        .collect();
    let one = workloads.iter().find(|workload| workload.id == args.id);
    let one = one.or(match (workloads.as_slice(), found.is_empty()) {
        ([one], true) => Some(one),
        _ => None,
    });
    if let Some(workload) = one {
        output::print(&explained_workload(workload));
        return Ok(Exit::Success);
    }
    match found.as_slice() {
        [planned] => output::print(&explained(planned)),
        [] if workloads.is_empty() => {
            return Err(Failure::mistake(format!(
                "there is no scenario '{}'; `swapcheck list` shows all ids",
                args.id
            )));
        }
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|planned| planned.scenario.id.as_str())
                .chain(workloads.iter().map(|workload| workload.id))
                .map(|id| format!("\n  {id}"))
                .collect();
            return Err(Failure::mistake(format!(
                "'{}' is a part of {} ids; give one of them:{}",
                args.id,
                several.len() + workloads.len(),
                ids.concat()
            )));
        }
    }
    Ok(Exit::Success)
}

fn explained_workload(workload: &Workload) -> String {
    let Settings {
        clients,
        operations,
        duration,
        ..
    } = Settings::default();
    format!(
        "{}\n{}\nid    {}\nfrom  a workload: {clients} clients at once, up to {operations} operations \
         in {:.1} s\n\n{}\n",
        workload.title,
        "=".repeat(workload.title.chars().count()),
        workload.id,
        duration.as_secs_f64(),
        workload.prose
    )
}

fn explained(planned: &Planned) -> String {
    let scenario = &planned.scenario;
    let mut text = String::new();
    let _ = writeln!(text, "{}", scenario.title);
    let _ = writeln!(text, "{}", "=".repeat(scenario.title.chars().count()));
    let _ = writeln!(text, "id    {}", scenario.id);
    let _ = writeln!(
        text,
        "from  {}:{}\n",
        planned.document, scenario.location.line
    );
    if !scenario.prose.trim().is_empty() {
        let _ = writeln!(text, "{}\n", scenario.prose.trim());
    }
    for requirement in &scenario.requirements {
        let _ = writeln!(text, "    {requirement}");
    }
    for step in &scenario.steps {
        for requirement in step.requirements.iter() {
            let _ = writeln!(text, "    {requirement}");
        }
        let written = step.source.trim_end().lines().map(str::to_owned);
        let expected = step
            .expect
            .as_ref()
            .map(print::expectation)
            .unwrap_or_default();
        for line in written.chain(expected.lines().map(str::to_owned)) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}
