//! The report as one page that carries everything with it: no other file, no network, and nothing
//! hidden from a reader without scripts.

mod catalogue;
mod figure;
mod matrix;

use askama::Template;

use self::catalogue::{CatalogueRow, rows};
use self::figure::{FigureRow, busiest, figures, names, plotted};
use self::matrix::{Group, groups};
use super::view::{Class, Exhibit, counted, duration, exhibits, thousands};
use crate::cost::dollars;
use crate::run::{ChecklistState, Outcome, REPORT_VERSION, Readiness, Role, Tally, TargetOutcome};

/// Colours there are for targets.
const COLORS: usize = 4;

/// The outcome as a page.
///
/// # Errors
/// When the template cannot be filled in, which is a fault of swapcheck.
pub fn html(outcome: &Outcome) -> Result<String, askama::Error> {
    page(outcome).render()
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    readiness: &'static str,
    readiness_class: &'static str,
    conclusion: &'a str,
    scale: String,
    started: String,
    seed: u64,
    interrupted: bool,
    held_against: String,
    targets: Vec<TargetView<'a>>,
    present: Vec<&'a str>,
    areas: Vec<AreaView<'a>>,
    sections: Vec<Section>,
    absent: Vec<Missed<'a>>,
    catalogue: Vec<CatalogueRow>,
    gone: &'a [String],
    checklist: Vec<CheckView<'a>>,
    measured: Vec<TargetView<'a>>,
    area_plot: String,
    command_plot: String,
    commands_plotted: usize,
    figures: Vec<FigureRow<'a>>,
    costs: Vec<CostRow<'a>>,
    groups: Vec<Group<'a>>,
    /// Markup, its texts escaped.
    workloads: Option<String>,
    version: &'a str,
    report_version: u32,
    run_id: &'a str,
}

#[derive(Clone)]
struct TargetView<'a> {
    name: &'a str,
    color: String,
    role: String,
    readiness_class: &'static str,
    server: Option<&'a str>,
    description: &'a str,
    notes: &'a [String],
}

struct Part {
    class: &'static str,
    text: String,
}

struct AreaView<'a> {
    name: &'a str,
    scenarios: String,
    steps: String,
    cells: Vec<Vec<Part>>,
    sum: bool,
}

struct Section {
    class: &'static str,
    title: &'static str,
    gloss: &'static str,
    open: bool,
    exhibits: Vec<Exhibit>,
}

/// A documented difference that had to show and did not.
struct Missed<'a> {
    id: &'a str,
    place: &'a str,
}

struct CheckView<'a> {
    class: &'static str,
    mark: &'static str,
    word: &'static str,
    title: &'a str,
    note: &'a str,
}

struct CostRow<'a> {
    name: &'a str,
    commands: String,
    in_all: String,
    writes: String,
    estimated: String,
    payg: String,
    region: String,
    free: String,
}

/// What the template asks of a text besides escaping it.
#[expect(
    unreachable_pub,
    reason = "the macro makes a public function of a filter"
)]
mod filters {
    /// Markdown prose as HTML: code marks and emphasis, everything else as it is.
    #[askama::filter_fn]
    pub(crate) fn prose(
        text: impl std::fmt::Display,
        _: &dyn askama::Values,
    ) -> askama::Result<askama::filters::Safe<String>> {
        Ok(askama::filters::Safe(super::prose(&text.to_string())))
    }
}

/// Markdown prose as HTML, raw HTML in it escaped.
fn prose(markdown: &str) -> String {
    let escaped = markdown
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut html = String::with_capacity(escaped.len());
    for (index, paragraph) in escaped.split("\n\n").enumerate() {
        if index > 0 {
            html.push_str("<br><br>");
        }
        // Between an odd and an even backtick is code; a last odd one stands for itself.
        let parts: Vec<&str> = paragraph.split('`').collect();
        for (index, part) in parts.iter().enumerate() {
            let code = index % 2 == 1 && index + 1 < parts.len();
            match (index, code) {
                (_, true) => html.push_str(&format!("<code>{part}</code>")),
                (index, false) if index % 2 == 1 => html.push_str(&format!("`{part}")),
                _ => html.push_str(part),
            }
        }
    }
    html
}

fn page(outcome: &Outcome) -> Page<'_> {
    let targets: Vec<TargetView<'_>> = outcome
        .targets
        .iter()
        .enumerate()
        .map(|(index, target)| view(index, target))
        .collect();
    let is_measured = |name: &str| {
        outcome
            .targets
            .iter()
            .any(|target| target.name == name && target.latency.all.is_some())
    };
    let steps: usize = outcome.areas.iter().map(|area| area.steps).sum();
    let commands = busiest(outcome);
    Page {
        readiness: outcome.readiness.name(),
        readiness_class: readiness_class(outcome.readiness),
        conclusion: &outcome.conclusion,
        scale: format!(
            "{} with {} in {}",
            counted(outcome.scenarios.len(), "scenario"),
            counted(steps, "step"),
            duration(outcome.run.duration_ms)
        ),
        started: outcome
            .run
            .started_at
            .replace('T', " ")
            .replace('Z', " UTC"),
        seed: outcome.run.seed,
        interrupted: outcome.run.interrupted,
        held_against: match &outcome.run.reference {
            Some(reference) => {
                format!("All got the same commands; replies are held against those of {reference}.")
            }
            None => {
                "There was no reference: replies are held against what the documents expect.".into()
            }
        },
        measured: targets
            .iter()
            .filter(|target| is_measured(target.name))
            .cloned()
            .collect(),
        present: present(outcome)
            .map(|target| target.name.as_str())
            .collect(),
        areas: areas(outcome),
        sections: sections(outcome),
        absent: outcome
            .documented
            .iter()
            .flat_map(|found| {
                found.expected_but_absent.iter().map(move |place| Missed {
                    id: &found.id,
                    place,
                })
            })
            .collect(),
        catalogue: rows(outcome),
        gone: outcome
            .baseline
            .as_ref()
            .map_or(&[], |baseline| baseline.gone.as_slice()),
        checklist: checklist(outcome),
        area_plot: plotted(
            "Latency by area",
            outcome,
            &names(outcome, |one| &one.latency.areas),
            |one| &one.latency.areas,
        ),
        command_plot: plotted("Latency by command", outcome, &commands, |one| {
            &one.latency.commands
        }),
        commands_plotted: commands.len(),
        figures: figures(outcome),
        costs: present(outcome).map(cost).collect(),
        groups: groups(outcome),
        workloads: outcome.workloads.as_ref().map(super::workload::html),
        targets,
        version: outcome.swapcheck,
        report_version: REPORT_VERSION,
        run_id: &outcome.run.id,
    }
}

