//! Charts as inline SVG. Colours are left to the page: class `t0`, `t1` … per target.
//!
//! Charts are as wide as a telephone, so that their text has about the size it is written in
//! everywhere.

use std::fmt::Write;

use super::statistic::Ratio;
use super::terminal::{human, times};

/// A curve of one target.
pub(super) struct Curve {
    /// The number of its colour.
    pub(super) color: usize,
    /// Its name.
    pub(super) label: String,
    /// Whether it is drawn with a broken line.
    pub(super) broken: bool,
    /// Its points, by x.
    pub(super) points: Vec<(f64, f64)>,
}

/// What an axis runs over.
pub(super) struct Axis<'a> {
    /// What it shows, and in which unit.
    pub(super) title: &'a str,
    /// Whether equal distances are equal factors.
    pub(super) log: bool,
    /// Where to put marks, and what to write there.
    pub(super) ticks: Vec<(f64, String)>,
}

const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 28.0;
const BOTTOM: f64 = 44.0;
/// The height of a line of text.
const LINE: f64 = 16.0;
/// How wide a character of the charts' text is, about.
const CHARACTER: f64 = 6.1;

/// Curves over two axes; the one of y is latency, logarithmic, in microseconds.
pub(super) fn curves(title: &str, x: &Axis<'_>, curves: &[Curve]) -> String {
    let points = || {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .filter(|(_, y)| *y > 0.0)
    };
    let Some(span_x) = Span::of(points().map(|(x, _)| *x), x.log) else {
        return String::new();
    };
    let Some(span_y) = Span::of(points().map(|(_, y)| *y), true).map(Span::rounded) else {
        return String::new();
    };
    let (names, top) = legend(curves);
    let height = HEIGHT + top;
    let (low, high) = (height - BOTTOM, top + 22.0);
    let to_x = |value: f64| LEFT + span_x.share(value) * (WIDTH - LEFT - RIGHT);
    let to_y = |value: f64| low - span_y.share(value) * (low - high);
    let mut svg = open(title, height) + &names;
    let _ = write!(
        svg,
        r#"<text class="tick" x="4" y="{:.1}">latency, log scale</text>"#,
        top + 11.0
    );
    for tick in span_y.marks() {
        let y = to_y(tick);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{LEFT}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}"/><text class="tick end" x="{:.1}" y="{:.1}">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            short(tick)
        );
    }
    let mut free = 0.0;
    for (value, label) in x.ticks.iter().filter(|(value, _)| span_x.holds(*value)) {
        let at = to_x(*value);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{at:.1}" y1="{high:.1}" x2="{at:.1}" y2="{low:.1}"/>"#
        );
        // A label that would run into its neighbour is left out.
        let half = label.chars().count() as f64 * CHARACTER / 2.0;
        if at - half >= free {
            let _ = write!(
                svg,
                r#"<text class="tick mid" x="{at:.1}" y="{:.1}">{}</text>"#,
                low + 16.0,
                escape(label)
            );
            free = at + half + 4.0;
        }
    }
    let _ = write!(
        svg,
        r#"<text class="tick mid" x="{:.1}" y="{:.1}">{}</text>"#,
        (WIDTH - RIGHT + LEFT) / 2.0,
        height - 8.0,
        escape(x.title)
    );
    for curve in curves {
        let path: Vec<(f64, f64)> = curve
            .points
            .iter()
            .filter(|(_, y)| *y > 0.0)
            .map(|(x, y)| (to_x(*x), to_y(*y)))
            .collect();
        let line: Vec<String> = path.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(
            svg,
            r#"<g class="t{}"><title>{}</title><polyline{} points="{}"/>"#,
            curve.color,
            escape(&curve.label),
            dashes(curve),
            line.join(" ")
        );
        for (x, y) in path.iter().filter(|_| path.len() <= 12) {
            let _ = write!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3"/>"#);
        }
        svg.push_str("</g>");
    }
    svg + "</svg>"
}

fn dashes(curve: &Curve) -> &'static str {
    if curve.broken {
        r#" stroke-dasharray="5 4""#
    } else {
        ""
    }
}

/// The names of curves, and how high they are.
fn legend(curves: &[Curve]) -> (String, f64) {
    let mut svg = String::new();
    let (mut x, mut y) = (4.0, 0.0);
    for curve in curves {
        let width = 26.0 + curve.label.chars().count() as f64 * CHARACTER + 12.0;
        if x > 4.0 && x + width > WIDTH {
            (x, y) = (4.0, y + LINE);
        }
        let _ = write!(
            svg,
            r#"<g class="t{}"><polyline{} points="{x:.1},{m:.1} {:.1},{m:.1}"/></g><text class="label" x="{:.1}" y="{:.1}">{}</text>"#,
            curve.color,
            dashes(curve),
            x + 20.0,
            x + 26.0,
            y + 11.0,
            escape(&curve.label),
            m = y + 7.0,
        );
        x += width;
    }
    (svg, y + LINE)
}

