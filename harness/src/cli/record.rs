//! `swapcheck record`: writes the replies that a target gives into documents, as expectations.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use scenarios::record::{Run, Unmet, rewrite};
use scenarios::{Document, Scenario};

use tokio::sync::watch;

use super::session::{gather, runtime, shutdown, stop_on_signal};
use super::{Failure, output};
use crate::exit::Exit;
use crate::run::{End, Events, Plan, Trace, observe};
use crate::suite::SuiteError;
use crate::target::{Environment, Options, Target, TargetSpec};

/// What to record, and where.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// The documents; a command that has a reply already keeps it
    #[arg(required = true, value_name = "DOCUMENT")]
    documents: Vec<PathBuf>,
    /// The target whose replies are recorded
    #[arg(long, value_name = "TARGET", default_value = "redis")]
    target: TargetSpec,
    /// Replace replies that the target does not give; those that it gives stay as they are written
    #[arg(long)]
    replace: bool,
    /// The image of the Redis container [default: redis:8]
    #[arg(long, value_name = "IMAGE", env = "SWAPCHECK_REDIS_IMAGE")]
    redis_image: Option<String>,
    /// A certificate authority (PEM) to trust besides the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

pub(super) fn record(args: &RecordArgs) -> Result<Exit, Failure> {
    let documents = args
        .documents
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, Failure>>()?;
    runtime()?.block_on(session(args, documents))
}

/// A document as it is on disk, and as it was understood.
struct Source {
    path: PathBuf,
    text: String,
    document: Document,
}

fn read(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| SuiteError::Unreadable {
        path: name.clone(),
        error,
    })?;
    let document =
        Document::parse(&name, &text).map_err(|errors| SuiteError::Malformed(vec![errors]))?;
    Ok(Source {
        path: path.to_owned(),
        text,
        document,
    })
}

async fn session(args: &RecordArgs, documents: Vec<Source>) -> Result<Exit, Failure> {
    let options = Options {
        redis_image: args.redis_image.clone(),
        ca_file: args.ca_file.clone(),
        environment: Environment::process(),
        ..Options::default()
    };
    let mut gathered = gather(std::slice::from_ref(&args.target), &options).await;
    if let Some((_, error)) = gathered.failed.pop() {
        return Err(error.into());
    }
    let Some(target) = gathered.targets.pop() else {
        let reason = gathered
            .absent
            .pop()
            .map(|(_, reason)| reason)
            .unwrap_or_default();
        return Err(Failure::unreachable(reason));
    };
    let unmet = match args.replace {
        true => Unmet::Replace,
        false => Unmet::Keep,
    };
    let (events, _listener) = Events::channel();
    let stop = stop_on_signal(events);
    let mut report = String::new();
    let mut done = Ok(Exit::Success);
    for source in &documents {
        done = written(&target, source, unmet, &stop, &mut report).await;
        if !matches!(done, Ok(Exit::Success)) {
            break;
        }
    }
    for left in shutdown([&target]).await {
        let _ = writeln!(report, "{left}");
    }
    output::print(&report);
    done
}

/// Records one document and writes it back. What varies between two runs is recorded as loosely as it
/// varies.
async fn written(
    target: &Target,
    source: &Source,
    unmet: Unmet,
    stop: &watch::Receiver<bool>,
    report: &mut String,
) -> Result<Exit, Failure> {
    let level = target.capabilities().expressiveness;
    let mut replies = [BTreeMap::new(), BTreeMap::new()];
    for (index, scenario) in source.document.scenarios.iter().enumerate() {
        let run_id = Plan::new_run_id();
        for (attempt, replies) in replies.iter_mut().enumerate() {
            let trace = observe(target, scenario, &run_id, attempt, stop.clone()).await;
            if *stop.borrow() {
                return Ok(Exit::Interrupted);
            }
            if let (0, Some(reason)) = (attempt, incomplete(&trace)) {
                let _ = writeln!(report, "{}: not recorded to its end: {reason}", scenario.id);
            }
            let seen = trace.steps.iter().enumerate();
            replies.extend(
                seen.filter_map(|(step, seen)| Some(((index, step), seen.answer.reply()?.clone()))),
            );
        }
    }
    // Replies were seen with `{name}` in place of keys.
    let keys = |_: &Scenario, name: &str| format!("{{{name}}}").into_bytes();
    let runs = replies.each_ref().map(|replies| Run {
        expressiveness: level,
        keys: &keys,
        replies,
    });
    let text = rewrite(&source.text, &source.document, &runs, unmet);
    let name = source.path.display().to_string();
    let document = Document::parse(&name, &text).map_err(|errors| {
        Failure::mistake(format!(
            "{name} was left as it is: what was recorded would not be a document, please report it\n{errors}"
        ))
    })?;
    if text != source.text {
        std::fs::write(&source.path, &text).map_err(|error| {
            Failure::mistake(format!(
                "{name} cannot be written: {error}; check its permissions"
            ))
        })?;
    }
    let count = changed(&source.document, &document);
    let plural = if count == 1 { "reply" } else { "replies" };
    let _ = writeln!(
        report,
        "{name}: {count} {plural} of {} recorded",
        target.name
    );
    let again = rewrite(&source.text, &source.document, &runs, Unmet::Replace);
    let kept = Document::parse(&name, &again).map_or(0, |all| changed(&document, &all));
    if kept > 0 {
        let _ = writeln!(
            report,
            "{name}: {kept} of its replies are others than {} gives, and were kept; --replace writes \
             those, too",
            target.name
        );
    }
    Ok(Exit::Success)
}

/// Why a scenario did not come to its end.
fn incomplete(trace: &Trace) -> Option<&str> {
    match &trace.end {
        End::Complete => None,
        End::Unsupported(reason) | End::NotEvaluable(reason) | End::NoReply(reason) => Some(reason),
    }
}

/// How many steps of two versions of a document expect another reply.
fn changed(before: &Document, after: &Document) -> usize {
    let steps = |document: &Document| -> Vec<_> {
        let scenarios = document.scenarios.iter();
        scenarios
            .flat_map(|scenario| scenario.steps.iter().map(|step| step.expect.clone()))
            .collect()
    };
    let (before, after) = (steps(before), steps(after));
    before
        .iter()
        .zip(&after)
        .filter(|(one, other)| one != other)
        .count()
}
