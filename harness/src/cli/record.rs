//! `swapcheck record`: writes the replies that a target gives into documents, as expectations.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use scenarios::expectation::Expectation;
use scenarios::glob::Glob;
use scenarios::step::{Argument, Piece};
use scenarios::{Document, Reply, Scenario, print};

use tokio::sync::watch;

use super::session::{gather, runtime, shutdown, stop_on_signal};
use super::{Failure, output};
use crate::exit::Exit;
use crate::run::{Answer, End, Events, Plan, Trace, observe};
use crate::suite::SuiteError;
use crate::target::{Environment, Options, Target, TargetSpec};

/// What to record, and where.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// The documents; a command that has a reply already keeps it, so delete a reply to record it
    /// anew
    #[arg(required = true, value_name = "DOCUMENT")]
    documents: Vec<PathBuf>,
    /// The target whose replies are recorded
    #[arg(long, value_name = "TARGET", default_value = "redis")]
    target: TargetSpec,
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
    let (events, _listener) = Events::channel();
    let stop = stop_on_signal(events);
    let mut report = String::new();
    let mut done = Ok(Exit::Success);
    for source in &documents {
        done = written(&target, source, &stop, &mut report).await;
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

/// Records one document and writes it back.
async fn written(
    target: &Target,
    source: &Source,
    stop: &watch::Receiver<bool>,
    report: &mut String,
) -> Result<Exit, Failure> {
    let mut insertions = Vec::new();
    for scenario in &source.document.scenarios {
        // What varies between two runs is recorded as loosely as it varies.
        let run_id = Plan::new_run_id();
        let first = observe(target, scenario, &run_id, 0, stop.clone()).await;
        let second = observe(target, scenario, &run_id, 1, stop.clone()).await;
        if *stop.borrow() {
            return Ok(Exit::Interrupted);
        }
        match &first.end {
            End::Complete => {}
            End::Unsupported(reason) | End::NotEvaluable(reason) | End::NoReply(reason) => {
                let _ = writeln!(report, "{}: not recorded to its end: {reason}", scenario.id);
            }
        }
        insertions.extend(replies(scenario, &first, &second));
    }
    let text = inserted(&source.text, &insertions);
    let name = source.path.display().to_string();
    Document::parse(&name, &text).map_err(|errors| {
        Failure::mistake(format!(
            "{name} was left as it is: what was recorded would not be a document, please report it\n{errors}"
        ))
    })?;
    if !insertions.is_empty() {
        std::fs::write(&source.path, text).map_err(|error| {
            Failure::mistake(format!(
                "{name} cannot be written: {error}; check its permissions"
            ))
        })?;
    }
    let count = insertions.len();
    let plural = if count == 1 { "reply" } else { "replies" };
    let _ = writeln!(
        report,
        "{name}: {count} {plural} of {} recorded",
        target.name
    );
    Ok(Exit::Success)
}

/// Lines to insert, each with the number of the line they come after.
fn replies(scenario: &Scenario, first: &Trace, second: &Trace) -> Vec<(usize, String)> {
    let names = scenario.key_names();
    let mut insertions = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let reply = |trace: &'_ Trace| match trace.steps.get(index).map(|seen| &seen.answer) {
            Some(Answer::Reply(reply)) => Some(reply.clone()),
            _ => None,
        };
        let (None, true, Some(seen)) = (&step.expect, step.action.has_reply(), reply(first)) else {
            continue;
        };
        let expectation = with_keys(Expectation::literal(&seen), &names);
        let expectation = match reply(second) {
            Some(again) => loosened(expectation, &seen, &again),
            None => expectation,
        };
        let after = step.location.line + step.source.trim_end().lines().count().max(1) - 1;
        insertions.push((after, print::expectation(&expectation)));
    }
    insertions
}

fn inserted(text: &str, insertions: &[(usize, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        out.push_str(line);
        for (_, reply) in insertions.iter().filter(|(after, _)| *after == index + 1) {
            if !out.ends_with('\n') {
                out.push('\n');
            }
            let indent: String = line
                .chars()
                .take_while(|letter| matches!(letter, ' ' | '\t'))
                .collect();
            for line in reply.lines() {
                let _ = writeln!(out, "{indent}{line}");
            }
        }
    }
    out
}

/// The expectation with keys written `{name}`.
fn with_keys(expectation: Expectation, names: &BTreeSet<&str>) -> Expectation {
    let all = |items: Vec<Expectation>| {
        items
            .into_iter()
            .map(|item| with_keys(item, names))
            .collect()
    };
    match expectation {
        Expectation::Text(argument) => Expectation::Text(keyed(argument, names)),
        Expectation::Array(items) => Expectation::Array(all(items)),
        Expectation::Set(items) => Expectation::Set(all(items)),
        Expectation::Map(pairs) => Expectation::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (with_keys(key, names), with_keys(value, names)))
                .collect(),
        ),
        other => other,
    }
}