/// A bar of a ratio with its interval; the line at 1 is where both are alike.
pub(super) struct RatioBar {
    /// The number of its colour.
    pub(super) color: usize,
    /// What was compared.
    pub(super) label: String,
    /// The ratio, and its interval.
    pub(super) ratio: Ratio,
    /// Whether it is inconclusive.
    pub(super) faint: bool,
}

/// Ratio bars, one below the other, on a logarithmic scale.
pub(super) fn ratios(title: &str, bars: &[RatioBar]) -> String {
    // An interval without bounds to speak of would leave no room for the ratios.
    let ends = bars.iter().flat_map(|bar| {
        let Ratio { ratio, low, high } = bar.ratio;
        [low.max(ratio / 2.0), high.min(ratio * 2.0), 0.5, 2.0]
    });
    let Some(span) = Span::of(ends, true) else {
        return String::new();
    };
    const ROW: f64 = 34.0;
    const EDGE: f64 = 14.0;
    let top = LINE + 6.0;
    let height = top + ROW * bars.len() as f64 + LINE;
    let to_x = |value: f64| EDGE + span.share(value) * (WIDTH - 2.0 * EDGE);
    let one = to_x(1.0);
    let mut svg = open(title, height);
    let mut free = 0.0;
    for mark in span.marks() {
        let at = to_x(mark);
        let label = format!("×{mark}");
        let half = label.chars().count() as f64 * CHARACTER / 2.0;
        let class = if mark == 1.0 { "axis" } else { "grid" };
        let _ = write!(
            svg,
            r#"<line class="{class}" x1="{at:.1}" y1="{top:.1}" x2="{at:.1}" y2="{:.1}"/>"#,
            height - LINE
        );
        if at - half >= free {
            let _ = write!(
                svg,
                r#"<text class="tick mid" x="{at:.1}" y="12">{label}</text>"#
            );
            free = at + half + 6.0;
        }
    }
    for (index, bar) in bars.iter().enumerate() {
        let y = top + ROW * index as f64;
        let Ratio { ratio, low, high } = bar.ratio;
        let x = to_x(ratio);
        let figures = times(bar.ratio);
        let said = if bar.faint { "inconclusive" } else { &figures };
        let _ = write!(
            svg,
            r#"<text class="label" x="{EDGE}" y="{:.1}">{}</text><text class="tick end" x="{:.1}" y="{:.1}">{said}</text><g class="t{}"{}><title>{figures}</title><rect x="{:.1}" y="{:.1}" width="{:.1}" height="10" rx="2"/></g><line class="whisker" x1="{:.1}" y1="{m:.1}" x2="{:.1}" y2="{m:.1}"/>"#,
            y + 13.0,
            escape(&bar.label),
            WIDTH - EDGE,
            y + 13.0,
            bar.color,
            if bar.faint { r#" opacity=".3""# } else { "" },
            x.min(one),
            y + 18.0,
            (x - one).abs().max(1.0),
            to_x(low),
            to_x(high),
            m = y + 23.0,
        );
    }
    let _ = write!(
        svg,
        r#"<text class="tick mid" x="{:.1}" y="{:.1}">ratio, log scale: right of ×1 is slower</text>"#,
        WIDTH / 2.0,
        height - 3.0
    );
    svg + "</svg>"
}

/// Stages of one target, one after the other.
pub(super) struct Stack {
    /// What it is of.
    pub(super) label: String,
    /// The name and length of each part, in microseconds.
    pub(super) parts: Vec<(&'static str, f64)>,
}

/// Stacked bars on one linear scale from nought; classes `s0`, `s1` … per part.
pub(super) fn stacks(title: &str, stacks: &[Stack]) -> String {
    let total = |stack: &Stack| stack.parts.iter().map(|(_, length)| length).sum::<f64>();
    let most = stacks.iter().map(total).fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    const ROW: f64 = 40.0;
    const EDGE: f64 = 14.0;
    let height = ROW * stacks.len() as f64 + 36.0;
    let low = height - 34.0;
    let room = WIDTH - 2.0 * EDGE - 8.0;
    let mut svg = open(title, height);
    let step = round_step(most / 4.0);
    let mut at = 0.0;
    while at <= most {
        let x = EDGE + at / most * room;
        let label = if at == 0.0 { "0".to_owned() } else { short(at) };
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" y1="0" x2="{x:.1}" y2="{low:.1}"/><text class="tick mid" x="{x:.1}" y="{:.1}">{label}</text>"#,
            low + 14.0
        );
        at += step;
    }
    for (index, stack) in stacks.iter().enumerate() {
        let y = ROW * index as f64;
        let mut x = EDGE;
        let _ = write!(
            svg,
            r#"<text class="label" x="{EDGE}" y="{:.1}">{}</text><text class="tick end" x="{:.1}" y="{:.1}">{}</text>"#,
            y + 13.0,
            escape(&stack.label),
            WIDTH - EDGE,
            y + 13.0,
            human(total(stack))
        );
        for (number, (name, length)) in stack.parts.iter().enumerate() {
            let width = length / most * room;
            let _ = write!(
                svg,
                r#"<rect class="s{number}" x="{x:.1}" y="{:.1}" width="{width:.1}" height="16"><title>{name}: {}</title></rect>"#,
                y + 18.0,
                human(*length)
            );
            x += width;
        }
    }
    let _ = write!(
        svg,
        r#"<text class="tick mid" x="{:.1}" y="{:.1}">medians of the stages, added up</text>"#,
        WIDTH / 2.0,
        height - 3.0
    );
    svg + "</svg>"
}

/// The next of 1, 2, 5, 10 … that is no less.
fn round_step(least: f64) -> f64 {
    let decade = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|one| one * decade);
    steps
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap_or(10.0 * decade)
}

