//! What every subcommand that speaks to a server needs: a runtime, targets that are opened and left
//! tidy, and a stop that Ctrl-C sets.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::Failure;
use crate::run::{Event, Events};
use crate::target::{Opened, Options, Place, Target, TargetError, TargetSpec, locate, open};

/// How long deleting keys and stopping servers may take before the process ends all the same.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(30);

/// The runtime that everything asynchronous runs on.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::unreachable(format!(
            "the asynchronous runtime cannot start: {error}; check the limits on threads and open files"
        ))
    })
}

/// A stop that turns true when the user presses Ctrl-C, or the system asks the process to end.
pub(super) fn stop_on_signal(events: Events) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        wait_for_signal().await;
        events.send(Event::Interrupted);
        let _ = sender.send(true);
        // Kept for the run's whole life: a stop nobody can set is no stop.
        std::future::pending::<()>().await;
    });
    receiver
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Finds what is wrong with the targets that were asked for, or missing of those that are required,
/// before a server is started or an image fetched.
///
/// # Errors
/// A mistake in a URL or the environment, or a required target that nothing leads to.
pub(super) fn preflight(
    specs: &[TargetSpec],
    options: &Options,
    required: &[String],
) -> Result<(), Failure> {
    for spec in specs {
        if let Place::Absent(reason) = locate(spec, options)?
            && required.iter().any(|name| name == spec.name())
        {
            return Err(Failure::unreachable(format!(
                "the required target '{}' is not there: {reason}",
                spec.name()
            )));
        }
    }
    Ok(())
}

/// What became of the targets that were asked for.
pub(super) struct Gathered {
    pub(super) targets: Vec<Target>,
    pub(super) absent: Vec<(TargetSpec, String)>,
    pub(super) failed: Vec<(TargetSpec, TargetError)>,
}

/// Opens all targets at once: a container takes its time.
pub(super) async fn gather(specs: &[TargetSpec], options: &Options) -> Gathered {
    let opened = join_all(specs.iter().map(|spec| open(spec, options))).await;
    let mut gathered = Gathered {
        targets: Vec::new(),
        absent: Vec::new(),
        failed: Vec::new(),
    };
    for (spec, opened) in specs.iter().zip(opened) {
        match opened {
            Ok(Opened::Ready(target)) => gathered.targets.push(*target),
            Ok(Opened::Absent(reason)) => gathered.absent.push((spec.clone(), reason)),
            Err(error) => gathered.failed.push((spec.clone(), error)),
        }
    }
    gathered
}

/// Deletes what is left of the run and stops what it started. Returns what could not be tidied up.
pub(super) async fn shutdown<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Vec<String> {
    let each = targets.into_iter().map(|target| async move {
        match tokio::time::timeout(SHUTDOWN_PATIENCE, target.shutdown()).await {
            Ok(left) => left,
            Err(_) => vec![format!(
                "{}: cleaning up took longer than {} s and was given up; keys under its prefix \
                 expire by themselves",
                target.name,
                SHUTDOWN_PATIENCE.as_secs()
            )],
        }
    });
    join_all(each).await.into_iter().flatten().collect()
}