/// Replies were seen with `{name}` in place of keys; that becomes the key again.
fn keyed(argument: Argument, names: &BTreeSet<&str>) -> Argument {
    let [Piece::Bytes(bytes)] = argument.pieces.as_slice() else {
        return argument;
    };
    let Ok(mut rest) = std::str::from_utf8(bytes) else {
        return argument;
    };
    let mut pieces = Vec::new();
    let mut text = String::new();
    while let Some(first) = rest.chars().next() {
        let name = names.iter().find(|name| {
            rest.strip_prefix('{')
                .and_then(|rest| rest.strip_prefix(**name))
                .is_some_and(|rest| rest.starts_with('}'))
        });
        match name {
            Some(name) => {
                if !text.is_empty() {
                    pieces.push(Piece::Bytes(std::mem::take(&mut text).into_bytes()));
                }
                pieces.push(Piece::Key((*name).to_owned()));
                rest = &rest[name.len() + 2..];
            }
            None => {
                text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Bytes(text.into_bytes()));
    }
    Argument { pieces, ..argument }
}

/// The expectation of a reply that came out differently the second time.
fn loosened(expectation: Expectation, seen: &Reply, again: &Reply) -> Expectation {
    if seen == again {
        return expectation;
    }
    match (expectation, seen, again) {
        (Expectation::Array(items), Reply::Array(seen), Reply::Array(again))
            if seen.len() == again.len() =>
        {
            let parts = items.into_iter().zip(seen.iter().zip(again));
            Expectation::Array(
                parts
                    .map(|(item, (seen, again))| loosened(item, seen, again))
                    .collect(),
            )
        }
        (_, Reply::Integer(_), Reply::Integer(_)) => Expectation::Integer {
            min: i64::MIN,
            max: i64::MAX,
        },
        (_, Reply::Bulk(_), Reply::Bulk(_)) => Expectation::AnyText,
        (_, Reply::Double(_), Reply::Double(_)) => Expectation::AnyDouble,
        (_, Reply::Error(one), Reply::Error(other))
            if crate::compare::code(one) == crate::compare::code(other) =>
        {
            Expectation::Error(Glob::new(
                format!("{} *", crate::compare::code(one)).as_bytes(),
            ))
        }
        (expectation, ..) if seen.is_error() || again.is_error() => expectation,
        _ => Expectation::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Reply {
        Reply::Bulk(bytes.to_vec())
    }

    fn recorded(seen: &Reply, again: &Reply, names: &[&str]) -> String {
        let names = names.iter().copied().collect();
        let expectation = with_keys(Expectation::literal(seen), &names);
        print::expectation(&loosened(expectation, seen, again))
    }

    #[test]
    fn keys_are_recorded_as_keys() {
        let reply = Reply::Array(vec![text(b"{jobs}"), text(b"{jobs}:2"), text(b"{other}")]);
        let written = "1) {jobs}\n2) {jobs}:2\n3) \"{other}\"";
        assert_eq!(recorded(&reply, &reply, &["jobs"]), written);
    }

    #[test]
    fn what_varies_is_recorded_as_loosely_as_it_varies() {
        let one = Reply::Array(vec![text(b"a"), Reply::Integer(1)]);
        let other = Reply::Array(vec![text(b"a"), Reply::Integer(2)]);
        assert_eq!(recorded(&one, &other, &[]), "1) \"a\"\n2) (integer)");
        assert_eq!(recorded(&text(b"1-1"), &text(b"2-1"), &[]), "(string)");
    }

    #[test]
    fn replies_go_below_their_commands() {
        let text = "```redis\n  > GET {k}\n> SET {k} v\n```";
        let lines = [(2, "(nil)".to_owned()), (3, "OK".to_owned())];
        assert_eq!(
            inserted(text, &lines),
            "```redis\n  > GET {k}\n  (nil)\n> SET {k} v\nOK\n```"
        );
    }
}
