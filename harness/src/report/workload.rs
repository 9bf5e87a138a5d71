//! What workloads came to, as text, as Markdown, and as a section of the page with timelines.

use std::fmt::Write;

use scenarios::history::{Ended, Operation, print};

use super::view::counted;
use crate::compare::Verdict;
use crate::run::{WorkloadResult, WorkloadsOutcome};

/// Width of a timeline, and the height of a client's lane in it.
const WIDTH: f64 = 860.0;
const LANE: f64 = 44.0;
/// Where lanes begin, beside the clients' names.
const LEFT: f64 = 40.0;

/// In a word, what a workload came to on a target.
fn word(result: &WorkloadResult) -> &'static str {
    match result.verdict {
        Verdict::Matched => "held",
        Verdict::Documented => "violated, as documented",
        Verdict::Differed if result.is_accepted() => "violated, accepted by the baseline",
        Verdict::Differed => "VIOLATED",
        Verdict::Unsupported => "unsupported",
        Verdict::NotEvaluable if is_undecided(result) => "not decided",
        Verdict::NotEvaluable => "not evaluable",
    }
}

/// Whether the search for an order was given up.
fn is_undecided(result: &WorkloadResult) -> bool {
    let reason = result.reason.as_deref().unwrap_or_default();
    reason.starts_with("not decided")
}

/// What a cell of a table says of it.
fn cell(result: &WorkloadResult) -> String {
    match result.operations {
        0 => word(result).to_owned(),
        _ if result.unknown > 0 => format!(
            "{} ({}, {} of unknown outcome)",
            word(result),
            counted(result.operations, "operation"),
            result.unknown
        ),
        count => format!("{} ({})", word(result), counted(count, "operation")),
    }
}

/// What was run, in a sentence without a full stop.
pub(super) fn scale(workloads: &WorkloadsOutcome) -> String {
    format!(
        "{} of {} each, up to {} operations in {:.1} s, seed {}; all took {:.1} s",
        counted(workloads.workloads.len(), "workload"),
        counted(workloads.clients, "client"),
        workloads.operations,
        workloads.limit_ms as f64 / 1000.0,
        workloads.seed,
        workloads.duration_ms as f64 / 1000.0,
    )
}

/// Notes and reasons, each once, with where it applies.
fn remarks(workloads: &WorkloadsOutcome) -> Vec<String> {
    let mut remarks: Vec<(String, Vec<&str>)> = Vec::new();
    for workload in &workloads.workloads {
        for result in &workload.results {
            for text in result.notes.iter().chain(&result.reason) {
                let text = format!("{}: {text}", result.target);
                match remarks.iter_mut().find(|(known, _)| *known == text) {
                    Some((_, ids)) => ids.push(&workload.id),
                    None => remarks.push((text, vec![&workload.id])),
                }
            }
        }
    }
    remarks
        .into_iter()
        .map(|(text, ids)| format!("{text} ({})", ids.join(", ")))
        .collect()
}

/// Lines for a terminal: a line for each workload, remarks, then every violation with its slice.
pub(super) fn lines(workloads: &WorkloadsOutcome) -> Vec<String> {
    let mut lines = vec![format!("  {}", scale(workloads))];
    let width = workloads.workloads.iter().map(|one| one.id.len()).max();
    let width = width.unwrap_or(0);
    for workload in &workloads.workloads {
        let cells: Vec<String> = workload
            .results
            .iter()
            .map(|result| format!("{} {}", result.target, cell(result)))
            .collect();
        lines.push(format!("  {:<width$}  {}", workload.id, cells.join(" · ")));
    }
    lines.extend(remarks(workloads).iter().map(|text| format!("  {text}")));
    for workload in &workloads.workloads {
        for result in &workload.results {
            let Some(violation) = &result.violation else {
                continue;
            };
            lines.push(String::new());
            lines.push(format!(
                "  {} on {}: {}",
                word(result),
                result.target,
                workload.title
            ));
            lines.push(format!("     {}", violation.what));
            lines.extend(violation.text.lines().map(|line| format!("       {line}")));
            lines.push(format!("     again: {}", violation.again));
        }
    }
    lines
}

/// The section of a Markdown report.
pub(super) fn markdown(text: &mut String, workloads: &WorkloadsOutcome) {
    let _ = writeln!(
        text,
        "### Workloads: many clients at once\n\n{}.\n",
        scale(workloads)
    );
    let targets: Vec<&str> = match workloads.workloads.first() {
        Some(first) => first
            .results
            .iter()
            .map(|one| one.target.as_str())
            .collect(),
        None => Vec::new(),
    };
    let _ = writeln!(text, "| workload | {} |", targets.join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(targets.len()));
    for workload in &workloads.workloads {
        let cells: Vec<String> = workload.results.iter().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", workload.id, cells.join(" | "));
    }
    text.push('\n');
    for remark in remarks(workloads) {
        let _ = writeln!(text, "- {}", remark.replace('<', "&lt;"));
    }
    for workload in &workloads.workloads {
        for result in &workload.results {
            let Some(violation) = &result.violation else {
                continue;
            };
            let _ = writeln!(
                text,
                "\n<details open><summary><b>{}</b> on {}: {}</summary>\n\n{}\n\n{}:\n\n````text\n{}\n````\n\nAgain: `{}`\n\n</details>",
                word(result),
                result.target,
                escape(&workload.title),
                workload.prose,
                violation.what,
                violation.text,
                violation.again,
            );
        }
    }
    text.push('\n');
}

