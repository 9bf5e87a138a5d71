//! What makes a transcript sound, beyond its syntax: keys are written as keys, captured replies
//! exist, what is started is awaited.

use std::collections::{BTreeMap, BTreeSet};

use super::Mistakes;
use crate::document::Location;
use crate::expectation::Expectation;
use crate::key_position::{self, Unclear};
use crate::step::{Action, Argument, CommandTemplate, Piece, Step};

pub(super) fn scenario(steps: &[Step], mistakes: &mut Mistakes) {
    let arguments = steps.iter().flat_map(|step| step.action.arguments());
    let names: BTreeSet<&str> = arguments.flat_map(Argument::key_names).collect();
    let mut captured = BTreeSet::new();
    for step in steps {
        for command in step.action.commands() {
            keys(command, &names, mistakes);
        }
        if let Action::Subscribe { channels, pattern } = &step.action {
            for channel in channels.iter().filter(|channel| !channel.begins_with_key()) {
                let kind = if *pattern { "pattern" } else { "channel" };
                literal_key(channel, kind, step.location, mistakes);
            }
        }
        captures_used(step, &captured, mistakes);
        if let Some(expectation) = &step.expect {
            collect_captures(expectation, &mut captured);
        }
    }
    started(steps, mistakes);
    subscribed(steps, mistakes);
}

/// Every key is written as one, and nothing that looks like a key stands in quotes.
fn keys(command: &CommandTemplate, names: &BTreeSet<&str>, mistakes: &mut Mistakes) {
    let name = command.name();
    let literals: Vec<_> = command.arguments.iter().map(Argument::literal).collect();
    let positions = match key_position::positions(&literals) {
        Ok(positions) => positions,
        Err(Unclear::Count(at)) => {
            let place = command.arguments[at].location.unwrap_or(command.location);
            let help = "write the number out, so that the keys after it can be told from arguments";
            mistakes.add(
                place,
                1,
                format!("{name}'s number of keys is not written out"),
                help,
            );
            return;
        }
        Err(Unclear::Unbounded) => {
            let help = "give it a pattern under this run's own keys: `SCAN 0 MATCH {key}*`";
            let message = "this SCAN walks over keys of others";
            mistakes.add(command.location, name.len(), message, help);
            return;
        }
    };
    for (index, argument) in command.arguments.iter().enumerate() {
        if positions.contains(&index) {
            if !argument.begins_with_key() {
                let kind = match name.as_str() {
                    "PUBLISH" | "SPUBLISH" | "PUBSUB" => "channel",
                    "SCAN" | "KEYS" => "pattern",
                    _ if !key_position::is_known(&name) => "first argument of an unknown command",
                    _ => "key",
                };
                literal_key(argument, kind, command.location, mistakes);
            }
        } else if let Some(name) = quoted_key(argument, names) {
            let place = argument.location.unwrap_or(command.location);
            let help = format!("quotes hold plain text; write {{{name}}}\" and more\"");
            mistakes.add(place, 1, format!("{{{name}}} in quotes is not a key"), help);
        }
    }
}

fn literal_key(argument: &Argument, kind: &str, place: Location, mistakes: &mut Mistakes) {
    let place = argument.location.unwrap_or(place);
    let literal = argument.literal().unwrap_or_default();
    let literal = String::from_utf8_lossy(&literal);
    let suggested: String = literal
        .to_ascii_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-'))
        .take(30)
        .collect();
    let suggested = match suggested.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => suggested,
        false => "key".to_owned(),
    };
    let help = format!(
        "begin it with a name in braces, outside of quotes: `{{{suggested}}}`, or \
         `{{{suggested}}}:more`; the run gives it a prefix that nobody else uses"
    );
    let message = match argument.pieces.first() {
        Some(Piece::Capture(name)) => format!("this {kind} begins with the captured reply ${name}"),
        _ => format!("this {kind} is written as plain text"),
    };
    mistakes.add(place, literal.chars().count().min(40), message, help);
}

