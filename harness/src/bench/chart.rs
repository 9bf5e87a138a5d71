//! Charts as inline SVG. Colours are left to the page: class `t0`, `t1` … per target.

use std::fmt::Write;

/// A curve of one target.
pub(super) struct Curve {
    /// The number of its colour.
    pub(super) color: usize,
    /// Its name.
    pub(super) label: String,
    /// Its points, by x.
    pub(super) points: Vec<(f64, f64)>,
}

/// What an axis runs over.
pub(super) struct Axis<'a> {
    /// What it shows.
    pub(super) title: &'a str,
    /// Whether equal distances are equal factors.
    pub(super) log: bool,
    /// Where to put marks, and what to write there; empty for marks of its own.
    pub(super) ticks: Vec<(f64, String)>,
}

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;

/// Curves over two axes; the one of y is logarithmic, and in microseconds.
pub(super) fn curves(title: &str, x: &Axis<'_>, curves: &[Curve]) -> String {
    let points = || {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .filter(|(_, y)| *y > 0.0)
    };
    let Some(span_x) = Span::of(points().map(|(x, _)| *x), x.log, false) else {
        return String::new();
    };
    let Some(span_y) = Span::of(points().map(|(_, y)| *y), true, true) else {
        return String::new();
    };
    let to_x = |value: f64| LEFT + span_x.share(value) * (WIDTH - LEFT - RIGHT);
    let to_y = |value: f64| HEIGHT - BOTTOM - span_y.share(value) * (HEIGHT - TOP - BOTTOM);
    let mut svg = open(title, HEIGHT);
    for tick in span_y.decades() {
        let y = to_y(tick);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{LEFT}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}"/><text class="tick end" x="{:.1}" y="{:.1}">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            micros(tick)
        );
    }
    for (value, label) in &x.ticks {
        let at = to_x(*value);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{at:.1}" y1="{TOP}" x2="{at:.1}" y2="{:.1}"/><text class="tick mid" x="{at:.1}" y="{:.1}">{}</text>"#,
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 16.0,
            escape(label)
        );
    }
    let _ = write!(
        svg,
        r#"<text class="tick mid" x="{:.1}" y="{:.1}">{}</text>"#,
        (WIDTH + LEFT) / 2.0,
        HEIGHT - 8.0,
        escape(x.title)
    );
    for curve in curves {
        let path: Vec<String> = curve
            .points
            .iter()
            .filter(|(_, y)| *y > 0.0)
            .map(|(x, y)| format!("{:.1},{:.1}", to_x(*x), to_y(*y)))
            .collect();
        let _ = write!(
            svg,
            r#"<g class="t{}"><title>{}</title><polyline points="{}"/>"#,
            curve.color,
            escape(&curve.label),
            path.join(" ")
        );
        for point in path.iter().filter(|_| path.len() <= 12) {
            let (x, y) = point.split_once(',').unwrap_or_default();
            let _ = write!(svg, r#"<circle cx="{x}" cy="{y}" r="3"/>"#);
        }
        svg.push_str("</g>");
    }
    svg + "</svg>"
}

/// A bar of a ratio with its interval; the line at 1 is where both are alike.
pub(super) struct RatioBar {
    /// The number of its colour.
    pub(super) color: usize,
    /// What was compared.
    pub(super) label: String,
    /// The ratio, and its interval.
    pub(super) ratio: (f64, f64, f64),
    /// Whether it is inconclusive.
    pub(super) faint: bool,
}

