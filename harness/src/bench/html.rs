//! The figures as one page with charts, which carries everything with it.

use askama::Template;

use super::chart::{Axis, Curve, RatioBar, Stack, curves, ratios, stacks};
use super::outcome::{CaseOutcome, Measured, Outcome};
use super::overtake::{Overtake, overtakes};
use super::price::{CostRow, RATES, costs};
use super::terminal::{human, method, noise, verdict};
use crate::cost::dollars;

/// Colours there are for targets.
const COLORS: usize = 4;

#[derive(Template)]
#[template(path = "bench.html")]
struct Page<'a> {
    outcome: &'a Outcome,
    method: String,
    noise: String,
    generator: Vec<String>,
    headers: Vec<String>,
    rows: Vec<Row>,
    percentiles: Vec<Chart>,
    ratios: Vec<Chart>,
    distance: Vec<Chart>,
    batches: Vec<Chart>,
    cold: String,
    stages: [&'static str; 5],
    rates: Vec<f64>,
    costs: Vec<Cost>,
}

struct Row {
    case: String,
    cells: Vec<String>,
}

struct Chart {
    title: String,
    note: String,
    svg: String,
}

struct Cost {
    row: CostRow,
    million: String,
    region: String,
}

/// The outcome as a page.
///
/// # Errors
/// When the template cannot be filled in, which is a fault of swapcheck.
pub fn html(outcome: &Outcome) -> Result<String, askama::Error> {
    let mut headers = Vec::new();
    for (index, target) in outcome.targets.iter().enumerate() {
        headers.extend([
            format!("{} p50", target.name),
            "p99".into(),
            "p99.9".into(),
            "ops/s".into(),
        ]);
        if index > 0 {
            headers.push("p50 ratio (99 %)".into());
        }
    }
    let rates = outcome
        .settings
        .rate
        .map_or(RATES.to_vec(), |rate| vec![rate]);
    Page {
        outcome,
        method: method(outcome),
        noise: noise(outcome),
        generator: generator(outcome),
        headers,
        rows: outcome.cases.iter().map(row).collect(),
        percentiles: outcome.cases.iter().map(percentiles).collect(),
        ratios: ratio_charts(outcome),
        distance: distance(outcome),
        batches: overtakes(outcome)
            .iter()
            .map(|one| batch(outcome, one))
            .collect(),
        cold: cold(outcome),
        stages: STAGES,
        costs: costs(outcome, &rates)
            .into_iter()
            .map(|row| Cost {
                million: dollars(row.million_usd),
                region: dollars(row.million_region_usd),
                row,
            })
            .collect(),
        rates,
    }
    .render()
}

/// The generator's own figures, a line each.
pub(super) fn generator(outcome: &Outcome) -> Vec<String> {
    let line = |one: &super::outcome::Ceiling| {
        format!(
            "{}, {} client{}: {:.0}/s, p50 {}",
            one.protocol,
            one.clients,
            if one.clients == 1 { "" } else { "s" },
            one.per_second,
            human(one.p50_us)
        )
    };
    outcome.generator.iter().map(line).collect()
}

/// The name of a case with its distance.
pub(super) fn place(case: &CaseOutcome) -> String {
    match case.rtt_us {
        0 => case.id.clone(),
        rtt => format!("{} at {} ms", case.id, rtt as f64 / 1e3),
    }
}

fn row(case: &CaseOutcome) -> Row {
    let mut cells = Vec::new();
    for (index, one) in case.results.iter().enumerate() {
        match &one.figures {
            Some(figures) => cells.extend([
                human(figures.p50_us),
                human(figures.p99_us),
                human(figures.p999_us),
                format!("{:.0}", one.per_second),
            ]),
            None => cells.extend(["failed".into(), "".into(), "".into(), "".into()]),
        }
        if index > 0 {
            cells.push(
                case.comparisons
                    .get(index - 1)
                    .map_or_else(String::new, verdict),
            );
        }
    }
    Row {
        case: place(case),
        cells,
    }
}

const NINES: [(f64, &str); 5] = [
    (0.5, "50"),
    (0.9, "90"),
    (0.99, "99"),
    (0.999, "99.9"),
    (0.9999, "99.99"),
];

/// Where a percentile stands: each nine is as far from the next.
fn nines(share: f64) -> f64 {
    -(1.0 - share).log10()
}

fn percentiles(case: &CaseOutcome) -> Chart {
    let axis = Axis {
        title: "percentile",
        log: false,
        ticks: NINES
            .map(|(share, name)| (nines(share), name.to_owned()))
            .to_vec(),
    };
    let curve = |(index, one): (usize, &Measured)| Curve {
        color: index % COLORS,
        label: one.target.clone(),
        // Beyond as many nines as there are measurements is only the slowest of them.
        points: (0..=80)
            .map(|step| 1.0 - 10f64.powf(-f64::from(step) / 20.0))
            .filter(|share| (1.0 - share) * one.count as f64 >= 1.0)
            .map(|share| (nines(share), one.histogram.quantile_us(share)))
            .collect(),
    };
    let all: Vec<Curve> = case.results.iter().enumerate().map(curve).collect();
    let title = place(case);
    Chart {
        svg: curves(&format!("{title}: latency by percentile"), &axis, &all),
        note: case.title.clone(),
        title,
    }
}