/// The key whose name in braces begins a literal argument.
fn quoted_key<'n>(argument: &Argument, names: &BTreeSet<&'n str>) -> Option<&'n str> {
    let Some(Piece::Bytes(bytes)) = argument.pieces.first() else {
        return None;
    };
    let inner = bytes.strip_prefix(b"{")?;
    let end = inner.iter().position(|byte| *byte == b'}')?;
    let name = std::str::from_utf8(&inner[..end]).ok()?;
    names.get(name).copied()
}

fn captures_used(step: &Step, captured: &BTreeSet<String>, mistakes: &mut Mistakes) {
    let mut missing = |argument: &Argument, place: Location| {
        for piece in &argument.pieces {
            let Piece::Capture(name) = piece else {
                continue;
            };
            if !captured.contains(name) {
                let help = format!(
                    "keep a reply of an earlier step: `(string) => ${name}`; write a dollar sign \
                     that is plain text in single quotes"
                );
                let message = format!("no step before this one keeps a reply as ${name}");
                mistakes.add(place, name.len() + 1, message, help);
            }
        }
    };
    for argument in step.action.arguments() {
        missing(argument, argument.location.unwrap_or(step.location));
    }
    if let Some(expectation) = &step.expect {
        let place = Location {
            line: step.ends.0 + 1,
            column: 1,
        };
        each_text(expectation, &mut |text| missing(text, place));
    }
}

/// Calls a function for every text in an expectation.
fn each_text(expectation: &Expectation, visit: &mut dyn FnMut(&Argument)) {
    match expectation {
        Expectation::Text(text) => visit(text),
        Expectation::Array(inner)
        | Expectation::Set(inner)
        | Expectation::Unordered(inner)
        | Expectation::Either(inner) => inner.iter().for_each(|one| each_text(one, visit)),
        Expectation::Map(pairs) => {
            for (key, value) in pairs {
                each_text(key, visit);
                each_text(value, visit);
            }
        }
        Expectation::Capture(inner, _) => each_text(inner, visit),
        _ => {}
    }
}

fn collect_captures(expectation: &Expectation, captured: &mut BTreeSet<String>) {
    match expectation {
        Expectation::Capture(inner, name) => {
            captured.insert(name.clone());
            collect_captures(inner, captured);
        }
        Expectation::Array(inner)
        | Expectation::Set(inner)
        | Expectation::Unordered(inner)
        | Expectation::Either(inner) => {
            inner.iter().for_each(|one| collect_captures(one, captured));
        }
        Expectation::Map(pairs) => {
            for (key, value) in pairs {
                collect_captures(key, captured);
                collect_captures(value, captured);
            }
        }
        _ => {}
    }
}

/// A client that has started a command does nothing else before it takes the reply.
fn started(steps: &[Step], mistakes: &mut Mistakes) {
    let mut open: BTreeMap<&str, Location> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.action.has_client()) {
        let client = step.client.as_str();
        let length = step
            .source
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .count();
        match &step.action {
            Action::Await => {
                if open.remove(client).is_none() {
                    let help = format!("start one before: `{client}>& BLPOP {{queue}} 5`");
                    let message = "this client has started no command";
                    mistakes.add(step.location, length, message, help);
                }
            }
            action => {
                if let Some(start) = open.get(client) {
                    let message = format!(
                        "this client still waits for the reply of its command on line {}",
                        start.line
                    );
                    let help = format!("take the reply first: `{client}> await`");
                    mistakes.add(step.location, length, message, help);
                    open.remove(client);
                }
                if let Action::Start(_) = action {
                    open.insert(client, step.location);
                }
            }
        }
    }
    for (client, location) in open {
        let help = format!("take it: `{client}> await`");
        mistakes.add(location, 1, "nothing takes the reply of this command", help);
    }
}

fn subscribed(steps: &[Step], mistakes: &mut Mistakes) {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for step in steps {
        let client = step.client.as_str();
        let has_one = match &step.action {
            Action::Subscribe { .. } => {
                open.insert(client);
                continue;
            }
            Action::Unsubscribe => open.remove(client),
            Action::Message { .. } | Action::NoMessage { .. } => open.contains(client),
            _ => continue,
        };
        if !has_one {
            let length = step.source.chars().count();
            let help = format!("subscribe before: `{client}> SUBSCRIBE {{channel}}`");
            let message = "this client has no subscription";
            mistakes.add(step.location, length, message, help);
        }
    }
}
