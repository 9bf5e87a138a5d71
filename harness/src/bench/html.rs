//! The figures as one page with charts, which carries everything with it.

use askama::Template;

use super::chart::{Axis, Curve, RatioBar, Stack, curves, ratios, stacks};
use super::histogram::tail;
use super::operation::Group;
use super::outcome::{CaseOutcome, Comparison, Measured, Outcome};
use super::overtake::{Overtake, overtakes};
use super::price::{CostRow, PLANS, PlanCost, RateCost};
use super::terminal::{
    bytes, generator, method, noise, place, sentence, stages, verdict, verdict_p99,
};
use super::worker::Stages;
use crate::cost::dollars;

/// Colours there are for targets.
const COLORS: usize = 4;

#[derive(Template)]
#[template(path = "bench.html")]
struct Page<'a> {
    outcome: &'a Outcome,
    begun: String,
    method: String,
    noise: String,
    generator: Vec<String>,
    headers: [&'static str; 12],
    rows: Vec<Row>,
    percentiles: Vec<Chart>,
    ratios: Vec<Chart>,
    distance: Vec<Chart>,
    batches: Vec<Chart>,
    cold: String,
    stages: [&'static str; 6],
    rates: &'a [f64],
    costs: Vec<Cost<'a>>,
    plan_names: [&'static str; 9],
    plans: Vec<PlanTable>,
}

struct Row {
    /// The case and how many rows it has, at the first of them.
    case: Option<(String, usize)>,
    target: String,
    color: usize,
    cells: Vec<String>,
}

struct Chart {
    title: String,
    note: String,
    svg: String,
}

struct Cost<'a> {
    row: &'a CostRow,
    million: String,
    region: String,
    plans: Vec<String>,
}

/// What a million operations cost on each plan, at a rate: cases and their prices.
struct PlanTable {
    rate: f64,
    rows: Vec<(String, Vec<String>)>,
}

const HEADERS: [&str; 12] = [
    "operations",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "p99.99",
    "max",
    "ops/s",
    "errors",
    "timeouts",
    "p50 ratio (99 %)",
    "p99 ratio (99 %)",
];

/// The outcome as a page.
///
/// # Errors
/// When the template cannot be filled in, which is a fault of swapcheck.
pub fn html(outcome: &Outcome) -> Result<String, askama::Error> {
    Page {
        begun: outcome
            .started_at
            .get(..16)
            .unwrap_or_default()
            .replace('T', " "),
        outcome,
        method: method(outcome),
        noise: noise(outcome),
        generator: generator(outcome),
        headers: HEADERS,
        rows: outcome.cases.iter().flat_map(rows).collect(),
        percentiles: outcome.cases.iter().map(percentiles).collect(),
        ratios: ratio_charts(outcome),
        distance: distance(outcome),
        batches: overtakes(outcome)
            .iter()
            .map(|one| batch(outcome, one))
            .collect(),
        cold: cold(outcome),
        stages: Stages::NAMES,
        rates: &outcome.cost_rates,
        costs: outcome.costs.iter().map(cost).collect(),
        plan_names: PLANS.map(|plan| plan.name),
        plans: plans(outcome),
    }
    .render()
}

fn rows(case: &CaseOutcome) -> Vec<Row> {
    let row = |(index, one): (usize, &Measured)| {
        let against = |verdict: fn(&Comparison) -> String| match index {
            0 => "reference".to_owned(),
            _ => case
                .comparisons
                .get(index - 1)
                .map_or_else(String::new, verdict),
        };
        let mut cells = vec![one.count.to_string()];
        cells.extend(tail(one.figures.as_ref()));
        cells.push(format!("{:.0}", one.per_second));
        cells.push(one.errors.to_string());
        cells.push(one.timeouts.to_string());
        cells.push(against(verdict));
        cells.push(if index == 0 {
            String::new()
        } else {
            against(verdict_p99)
        });
        Row {
            case: (index == 0).then(|| (place(case), case.results.len())),
            target: one.target.clone(),
            color: index % COLORS,
            cells,
        }
    };
    case.results.iter().enumerate().map(row).collect()
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
    let curve = |color: usize, label: String, broken: bool, one: &Measured| Curve {
        color,
        label,
        broken,
        // Beyond as many nines as there are measurements is only the slowest of them.
        points: (0..=80)
            .map(|step| 1.0 - 10f64.powf(-f64::from(step) / 20.0))
            .filter(|share| (1.0 - share) * one.count as f64 >= 1.0)
            .map(|share| (nines(share), one.histogram.quantile_us(share)))
            .collect(),
    };
    let results = case.results.iter().enumerate();
    let mut all: Vec<Curve> = results
        .map(|(index, one)| curve(index % COLORS, one.target.clone(), false, one))
        .collect();
    // What the reference shows against itself: curves no further apart than these are alike.
    if let Some(again) = &case.again {
        all.insert(1, curve(0, format!("{} again", again.target), true, again));
    }
    let title = place(case);
    Chart {
        svg: curves(&format!("{title}: latency by percentile"), &axis, &all),
        note: case.title.clone(),
        title,
    }
}

const GROUPS: [(Group, &str); 4] = [
    (Group::Command, "single commands"),
    (Group::Operation, "operations"),
    (Group::Batch, "batches"),
    (Group::ColdStart, "cold start"),
];

fn ratio_charts(outcome: &Outcome) -> Vec<Chart> {
    let reference = outcome
        .targets
        .first()
        .map_or("", |target| target.name.as_str());
    let subjects = outcome.targets.iter().enumerate().skip(1);
    let mut charts = Vec::new();
    for (index, target) in subjects {
        for (group, name) in GROUPS {
            let bars: Vec<RatioBar> = outcome
                .cases
                .iter()
                .filter(|case| case.group == group)
                .filter_map(|case| {
                    let comparison = case
                        .comparisons
                        .iter()
                        .find(|one| one.target == target.name)?;
                    Some(RatioBar {
                        color: index % COLORS,
                        label: place(case),
                        ratio: comparison.p50?,
                        faint: comparison.inconclusive,
                    })
                })
                .collect();
            if bars.is_empty() {
                continue;
            }
            let title = format!("{} against {reference}, {name}", target.name);
            charts.push(Chart {
                svg: ratios(&title, &bars),
                note: "Ratio of medians with its 99 % interval; faint where it is inconclusive."
                    .into(),
                title,
            });
        }
    }
    charts
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
        let rtts = || cases.iter().map(|case| case.rtt_us);
        // From 1 to 80 ms the short ones would lie on each other.
        let log = rtts().min() > Some(0) && rtts().max() > rtts().min().map(|least| least * 8);
        let axis = Axis {
            title: if log {
                "round trip, log scale"
            } else {
                "round trip"
            },
            log,
            ticks: cases
                .iter()
                .map(|case| {
                    (
                        case.rtt_us as f64,
                        format!("{} ms", case.rtt_us as f64 / 1e3),
                    )
                })
                .collect(),
        };
        let curve = |(index, target): (usize, &super::outcome::TargetInfo)| Curve {
            color: index % COLORS,
            label: format!("{}, median", target.name),
            broken: false,
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

fn batch(outcome: &Outcome, one: &Overtake) -> Chart {
    let axis = Axis {
        title: "operations at once, log scale",
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
            broken: true,
            points: one
                .batches
                .iter()
                .map(|(batch, _)| (*batch as f64, one.single_us * *batch as f64))
                .collect(),
        },
        Curve {
            color: color(&one.rest),
            label: format!("{}, in a pipeline", one.rest),
            broken: false,
            points: one
                .batches
                .iter()
                .map(|(batch, us)| (*batch as f64, *us))
                .collect(),
        },
    ];
    let title = format!(
        "{} of {}: {} in pipelines, {} one by one{}",
        one.operation,
        bytes(one.size),
        one.rest,
        one.tcp,
        match one.rtt_us {
            0 => String::new(),
            rtt => format!(", {} ms away", rtt as f64 / 1e3),
        }
    );
    Chart {
        svg: curves(&title, &axis, &all),
        note: format!(
            "{}. One by one is reckoned from the median of one.",
            sentence(one)
        ),
        title,
    }
}

fn cost(row: &CostRow) -> Cost<'_> {
    Cost {
        million: dollars(row.million_usd),
        region: dollars(row.million_region_usd),
        plans: row.rates.iter().map(RateCost::words).collect(),
        row,
    }
}

/// What a million operations cost on each plan, a table for each rate.
fn plans(outcome: &Outcome) -> Vec<PlanTable> {
    let table = |(index, rate): (usize, &f64)| PlanTable {
        rate: *rate,
        rows: outcome
            .costs
            .iter()
            .map(|cost| {
                let at = cost.rates.get(index);
                let cells = at.map_or(Vec::new(), |at| {
                    let usd =
                        |plan: &PlanCost| plan.million_usd.map_or_else(|| "–".to_owned(), dollars);
                    at.plans.iter().map(usd).collect()
                });
                (cost.case.clone(), cells)
            })
            .collect(),
    };
    outcome.cost_rates.iter().enumerate().map(table).collect()
}

fn cold(outcome: &Outcome) -> String {
    let stack = |(label, medians): (String, [Option<f64>; 6])| Stack {
        label,
        parts: Stages::NAMES
            .into_iter()
            .zip(medians.map(Option::unwrap_or_default))
            .collect(),
    };
    let all: Vec<Stack> = stages(outcome).into_iter().map(stack).collect();
    stacks("stages of a fresh connection, medians", &all)
}
