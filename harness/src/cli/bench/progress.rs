//! How far a benchmark is, and how long it still takes.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::bench::{Plan, Progress};
use crate::cli::output;

/// Says how long it takes; a bar, where there is a terminal to show it.
pub(super) fn progress_bar(plan: &Plan) -> ProgressBar {
    let minutes = plan.estimate().as_secs_f64() / 60.0;
    eprintln!(
        "{} cases, about {minutes:.1} minutes",
        plan.cases.len() * plan.distances.len()
    );
    if !output::wants_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1);
    // The template is a constant that indicatif accepts.
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} %  {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// Moves the bar.
pub(super) fn advance(bar: &ProgressBar, progress: &Progress) {
    let (done, total) = (progress.done.as_secs_f64(), progress.total.as_secs_f64());
    bar.set_length(progress.total.as_millis() as u64);
    bar.set_position(progress.done.as_millis() as u64);
    // At first the estimate says more than the pace, which a few rounds do not tell.
    let trust = (4.0 * done / total.max(1e-3)).min(1.0);
    let pace = if done > 0.0 {
        (bar.elapsed().as_secs_f64() / done).max(0.1)
    } else {
        1.0
    };
    let left = (total - done) * (1.0 - trust + trust * pace);
    bar.set_message(format!(
        "{} left  {}",
        HumanDuration(Duration::from_secs(left.ceil() as u64)),
        progress.what
    ));
}