fn ratio_charts(outcome: &Outcome) -> Vec<Chart> {
    let reference = outcome
        .targets
        .first()
        .map_or("", |target| target.name.as_str());
    outcome
        .targets
        .iter()
        .enumerate()
        .skip(1)
        .map(|(index, target)| {
            let bars: Vec<RatioBar> = outcome
                .cases
                .iter()
                .filter_map(|case| {
                    let comparison = case
                        .comparisons
                        .iter()
                        .find(|one| one.target == target.name)?;
                    let ratio = comparison.p50?;
                    Some(RatioBar {
                        color: index % COLORS,
                        label: place(case),
                        ratio: (ratio.ratio, ratio.low, ratio.high),
                        faint: comparison.inconclusive,
                    })
                })
                .collect();
            let title = format!("{} against {reference}", target.name);
            Chart {
                svg: ratios(&title, &bars),
                note: "Ratio of medians with its 99 % interval; faint where it is inconclusive."
                    .into(),
                title,
            }
        })
        .collect()
}

/// Curves over the distance, for every case measured at more than one.
fn distance(outcome: &Outcome) -> Vec<Chart> {
    let mut ids: Vec<&str> = Vec::new();
    for case in &outcome.cases {
        if !ids.contains(&case.id.as_str()) {
            ids.push(&case.id);
        }
    }
    let chart = |id: &str| {
        let cases: Vec<&CaseOutcome> = outcome.cases.iter().filter(|case| case.id == id).collect();
        let axis = Axis {
            title: "round trip",
            log: false,
            ticks: cases
                .iter()
                .map(|case| (case.rtt_us as f64, human(case.rtt_us as f64)))
                .collect(),
        };
        let curve = |(index, target): (usize, &super::outcome::TargetInfo)| Curve {
            color: index % COLORS,
            label: target.name.clone(),
            points: cases
                .iter()
                .filter_map(|case| {
                    Some((case.rtt_us as f64, case.results.get(index)?.figures?.p50_us))
                })
                .collect(),
        };
        let all: Vec<Curve> = outcome.targets.iter().enumerate().map(curve).collect();
        Chart {
            title: id.to_owned(),
            note: cases
                .first()
                .map_or_else(String::new, |case| case.title.clone()),
            svg: curves(&format!("{id}: median over the distance"), &axis, &all),
        }
    };
    let several = |id: &&str| outcome.cases.iter().filter(|case| case.id == **id).count() > 1;
    ids.into_iter().filter(several).map(chart).collect()
}

/// What a break-even says, in a sentence.
pub(super) fn sentence(one: &Overtake) -> String {
    let at = match one.rtt_us {
        0 => String::new(),
        rtt => format!(" at {} ms", rtt as f64 / 1e3),
    };
    match one.batch {
        Some(1) => format!(
            "{} is no slower than {} without a batch{at}",
            one.rest, one.tcp
        ),
        Some(batch) => format!(
            "a pipeline of {batch} commands on {} is as quick as {batch} single commands on {}{at}",
            one.rest, one.tcp
        ),
        None => format!(
            "no pipeline on {} is as quick as single commands on {}{at}",
            one.rest, one.tcp
        ),
    }
}

fn batch(outcome: &Outcome, one: &Overtake) -> Chart {
    let axis = Axis {
        title: "commands",
        log: true,
        ticks: one
            .batches
            .iter()
            .map(|(batch, _)| (*batch as f64, batch.to_string()))
            .collect(),
    };
    let color = |name: &str| {
        let at = outcome
            .targets
            .iter()
            .position(|target| target.name == name);
        at.unwrap_or_default() % COLORS
    };
    let all = [
        Curve {
            color: color(&one.tcp),
            label: format!("{}, one by one", one.tcp),
            points: one
                .batches
                .iter()
                .map(|(batch, _)| (*batch as f64, one.single_us * *batch as f64))
                .collect(),
        },
        Curve {
            color: color(&one.rest),
            label: format!("{}, in a pipeline", one.rest),
            points: one
                .batches
                .iter()
                .map(|(batch, us)| (*batch as f64, *us))
                .collect(),
        },
    ];
    let title = format!("{} in pipelines, {} one by one", one.rest, one.tcp);
    Chart {
        svg: curves(&title, &axis, &all),
        note: sentence(one),
        title,
    }
}

const STAGES: [&str; 5] = ["DNS", "connect", "TLS", "greeting", "first byte"];

fn cold(outcome: &Outcome) -> String {
    let mut all = Vec::new();
    for case in outcome.cases.iter().filter(|case| case.id == "cold-start") {
        for one in &case.results {
            let Some(stages) = &one.stages else { continue };
            let each = [
                &stages.dns,
                &stages.connect,
                &stages.tls,
                &stages.greeting,
                &stages.first_byte,
            ];
            let medians = each.map(|stage| stage.figures().map_or(0.0, |figures| figures.p50_us));
            all.push(Stack {
                label: match case.rtt_us {
                    0 => one.target.clone(),
                    rtt => format!("{}, {} ms", one.target, rtt as f64 / 1e3),
                },
                parts: STAGES.into_iter().zip(medians).collect(),
            });
        }
    }
    stacks("stages of a cold start, medians", &all)
}