fn open(title: &str, height: f64) -> String {
    format!(
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#,
        escape(title)
    )
}

/// Microseconds of a round number: `20 µs`, `5 ms`.
fn short(micros: f64) -> String {
    match micros {
        _ if micros >= 1e6 => format!("{} s", micros / 1e6),
        _ if micros >= 1e3 => format!("{} ms", micros / 1e3),
        _ => format!("{micros} µs"),
    }
}

/// What an axis spans; logarithms to base ten where it is logarithmic.
struct Span {
    least: f64,
    most: f64,
    log: bool,
}

impl Span {
    fn of(values: impl Iterator<Item = f64>, log: bool) -> Option<Span> {
        let scaled = values
            .filter(|value| value.is_finite() && (!log || *value > 0.0))
            .map(|value| if log { value.log10() } else { value });
        let (least, most) = scaled.fold((f64::MAX, f64::MIN), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        (least <= most).then(|| Span {
            least,
            most: most.max(least + 1e-9),
            log,
        })
    }

    /// From one of 1, 2, 5, 10 … to another, so that marks are at the ends.
    fn rounded(self) -> Span {
        let down = |value: f64| {
            let (whole, rest) = (value.floor(), value - value.floor());
            let steps = [5f64, 2.0, 1.0].map(f64::log10);
            whole
                + steps
                    .into_iter()
                    .find(|step| *step <= rest + 1e-9)
                    .unwrap_or(0.0)
        };
        let least = down(self.least);
        Span {
            least,
            most: (-down(-self.most)).max(least + 0.3),
            log: self.log,
        }
        .grown()
    }

    /// The upper end moved up to the next of 1, 2, 5, 10 ….
    fn grown(self) -> Span {
        let (whole, rest) = (self.most.floor(), self.most - self.most.floor());
        let steps = [1f64, 2.0, 5.0, 10.0].map(f64::log10);
        let up = steps.into_iter().find(|step| *step >= rest - 1e-6);
        Span {
            most: whole + up.unwrap_or(1.0),
            ..self
        }
    }

    /// Whether a value lies within; one that does not has no place on the axis.
    fn holds(&self, value: f64) -> bool {
        let value = if self.log { value.log10() } else { value };
        (self.least - 1e-6..=self.most + 1e-6).contains(&value)
    }

    fn share(&self, value: f64) -> f64 {
        let value = if self.log {
            value.max(1e-12).log10()
        } else {
            value
        };
        ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0)
    }

    /// Round values within a logarithmic span: the decades and, where these are few, 2 and 5.
    fn marks(&self) -> Vec<f64> {
        let between: &[f64] = if self.most - self.least > 3.2 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let decades = self.least.floor() as i32..=self.most.ceil() as i32;
        decades
            .flat_map(|power| between.iter().map(move |one| (one, power)))
            .map(|(one, power)| match power {
                // Powers of a tenth are not exact: 0.2 has to read so.
                ..0 => one / 10f64.powi(-power),
                _ => one * 10f64.powi(power),
            })
            .filter(|mark| (self.least - 1e-6..=self.most + 1e-6).contains(&mark.log10()))
            .collect()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers_from_end_to_end() {
        let span = Span::of([13.0, 420.0].into_iter(), true).map(Span::rounded);
        let marks = span.expect("two values").marks();
        assert_eq!(marks, [10.0, 20.0, 50.0, 100.0, 200.0, 500.0]);
        let ratios = Span::of([0.15, 2.2].into_iter(), true).expect("two values");
        assert_eq!(ratios.marks(), [0.2, 0.5, 1.0, 2.0]);
        let wide = Span::of([1.0, 2e5].into_iter(), true).map(Span::rounded);
        assert_eq!(wide.expect("two values").marks().len(), 6);
        assert_eq!([round_step(0.3), round_step(30.0)], [0.5, 50.0]);
    }

    #[test]
    fn a_chart_names_its_axes_and_its_curves() {
        let axis = Axis {
            title: "percentile",
            log: false,
            ticks: vec![
                (0.0, "0".into()),
                (1.0, "90".into()),
                (2.0, "beyond".into()),
            ],
        };
        let curve = Curve {
            color: 1,
            label: "a & b".into(),
            broken: true,
            points: vec![(0.0, 10.0), (1.0, 300.0)],
        };
        let svg = curves("title", &axis, &[curve]);
        for part in [
            "latency, log scale",
            "percentile",
            ">a &amp; b<",
            "200 µs",
            "dasharray",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!svg.contains("beyond"), "no value is there: {svg}");
        assert_eq!(curves("nothing", &axis, &[]), "");
    }
}
