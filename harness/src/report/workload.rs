//! What workloads came to, as text, as Markdown, and as a section of the page with timelines.

use std::fmt::Write;

use super::timeline::timeline;
use super::view::counted;
use crate::compare::Verdict;
use crate::run::{WorkloadResult, WorkloadsOutcome};

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

/// How much was seen; nothing when nothing was.
fn seen(result: &WorkloadResult) -> String {
    match (result.operations, result.unknown) {
        (0, _) => String::new(),
        (count, 0) => counted(count, "operation"),
        (count, unknown) => format!(
            "{}, {unknown} of unknown outcome",
            counted(count, "operation")
        ),
    }
}

/// What a cell of a table says of it.
fn cell(result: &WorkloadResult) -> String {
    match seen(result) {
        seen if seen.is_empty() => word(result).to_owned(),
        seen => format!("{} ({seen})", word(result)),
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
            lines.push(format!("     {}:", violation.what));
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
    html.push_str("<div class=\"card scroll\"><table>\n<tr><th></th>");
    for result in workloads
        .workloads
        .iter()
        .take(1)
        .flat_map(|one| &one.results)
    {
        let _ = write!(html, "<th>{}</th>", escape(&result.target));
    }
    html.push_str("</tr>\n");
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
                Verdict::Differed if result.is_accepted() => "documented",
                Verdict::Differed => "differed",
                Verdict::Unsupported => "unsupported",
                Verdict::NotEvaluable => "not-evaluable",
            };
            let _ = write!(
                html,
                "<td><span class=\"pill {class}\">{}</span><br><span class=\"soft small wide\">{}</span></td>",
                escape(word(result)),
                escape(&seen(result))
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
                "<details class=\"unexpected-exhibit\" open><summary><span class=\"pill {}\">{}</span>\
                 <span class=\"title\">{}</span><span class=\"soft small\">{}</span></summary>\n\
                 <div class=\"body\"><p>{}</p>\n<p><b>{}.</b></p>\n{}\n<pre>{}</pre>\n\
                 <p class=\"soft small\">Again: <code>{}</code></p></div></details>",
                match result.is_unexpected() {
                    true => "differed",
                    false => "documented",
                },
                escape(word(result)),
                escape(&workload.title),
                escape(&result.target),
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

/// Text as it may stand in a page.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
