//! The command of `mock-upstash run`: started, told of signals, its exit code passed on.

use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::Context as _;

/// Exit codes that shells, `env` and `timeout` have for a command that cannot be run.
const CANNOT_EXECUTE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Which signal asks the mock to end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    Interrupt,
    Terminate,
}

/// Runs a command with these variables until it ends, and answers its exit code.
pub(crate) async fn run(
    command: &[String],
    variables: impl IntoIterator<Item = (&'static str, String)>,
) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command
        .split_first()
        .context("no command given after `--`")?;
    let stop = stop_signal()?;
    let started = tokio::process::Command::new(program)
        .args(arguments)
        .envs(variables)
        .kill_on_drop(true)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            eprintln!("error: cannot run '{program}': {error}");
            let missing = error.kind() == ErrorKind::NotFound;
            let code = if missing { NOT_FOUND } else { CANNOT_EXECUTE };
            return Ok(ExitCode::from(code));
        }
    };
    let lost = || format!("lost sight of '{program}'");
    let status = tokio::select! {
        status = child.wait() => status.with_context(lost)?,
        signal = stop => {
            // When to end is the child's to decide.
            pass_on(&child, signal);
            child.wait().await.with_context(lost)?
        }
    };
    Ok(ExitCode::from(exit_code(status)))
}

/// Waits for SIGINT or SIGTERM; they are caught from the call on, not from the first poll.
#[cfg(unix)]
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = Stop>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Stop::Interrupt,
            _ = terminate.recv() => Stop::Terminate,
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = Stop>> {
    Ok(async {
        tokio::signal::ctrl_c().await.ok();
        Stop::Interrupt
    })
}

/// Passes a signal on to a child.
///
/// Ctrl-C at a terminal reaches every process of the foreground, the child too, and test runners take a
/// second SIGINT for impatience; a supervisor sends its signals to this process alone.
#[cfg(unix)]
fn pass_on(child: &tokio::process::Child, signal: Stop) {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::IsTerminal as _;
    let signal = match signal {
        Stop::Interrupt if std::io::stdin().is_terminal() => return,
        Stop::Interrupt => Signal::INT,
        Stop::Terminate => Signal::TERM,
    };
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(id) = id.and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        kill_process(id, signal).ok();
    }
}

#[cfg(not(unix))]
fn pass_on(_child: &tokio::process::Child, _signal: Stop) {}

/// A child's exit code; 128 and the signal's number when one ended it, as shells have it.
fn exit_code(status: std::process::ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(128)
}
