//! A slice of history as a picture: a lane for each client, in it a bar for each operation.

use std::fmt::Write;

use scenarios::history::{Ended, Operation, print};

use super::view::counted;
use super::workload::escape;

/// The picture's width, and where lanes begin, beside the clients' names.
const WIDTH: f64 = 680.0;
const LEFT: f64 = 36.0;
/// What a character of a label takes at most, and a row of labels.
const CHARACTER: f64 = 6.3;
const ROW: f64 = 15.0;
/// A bar, and the space below it.
const BAR: f64 = 10.0;
const GAP: f64 = 12.0;

/// A label above a bar, in a row where it covers no other.
struct Label {
    x: f64,
    row: usize,
    text: String,
}

/// Operations as bars over time. It is as wide as its place, never so narrow that it cannot be read.
pub(super) fn timeline(slice: &[Operation]) -> String {
    let mut clients: Vec<usize> = slice.iter().map(|one| one.client).collect();
    clients.sort_unstable();
    clients.dedup();
    let from = slice.iter().map(|one| one.invoked_us).min().unwrap_or(0);
    let until = slice.iter().map(|one| one.ended_us).max().unwrap_or(0);
    let span = (until.saturating_sub(from)).max(1) as f64;
    let x = |us: u64| LEFT + us.saturating_sub(from) as f64 / span * (WIDTH - LEFT);
    let mut lanes = String::new();
    let mut top = 0.0;
    for client in clients {
        let own: Vec<&Operation> = slice.iter().filter(|one| one.client == client).collect();
        let labels = labels(&own, x);
        let rows = labels.iter().map(|label| label.row + 1).max().unwrap_or(0);
        let bar = top + rows as f64 * ROW + 4.0;
        let middle = bar + BAR / 2.0;
        let _ = write!(
            lanes,
            "<text x=\"2\" y=\"{:.0}\" fill=\"currentColor\">c{client}</text>\
             <line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{middle:.0}\" y2=\"{middle:.0}\" \
             stroke=\"currentColor\" stroke-opacity=\".15\"/>",
            middle + 4.0
        );
        for (operation, label) in own.iter().zip(labels) {
            let start = x(operation.invoked_us);
            let (end, color) = match operation.ended {
                Ended::Returned(_) => (x(operation.ended_us), "#3b82f6"),
                Ended::Failed(_) => (x(operation.ended_us), "#9ca3af"),
                // It may take effect at any time later.
                Ended::Unknown(_) => (WIDTH, "#f59e0b"),
            };
            // Bars that follow each other at once stay apart.
            let width = (end - start - 1.0).max(3.0);
            let _ = write!(
                lanes,
                "<g><title>{}</title><rect x=\"{start:.1}\" y=\"{bar:.0}\" width=\"{width:.1}\" \
                 height=\"{BAR}\" rx=\"3\" fill=\"{color}\"/><text x=\"{:.1}\" y=\"{:.0}\" \
                 fill=\"currentColor\">{}</text></g>",
                escape(&described(operation)),
                label.x,
                top + (label.row + 1) as f64 * ROW - 1.0,
                escape(&label.text),
            );
        }
        top = bar + BAR + GAP;
    }
    let height = top + 14.0;
    let span_ms = span / 1000.0;
    format!(
        "<div class=\"scroll\"><svg role=\"img\" aria-label=\"Timeline of {}\" \
         viewBox=\"0 0 {WIDTH} {height}\" \
         style=\"width:100%;min-width:540px;max-width:860px;display:block;font:12px sans-serif\">{lanes}\
         <text x=\"{LEFT}\" y=\"{1:.0}\" fill=\"currentColor\" fill-opacity=\".6\">0 ms</text>\
         <text x=\"{WIDTH}\" y=\"{1:.0}\" text-anchor=\"end\" fill=\"currentColor\" \
         fill-opacity=\".6\">{span_ms:.1} ms</text></svg></div>",
        counted(slice.len(), "operation"),
        height - 4.0,
    )
}

fn described(operation: &Operation) -> String {
    format!(
        "{} {}",
        print::invocation(operation),
        print::result(operation)
    )
}

/// The labels of a lane's operations, each in the first row that has room for it.
fn labels(operations: &[&Operation], x: impl Fn(u64) -> f64) -> Vec<Label> {
    let room = ((WIDTH - LEFT) / CHARACTER) as usize;
    let mut rows: Vec<f64> = Vec::new();
    let mut labels: Vec<Label> = operations
        .iter()
        .map(|operation| {
            let text = shortened(&described(operation), room);
            let width = text.chars().count() as f64 * CHARACTER;
            // What would go over the edge is moved back.
            let x = x(operation.invoked_us).min(WIDTH - width).max(LEFT);
            let row = rows.iter().position(|until| *until < x);
            let row = row.unwrap_or(rows.len());
            if row == rows.len() {
                rows.push(0.0);
            }
            rows[row] = x + width + CHARACTER;
            Label { x, row, text }
        })
        .collect();
    // The first row is the one next to the bars.
    for label in &mut labels {
        label.row = rows.len() - 1 - label.row;
    }
    labels
}

fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect(),
        false => text.to_owned(),
    }
}