/// Ratio bars, one below the other, on a logarithmic scale.
pub(super) fn ratios(title: &str, bars: &[RatioBar]) -> String {
    let ends = bars.iter().flat_map(|bar| [bar.ratio.1, bar.ratio.2, 1.0]);
    let Some(span) = Span::of(ends, true, false) else {
        return String::new();
    };
    const LABEL: f64 = 176.0;
    const ROW: f64 = 20.0;
    let height = TOP + 16.0 + ROW * bars.len() as f64;
    let to_x = |value: f64| LABEL + span.share(value) * (WIDTH - LABEL - 60.0);
    let one = to_x(1.0);
    let mut svg = open(title, height);
    let _ = write!(
        svg,
        r#"<line class="axis" x1="{one:.1}" y1="{TOP}" x2="{one:.1}" y2="{height}"/><text class="tick mid" x="{one:.1}" y="11">×1</text>"#
    );
    for (index, bar) in bars.iter().enumerate() {
        let y = TOP + 8.0 + ROW * index as f64;
        let (ratio, low, high) = bar.ratio;
        let x = to_x(ratio);
        let _ = write!(
            svg,
            r#"<text class="label end" x="{:.1}" y="{:.1}">{}</text><g class="t{}"{}><rect x="{:.1}" y="{y:.1}" width="{:.1}" height="10" rx="2"/></g><line class="whisker" x1="{:.1}" y1="{m:.1}" x2="{:.1}" y2="{m:.1}"/><text class="tick" x="{:.1}" y="{:.1}">×{ratio:.2}</text>"#,
            LABEL - 8.0,
            y + 9.0,
            escape(&bar.label),
            bar.color,
            if bar.faint { r#" opacity=".35""# } else { "" },
            x.min(one),
            (x - one).abs().max(1.0),
            to_x(low),
            to_x(high),
            to_x(high).max(one) + 6.0,
            y + 9.0,
            m = y + 5.0,
        );
    }
    svg + "</svg>"
}

/// Stages of one target, one after the other.
pub(super) struct Stack {
    /// What it is of.
    pub(super) label: String,
    /// The name and length of each part, in microseconds.
    pub(super) parts: Vec<(&'static str, f64)>,
}

/// Stacked bars on one linear scale; classes `s0`, `s1` … per part.
pub(super) fn stacks(title: &str, stacks: &[Stack]) -> String {
    let total = |stack: &Stack| stack.parts.iter().map(|(_, length)| length).sum::<f64>();
    let most = stacks.iter().map(total).fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    const LABEL: f64 = 110.0;
    const ROW: f64 = 26.0;
    let mut svg = open(title, TOP + ROW * stacks.len() as f64);
    for (index, stack) in stacks.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        let mut x = LABEL;
        let _ = write!(
            svg,
            r#"<text class="label end" x="{:.1}" y="{:.1}">{}</text>"#,
            LABEL - 8.0,
            y + 12.0,
            escape(&stack.label)
        );
        for (number, (name, length)) in stack.parts.iter().enumerate() {
            let width = length / most * (WIDTH - LABEL - 70.0);
            let _ = write!(
                svg,
                r#"<rect class="s{number}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="16"><title>{name}: {}</title></rect>"#,
                micros(*length)
            );
            x += width;
        }
        let _ = write!(
            svg,
            r#"<text class="tick" x="{:.1}" y="{:.1}">{}</text>"#,
            x + 6.0,
            y + 12.0,
            micros(total(stack))
        );
    }
    svg + "</svg>"
}

fn open(title: &str, height: f64) -> String {
    format!(
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#,
        escape(title)
    )
}

fn micros(value: f64) -> String {
    super::terminal::human(value)
}

/// What an axis spans.
struct Span {
    least: f64,
    most: f64,
    log: bool,
}

impl Span {
    fn of(values: impl Iterator<Item = f64>, log: bool, whole: bool) -> Option<Span> {
        let scaled = values
            .filter(|value| value.is_finite() && (!log || *value > 0.0))
            .map(|value| if log { value.log10() } else { value });
        let (mut least, mut most) = scaled.fold((f64::MAX, f64::MIN), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        if least > most {
            return None;
        }
        if whole {
            (least, most) = (least.floor(), most.ceil());
        }
        Some(Span {
            least,
            most: most.max(least + 1e-9),
            log,
        })
    }

    fn share(&self, value: f64) -> f64 {
        let value = if self.log {
            value.max(1e-12).log10()
        } else {
            value
        };
        ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.least as i32..=self.most as i32).map(|power| 10f64.powi(power))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
