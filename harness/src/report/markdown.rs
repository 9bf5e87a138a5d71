//! The report for pull requests and job summaries: the answer first, then tables, then the single
//! differences, folded.

use std::fmt::Write;

use super::view::{Class, Exhibit, counted, duration, exhibits, thousands};
use crate::cost::dollars;
use crate::latency::human;
use crate::run::{ChecklistState, Outcome, Readiness, Role, Tally, TargetOutcome};

/// How many differences are spelled out; comments on pull requests have a size limit.
const EXHIBITS_SHOWN: usize = 40;

/// The outcome as Markdown, as GitHub and GitLab show it.
pub fn markdown(outcome: &Outcome) -> String {
    let mut text = String::new();
    let sign = match outcome.readiness {
        Readiness::Ready => "✅",
        Readiness::ReadyWithChanges => "🟡",
        Readiness::NotReady => "❌",
    };
    let _ = writeln!(text, "## {sign} swapcheck: {}\n", outcome.readiness.name());
    let steps: usize = outcome.areas.iter().map(|area| area.steps).sum();
    let _ = writeln!(
        text,
        "{}. {} ({}) in {}.\n",
        escape(&outcome.conclusion),
        counted(outcome.scenarios.len(), "scenario"),
        counted(steps, "step"),
        duration(outcome.run.duration_ms),
    );
    targets(&mut text, outcome);
    areas(&mut text, outcome);
    differences(&mut text, outcome);
    if let Some(workloads) = &outcome.workloads {
        super::workload::markdown(&mut text, workloads);
    }
    checklist(&mut text, outcome);
    text
}

fn targets(text: &mut String, outcome: &Outcome) {
    text.push_str(
        "| target | part | server | p50 | p90 | p99 | billable commands | pay as you go |\n",
    );
    text.push_str("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n");
    for target in &outcome.targets {
        let role = match target.role {
            Role::Reference => "reference",
            Role::Subject => "compared",
            Role::Absent => "not here",
        };
        let server = target.server.as_deref().unwrap_or(&target.description);
        let figure = |of: fn(&crate::latency::Summary) -> u64| {
            target
                .latency
                .all
                .as_ref()
                .map_or_else(|| "–".into(), |latency| human(of(latency)))
        };
        let usd: f64 = target.billed.prices.iter().map(|price| price.usd).sum();
        let _ = writeln!(
            text,
            "| {} | {role} | {} | {} | {} | {} | {} | {} |",
            escape(&target.name),
            escape(server),
            figure(|latency| latency.p50_us),
            figure(|latency| latency.p90_us),
            figure(|latency| latency.p99_us),
            thousands(target.billed.billed.commands),
            dollars(usd),
        );
    }
    text.push('\n');
}

fn areas(text: &mut String, outcome: &Outcome) {
    let present: Vec<&TargetOutcome> = outcome
        .targets
        .iter()
        .filter(|target| target.role != Role::Absent)
        .collect();
    text.push_str("| area | scenarios |");
    for target in &present {
        let _ = write!(text, " {} |", escape(&target.name));
    }
    text.push_str("\n| --- | ---: |");
    text.push_str(&" --- |".repeat(present.len()));
    text.push('\n');
    for area in &outcome.areas {
        let _ = write!(text, "| {} | {} |", escape(&area.name), area.scenarios);
        for tally in &area.tallies {
            let _ = write!(text, " {} |", words(tally));
        }
        text.push('\n');
    }
    text.push('\n');
}

fn words(tally: &Tally) -> String {
    let parts = [
        (tally.matched, "matched", ""),
        (tally.documented, "documented", ""),
        (tally.differed, "differed", "**"),
        (tally.accepted, "accepted", ""),
        (tally.unsupported, "unsupported", ""),
        (tally.not_evaluable, "not evaluable", ""),
    ];
    let shown: Vec<String> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, word, mark)| format!("{mark}{count} {word}{mark}"))
        .collect();
    shown.join(", ")
}

fn differences(text: &mut String, outcome: &Outcome) {
    let exhibits = exhibits(outcome);
    for (class, heading) in [
        (Class::Unexpected, "Unexpected differences"),
        (Class::Documented, "Documented differences"),
        (Class::Accepted, "Accepted by the baseline"),
    ] {
        let of_class: Vec<&Exhibit> = exhibits
            .iter()
            .filter(|exhibit| exhibit.class == class)
            .collect();
        if of_class.is_empty() {
            continue;
        }
        let _ = writeln!(text, "### {heading} ({})\n", of_class.len());
        for exhibit in of_class.iter().take(EXHIBITS_SHOWN) {
            folded(text, exhibit);
        }
        if of_class.len() > EXHIBITS_SHOWN {
            let _ = writeln!(
                text,
                "… and {} more, in the other reports.\n",
                of_class.len() - EXHIBITS_SHOWN
            );
        }
    }
    if let Some(baseline) = outcome
        .baseline
        .as_ref()
        .filter(|baseline| !baseline.gone.is_empty())
    {
        let _ = writeln!(text, "### Accepted, and gone ({})\n", baseline.gone.len());
        for id in &baseline.gone {
            let _ = writeln!(text, "- `{id}`");
        }
        let _ = writeln!(
            text,
            "\nWrite the baseline anew with `--write-baseline {}`.\n",
            baseline.file
        );
    }
}

fn folded(text: &mut String, exhibit: &Exhibit) {
    let _ = writeln!(
        text,
        "<details><summary><b>{}</b> · {} · {}</summary>\n",
        exhibit.severity,
        escape(&exhibit.title),
        escape(&exhibit.targets.join(", ")),
    );
    let _ = writeln!(text, "`{}` ({})\n", exhibit.scenario, exhibit.place);
    if !exhibit.prose.is_empty() {
        let _ = writeln!(text, "{}\n", exhibit.prose);
    }
    // A fence longer than any in what it holds.
    let _ = writeln!(text, "````text\n{}", exhibit.sent);
    for shown in &exhibit.answers {
        let mark = if shown.differs { "≠" } else { " " };
        let _ = writeln!(
            text,
            "{mark} {}: {}",
            shown.who,
            shown.text.replace('\n', "\n    ")
        );
    }
    text.push_str("````\n\n");
    let _ = writeln!(text, "{}: {}.\n", escape(&exhibit.what), exhibit.blame);
    if let Some(advice) = &exhibit.advice {
        let _ = writeln!(text, "**What to change:** {advice}\n");
    }
    if let Some(source) = &exhibit.source {
        let _ = writeln!(text, "Source: {}\n", escape(source));
    }
    if !exhibit.also.is_empty() {
        let _ = writeln!(
            text,
            "Shows in {} more: {}\n",
            counted(exhibit.also.len(), "place"),
            exhibit.also.join(", ")
        );
    }
    text.push_str("</details>\n\n");
}

fn checklist(text: &mut String, outcome: &Outcome) {
    text.push_str("### Checklist of the switch\n\n");
    for item in &outcome.checklist {
        let (mark, extra) = match item.state {
            ChecklistState::Yes => ("x", ""),
            ChecklistState::WithChanges => ("x", " (with changes)"),
            ChecklistState::No => (" ", ""),
            ChecklistState::NotRun => (" ", " (not shown)"),
        };
        let _ = writeln!(
            text,
            "- [{mark}] {}{extra}: {}",
            item.title,
            escape(&item.note)
        );
    }
}

/// What would otherwise be read as markup in a table or a summary line.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('|', "\\|")
}
