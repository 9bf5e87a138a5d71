//! Every row against what Upstash's documentation says it offers.

use std::collections::BTreeMap;

use redis_engine::command::{Command, Flags, Rest};

use super::rows;

/// What Upstash says of one command or subcommand.
pub(super) struct Offer {
    pub(super) name: String,
    pub(super) group: String,
    pub(super) tcp: bool,
    pub(super) rest: String,
    pub(super) read_only_token: String,
    pub(super) since: String,
    pub(super) origin: String,
}

/// The table of what Upstash offers and refuses.
pub(super) fn offers() -> Vec<Offer> {
    let text = include_str!("../../data/upstash-commands.tsv");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(
        lines.next(),
        Some("command\tgroup\ttcp\trest\tread-only token\tsince\torigin")
    );
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, group, tcp, rest, read_only_token, since, origin] = columns[..] else {
                panic!("a row has 7 columns: {line:?}");
            };
            let own = str::to_owned;
            Offer {
                name: own(name),
                group: own(group),
                tcp: tcp == "yes",
                rest: own(rest),
                read_only_token: own(read_only_token),
                since: own(since),
                origin: own(origin),
            }
        })
        .collect()
}

/// What is meant to differ from the table: a command, or a group of commands by `GROUP.*`; a property;
/// and why. A departure that is none is a mistake as well.
const DEPARTURES: &[(&str, &str, &str)] = &[
    ("SEARCH.*", "missing", "the engine has no search indexes"),
    (
        "JSON.DEBUG MEMORY",
        "not in the table",
        "a subcommand that the page of JSON.DEBUG describes",
    ),
    (
        "JSON.DEBUG HELP",
        "not in the table",
        "a subcommand that the page of JSON.DEBUG describes",
    ),
];

#[test]
fn rows_are_as_upstash_has_them() {
    let mut found = Vec::new();
    let mut offers: BTreeMap<String, Offer> = offers()
        .into_iter()
        .map(|offer| (offer.name.clone(), offer))
        .collect();
    for row in rows() {
        match offers.remove(row.name) {
            Some(offer) if offer.tcp != row.upstash => {
                found.push((row.name.to_owned(), "offered", format!("{}", offer.tcp)));
            }
            Some(offer) if offer.tcp => compare(row, &offer, &mut found),
            Some(_) => {}
            // A container stands for its subcommands, which are rows themselves.
            None if !row.subcommands.is_empty() || !row.upstash => {}
            None => found.push((row.name.to_owned(), "not in the table", String::new())),
        }
    }
    for offer in offers.into_values().filter(|offer| offer.tcp) {
        found.push((offer.name, "missing", String::new()));
    }

    let mut unmet: Vec<_> = DEPARTURES.to_vec();
    found.retain(|(name, property, _)| {
        let listed = DEPARTURES.iter().find(|(listed, listed_property, _)| {
            let matches = match listed.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => listed == name,
            };
            matches && listed_property == property
        });
        unmet.retain(|row| Some(row) != listed);
        listed.is_none()
    });
    assert!(found.is_empty(), "departures from the table: {found:#?}");
    assert!(unmet.is_empty(), "no departures any more: {unmet:#?}");
}

/// Notes in which properties a row departs from Upstash's offer.
fn compare(row: &Command, offer: &Offer, found: &mut Vec<(String, &'static str, String)>) {
    let mut check = |holds: bool, property, theirs: &str| {
        if !holds {
            found.push((row.name.to_owned(), property, theirs.to_owned()));
        }
    };
    check(offer.group == row.group.name(), "group", &offer.group);
    let rest = match row.rest {
        Rest::Yes => "yes",
        Rest::No => "no",
        Rest::Stream => "stream",
        Rest::MultiExec => "multi-exec",
    };
    // What is unclear is offered, until it is known not to be.
    check(
        offer.rest == rest || (offer.rest == "unclear" && rest == "yes"),
        "rest",
        &offer.rest,
    );
    let read_only_token = match &offer.read_only_token[..] {
        "yes" | "yes*" => Some(true),
        "no" | "no*" => Some(false),
        _ => None,
    };
    check(
        read_only_token.is_none_or(|allowed| allowed == row.read_only_token),
        "read-only token",
        &offer.read_only_token,
    );
    // Whatever is unknown: a token that only reads cannot write.
    check(
        !(row.read_only_token && row.flags.contains(Flags::WRITE)),
        "read-only token for a write",
        &offer.read_only_token,
    );
    // Upstash's pages leave out the last number, or give the modules' own.
    let since = format!("{}.", row.since);
    check(
        since.starts_with(&format!("{}.", offer.since)),
        "since",
        &offer.since,
    );
}
