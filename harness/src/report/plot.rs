//! Latency plots as inline SVG: a bar from p50 to p99 for each target, on a logarithmic scale.

use std::fmt::Write;

use crate::latency::{Summary, human};

const WIDTH: f64 = 720.0;
const LABEL: f64 = 170.0;
const ROW: f64 = 22.0;
const TOP: f64 = 24.0;

/// One row of a plot.
pub(super) struct Row<'a> {
    /// What was measured: an area, a command.
    pub(super) label: &'a str,
    /// The figures of each target, in the order of their colours.
    pub(super) figures: Vec<Option<Summary>>,
}

/// A plot of all rows on one scale. Colours are left to the page: class `t0`, `t1` … per target.
pub(super) fn plot(title: &str, targets: &[&str], rows: &[Row<'_>]) -> String {
    let all = || rows.iter().flat_map(|row| row.figures.iter().flatten());
    let (Some(least), Some(most)) = (
        all().map(|one| one.p50_us.max(1)).min(),
        all().map(|one| one.p99_us.max(1)).max(),
    ) else {
        return String::new();
    };
    let scale = Scale::new(least, most);
    let height = TOP + rows.len() as f64 * (ROW + targets.len() as f64 * 9.0) + 8.0;
    let mut svg = format!(
        r#"<svg class="plot" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#,
        escape(title)
    );
    for tick in scale.ticks() {
        let x = scale.x(tick);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{height}"/><text class="tick" x="{x:.1}" y="14">{}</text>"#,
            round(tick)
        );
    }
    let mut y = TOP + 6.0;
    for row in rows {
        let middle = y + targets.len() as f64 * 9.0 / 2.0 + 4.0;
        let _ = write!(
            svg,
            r#"<text class="label" x="{}" y="{middle:.1}">{}</text>"#,
            LABEL - 12.0,
            escape(row.label)
        );
        for (index, (figures, target)) in row.figures.iter().zip(targets).enumerate() {
            if let Some(figures) = figures {
                bar(&mut svg, &scale, index, target, row.label, figures, y);
            }
            y += 9.0;
        }
        y += ROW - 4.0;
    }
    svg.push_str("</svg>");
    svg
}

/// A power of ten, without the decimals that other figures have.
fn round(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{} s", micros / 1_000_000),
    }
}

fn bar(
    svg: &mut String,
    scale: &Scale,
    index: usize,
    target: &str,
    label: &str,
    figures: &Summary,
    y: f64,
) {
    let (from, middle, to) = (
        scale.x(figures.p50_us),
        scale.x(figures.p90_us),
        scale.x(figures.p99_us),
    );
    let _ = write!(
        svg,
        r#"<g class="t{index}"><title>{} · {}: p50 {}, p90 {}, p99 {}</title><rect x="{from:.1}" y="{:.1}" width="{:.1}" height="4" rx="2" opacity=".45"/><circle cx="{from:.1}" cy="{:.1}" r="4"/><rect x="{:.1}" y="{:.1}" width="2" height="8"/></g>"#,
        escape(target),
        escape(label),
        human(figures.p50_us),
        human(figures.p90_us),
        human(figures.p99_us),
        y + 1.0,
        (to - from).max(2.0),
        y + 3.0,
        middle - 1.0,
        y - 1.0,
    );
}

/// Microseconds to the plot's width, logarithmically: a LAN and another continent fit on one scale.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    fn new(least: u64, most: u64) -> Self {
        let least = (least as f64).log10().floor();
        let most = (most as f64).log10().ceil().max(least + 1.0);
        Scale { least, most }
    }

    fn x(&self, micros: u64) -> f64 {
        let share = ((micros.max(1) as f64).log10() - self.least) / (self.most - self.least);
        LABEL + share.clamp(0.0, 1.0) * (WIDTH - LABEL - 40.0)
    }

    fn ticks(&self) -> impl Iterator<Item = u64> {
        (self.least as u32..=self.most as u32).map(|power| 10_u64.pow(power))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