fn present(outcome: &Outcome) -> impl Iterator<Item = &TargetOutcome> {
    outcome
        .targets
        .iter()
        .filter(|target| target.role != Role::Absent)
}

fn measured(outcome: &Outcome) -> impl Iterator<Item = &TargetOutcome> {
    outcome
        .targets
        .iter()
        .filter(|target| target.latency.all.is_some())
}

fn readiness_class(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Ready => "ready",
        Readiness::ReadyWithChanges => "ready-with-changes",
        Readiness::NotReady => "not-ready",
    }
}

fn view(index: usize, target: &TargetOutcome) -> TargetView<'_> {
    TargetView {
        name: &target.name,
        color: if target.role == Role::Absent {
            String::new()
        } else {
            format!("t{}", index % COLORS)
        },
        role: match (target.role, target.readiness) {
            (Role::Reference, _) => "reference".into(),
            (Role::Absent, _) => "not here".into(),
            (Role::Subject, Some(readiness)) => readiness.name().into(),
            (Role::Subject, None) => "compared".into(),
        },
        readiness_class: target.readiness.map_or("", readiness_class),
        server: target.server.as_deref(),
        description: &target.description,
        notes: &target.notes,
    }
}

fn areas(outcome: &Outcome) -> Vec<AreaView<'_>> {
    let mut areas: Vec<AreaView<'_>> = outcome
        .areas
        .iter()
        .map(|area| AreaView {
            name: &area.name,
            scenarios: thousands(area.scenarios as u64),
            steps: thousands(area.steps as u64),
            cells: area.tallies.iter().map(parts).collect(),
            sum: false,
        })
        .collect();
    if areas.len() > 1 {
        let steps: usize = outcome.areas.iter().map(|area| area.steps).sum();
        areas.push(AreaView {
            name: "all",
            scenarios: thousands(outcome.scenarios.len() as u64),
            steps: thousands(steps as u64),
            cells: present(outcome)
                .map(|target| parts(&target.tally))
                .collect(),
            sum: true,
        });
    }
    areas
}

fn parts(tally: &Tally) -> Vec<Part> {
    [
        (tally.matched, "matched", "matched"),
        (tally.documented, "documented", "documented"),
        (tally.differed, "differed", "differed"),
        (tally.accepted, "", "accepted"),
        (tally.unsupported, "", "unsupported"),
        (tally.not_evaluable, "not-evaluable", "not evaluable"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, class, word)| Part {
        class,
        text: format!("{count} {word}"),
    })
    .collect()
}

fn sections(outcome: &Outcome) -> Vec<Section> {
    let all = exhibits(outcome);
    [
        (
            Class::Unexpected,
            "Unexpected differences",
            "Nobody documents these. Find out about each before you switch.",
            true,
        ),
        (
            Class::Documented,
            "Documented differences",
            "Upstash is known to behave this way. Check whether your application relies on Redis's way.",
            false,
        ),
        (Class::Accepted, "Accepted differences", "The baseline accepts these.", false),
    ]
    .into_iter()
    .map(|(class, title, gloss, open)| Section {
        class: class.name(),
        title,
        gloss,
        open,
        exhibits: all.iter().filter(|exhibit| exhibit.class == class).cloned().collect(),
    })
    .filter(|section| !section.exhibits.is_empty())
    .collect()
}

fn checklist(outcome: &Outcome) -> Vec<CheckView<'_>> {
    let view = |item: &'_ crate::run::ChecklistItem| match item.state {
        ChecklistState::Yes => ("yes", "✓", "yes"),
        ChecklistState::WithChanges => ("with-changes", "✓", "with changes"),
        ChecklistState::No => ("no", "✗", "no"),
        ChecklistState::NotRun => ("not-run", "?", "not shown"),
    };
    outcome
        .checklist
        .iter()
        .map(|item| {
            let (class, mark, word) = view(item);
            CheckView {
                class,
                mark,
                word,
                title: item.title,
                note: &item.note,
            }
        })
        .collect()
}

fn cost(target: &TargetOutcome) -> CostRow<'_> {
    let billed = target.billed.billed;
    let payg = target.billed.prices.iter().map(|price| price.usd).sum();
    let free = target.billed.prices.first().map(|price| price.note.clone());
    let region = billed.with_read_regions(1) as f64 / billed.commands.max(1) as f64;
    CostRow {
        name: &target.name,
        commands: thousands(billed.commands),
        in_all: thousands(target.billed.in_all),
        writes: thousands(billed.writes),
        estimated: thousands(billed.estimated),
        payg: dollars(payg),
        region: dollars(payg * region),
        free: free.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn prose_keeps_code_and_escapes_the_rest() {
        assert_eq!(
            prose("`SET` with <b> & a ` tick"),
            "<code>SET</code> with &lt;b&gt; &amp; a ` tick"
        );
    }
}
