//! One line of a transcript: its prompt, its directive, its requirement.

use std::time::Duration;

use crate::requirement::{Requirement, Version};

/// No step waits longer; a scenario that needs minutes is a soak test.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// `a>` or `a>&`, and the column behind it.
pub(super) struct Prompt<'t> {
    pub(super) client: &'t str,
    pub(super) starts: bool,
    pub(super) column: usize,
}

/// What a prompt is: anything that can stand before `>` at the beginning of a line.
pub(super) fn prompt(text: &str) -> Option<Prompt<'_>> {
    let end = text.find('>')?;
    let client = &text[..end];
    if !client.chars().all(|c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '[' | ']' | '(' | ')')
    }) {
        return None;
    }
    let starts = text[end + 1..].starts_with('&');
    Some(Prompt {
        client,
        starts,
        column: end + 1 + usize::from(starts),
    })
}

pub(super) fn is_client_name(name: &str) -> bool {
    name.is_empty()
        || (name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_'))
}

pub(super) fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// Whether a line ends the reply before it.
pub(super) fn ends_reply(text: &str) -> bool {
    text.trim().is_empty()
        || text.starts_with('#')
        || prompt(text).is_some()
        || matches!(first_word(text), "only" | "needs" | "since" | "before")
        || (first_word(text) == "wait" && text.split_whitespace().nth(1).is_some())
        || matches!(text.trim(), "pipeline" | "multi")
}

/// How a transcript has a command sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By itself.
    Alone,
    /// After `every`.
    Every,
    /// After `>&`, or in a `pipeline` or `multi`.
    Deferred,
}

/// Why a command cannot be sent that way, and what to write instead.
pub(super) fn unfit(name: &str, arguments: usize, way: Way) -> Option<(String, &'static str)> {
    const SUBSCRIBE: &str =
        "write `> SUBSCRIBE {channel}`, `> message`, and `> unsubscribe` to end it";
    let alone = way == Way::Alone;
    match name {
        "MONITOR" | "SYNC" | "PSYNC" => {
            let message = format!("{name} answers with a stream that does not end");
            Some((
                message,
                "leave it out: a transcript cannot hold such a reply",
            ))
        }
        "SSUBSCRIBE" | "SUNSUBSCRIBE" => Some((
            format!("{name} is not supported in a transcript"),
            SUBSCRIBE,
        )),
        "SUBSCRIBE" | "PSUBSCRIBE" if alone && arguments == 0 => {
            Some((format!("{name} names no channel"), SUBSCRIBE))
        }
        "UNSUBSCRIBE" | "PUNSUBSCRIBE" if alone && arguments > 0 => {
            let message = format!("{name} of some channels is not supported in a transcript");
            Some((message, SUBSCRIBE))
        }
        "SUBSCRIBE" | "PSUBSCRIBE" | "UNSUBSCRIBE" | "PUNSUBSCRIBE" if !alone => {
            Some((format!("{name} must be a step of its own"), SUBSCRIBE))
        }
        "SCAN" | "HSCAN" | "SSCAN" | "ZSCAN" => None,
        _ if way == Way::Every => {
            let help = "`every` goes before SCAN, HSCAN, SSCAN or ZSCAN: \
                        `every SCAN 0 MATCH {key}*`";
            Some((format!("{name} has no cursor to follow"), help))
        }
        _ => None,
    }
}

/// `250ms` or `2s`, no longer than a step may wait.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let count: u64 = digits.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(count),
        "s" => Duration::from_secs(count),
        _ => return None,
    };
    (duration <= LONGEST_WAIT).then_some(duration)
}

/// A line that says where a step or a scenario applies.
pub(super) fn requirement(words: &[&str]) -> Option<Requirement> {
    let version = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            .then(|| Version::parse(text))
            .flatten()
    };
    match words {
        ["only", "rest"] => Some(Requirement::OnlyRest),
        ["only", "tcp"] => Some(Requirement::OnlyTcp),
        ["needs", "blocking"] => Some(Requirement::NeedsBlocking),
        ["needs", "connection"] => Some(Requirement::NeedsConnection),
        ["needs", "command", name @ ..] if matches!(name.len(), 1 | 2) => {
            let upper = name.iter().map(|word| word.to_ascii_uppercase());
            Some(Requirement::NeedsCommand(upper.collect()))
        }
        ["since", "redis", number] => version(number).map(Requirement::Since),
        ["before", "redis", number] => version(number).map(Requirement::Before),
        _ => None,
    }
}