/// The section of the page.
pub(super) fn html(workloads: &WorkloadsOutcome) -> String {
    let mut html = format!(
        "<h2 id=\"workloads\">Workloads: many clients at once</h2>\n<p class=\"soft\">{}.</p>\n",
        escape(&scale(workloads))
    );
    html.push_str("<div class=\"card scroll\"><table>\n");
    for workload in &workloads.workloads {
        let _ = write!(
            html,
            "<tr><td><b>{}</b><br><span class=\"soft small\">{}</span></td>",
            escape(&workload.title),
            escape(&workload.id)
        );
        for result in &workload.results {
            let class = match result.verdict {
                Verdict::Matched => "matched",
                Verdict::Documented => "documented",
                Verdict::Differed if result.is_accepted() => "accepted",
                Verdict::Differed => "differed",
                Verdict::Unsupported => "unsupported",
                Verdict::NotEvaluable => "not-evaluable",
            };
            let _ = write!(
                html,
                "<td>{} <span class=\"pill {class}\">{}</span></td>",
                escape(&result.target),
                escape(&cell(result))
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div>\n");
    for remark in remarks(workloads) {
        let _ = writeln!(html, "<p class=\"soft small\">{}</p>", escape(&remark));
    }
    for workload in &workloads.workloads {
        for result in &workload.results {
            let Some(violation) = &result.violation else {
                continue;
            };
            let _ = writeln!(
                html,
                "<details class=\"unexpected-exhibit\" open><summary><span class=\"title\">{}: {}</span>\
                 </summary>\n<p>{}</p>\n<p><b>{}.</b></p>\n{}\n<pre>{}</pre>\n\
                 <p class=\"soft small\">Again: <code>{}</code></p></details>",
                escape(&result.target),
                escape(&workload.title),
                escape(&workload.prose),
                escape(&violation.what),
                timeline(&violation.slice),
                escape(&violation.text),
                escape(&violation.again),
            );
        }
    }
    html
}

/// Operations as bars over time, a lane for each client.
pub(super) fn timeline(slice: &[Operation]) -> String {
    let mut clients: Vec<usize> = slice.iter().map(|one| one.client).collect();
    clients.sort_unstable();
    clients.dedup();
    let from = slice.iter().map(|one| one.invoked_us).min().unwrap_or(0);
    let until = slice.iter().map(|one| one.ended_us).max().unwrap_or(0);
    let span = (until.saturating_sub(from)).max(1) as f64;
    let x = |us: u64| LEFT + us.saturating_sub(from) as f64 / span * (WIDTH - LEFT - 10.0);
    let height = LANE * clients.len() as f64 + 24.0;
    let mut svg = format!(
        "<svg role=\"img\" aria-label=\"Timeline of {}\" viewBox=\"0 0 {WIDTH} {height}\" \
         style=\"width:100%;max-width:{WIDTH}px;font:12px sans-serif\">",
        counted(slice.len(), "operation")
    );
    for (lane, client) in clients.iter().enumerate() {
        let top = LANE * lane as f64;
        let middle = top + LANE / 2.0;
        let _ = write!(
            svg,
            "<text x=\"4\" y=\"{:.0}\" fill=\"currentColor\">c{client}</text>\
             <line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{middle:.0}\" y2=\"{middle:.0}\" \
             stroke=\"currentColor\" stroke-opacity=\".15\"/>",
            middle + 4.0
        );
        for operation in slice.iter().filter(|one| one.client == *client) {
            let start = x(operation.invoked_us);
            let end = match operation.ended {
                Ended::Unknown(_) => WIDTH,
                _ => x(operation.ended_us),
            };
            let color = match operation.ended {
                Ended::Returned(_) => "#3b82f6",
                Ended::Failed(_) => "#9ca3af",
                Ended::Unknown(_) => "#f59e0b",
            };
            let label = format!(
                "{} {}",
                print::invocation(operation),
                print::result(operation)
            );
            // A label that begins far to the right ends where its bar does.
            let (anchor, at) = match start > WIDTH * 0.6 {
                true => ("end", end.min(WIDTH - 4.0)),
                false => ("start", start),
            };
            let _ = write!(
                svg,
                "<g><title>{0}</title><rect x=\"{start:.1}\" y=\"{1:.0}\" width=\"{2:.1}\" \
                 height=\"10\" rx=\"3\" fill=\"{color}\"/><text x=\"{at:.1}\" y=\"{3:.0}\" \
                 text-anchor=\"{anchor}\" fill=\"currentColor\">{0}</text></g>",
                escape(&label),
                middle - 5.0,
                (end - start).max(3.0),
                middle - 9.0,
            );
        }
    }
    let _ = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"{0:.0}\" fill=\"currentColor\" fill-opacity=\".6\">0 ms</text>\
         <text x=\"{WIDTH}\" y=\"{0:.0}\" text-anchor=\"end\" fill=\"currentColor\" \
         fill-opacity=\".6\">{1:.1} ms</text></svg>",
        height - 8.0,
        span / 1000.0
    );
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
