//! The flags of workloads, and which of them a selection takes.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use globset::GlobBuilder;

use scenarios::workload::{Settings, Workload, workloads};

use crate::run::WorkloadPlan;
use crate::suite::Selection;

/// How much the concurrent workloads do.
#[derive(Debug, Args)]
pub(super) struct WorkloadArgs {
    /// Leave the concurrent workloads out
    #[arg(long)]
    no_workloads: bool,
    /// How many clients a workload has
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(2..=256))]
    workload_clients: u16,
    /// How many operations the clients of a workload begin, all together
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    workload_operations: u32,
    /// For how many seconds the clients of a workload begin operations [default: 1.2, or 80 round
    /// trips where that is more, up to 15]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    workload_duration: Option<Duration>,
}

/// A duration in seconds, fractions too.
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no number of seconds above 0 and up to 1800, such as 2.5");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    match seconds > 0.0 && seconds <= 1800.0 {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(wrong()),
    }
}

impl WorkloadArgs {
    /// As long as was asked for; a far target is given more only where nothing was.
    fn time(&self) -> Settings {
        let default = Settings::default();
        match self.workload_duration {
            Some(duration) => Settings {
                duration,
                round_trips: 0,
                ..default
            },
            None => default,
        }
    }

    /// What to run, or nothing.
    pub(super) fn plan(
        &self,
        selection: &Selection,
        seed: u64,
        reach: BTreeMap<String, String>,
    ) -> Option<WorkloadPlan> {
        let workloads = match self.no_workloads {
            true => Vec::new(),
            false => selected(selection),
        };
        (!workloads.is_empty()).then(|| WorkloadPlan {
            workloads,
            settings: Settings {
                clients: usize::from(self.workload_clients),
                operations: usize::try_from(self.workload_operations).unwrap_or(usize::MAX),
                seed,
                ..self.time()
            },
            reach,
        })
    }
}

/// The workloads that a selection takes. They belong to the suite: documents of one's own have none.
pub(super) fn selected(selection: &Selection) -> Vec<Workload> {
    if !selection.documents.is_empty() {
        return Vec::new();
    }
    let globs: Vec<_> = selection
        .filters
        .iter()
        // A glob that cannot be read was reported when the scenarios were selected.
        .filter_map(|glob| GlobBuilder::new(glob).case_insensitive(true).build().ok())
        .map(|glob| glob.compile_matcher())
        .collect();
    workloads()
        .into_iter()
        .filter(|one| {
            let area = one.area().to_owned();
            (selection.areas.is_empty() || selection.areas.contains(&area))
                && (selection.filters.is_empty() || globs.iter().any(|glob| glob.is_match(one.id)))
        })
        .collect()
}
