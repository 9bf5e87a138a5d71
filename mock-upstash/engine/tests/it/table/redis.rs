//! Every row against `COMMAND INFO` and `COMMAND DOCS`, recorded from real redis-servers.

use std::collections::{BTreeMap, BTreeSet};

use redis_engine::command::{Command, Group, Keys};

use super::recording::{self, Recorded, VERSIONS};
use super::rows;
use crate::differential::reference::Server;

#[test]
fn recordings_are_current() {
    let mut seen = BTreeSet::new();
    for server in Server::start_versions() {
        let mut connection = server.connect();
        let version = recording::version(&mut connection);
        if !VERSIONS.contains(&&version[..]) {
            continue;
        }
        let taken = recording::take(&mut connection);
        if std::env::var_os("RECORD_COMMAND_INFO").is_some() {
            recording::write(&version, &taken);
        }
        for (name, row) in &recording::read(&version) {
            assert_eq!(taken.get(name), Some(row), "{name} of {version}");
        }
        assert_eq!(taken.len(), recording::read(&version).len(), "{version}");
        seen.insert(version);
    }
    println!("recordings held against redis-server {seen:?}");
}

/// What is meant to differ from a recording: version, command, property, and why. A departure that is
/// none is a mistake as well.
const DEPARTURES: &[(&str, &str, &str, &str)] = &[
    (
        "8.0 8.10",
        "memory memory|usage",
        "group",
        "Upstash's documentation has MEMORY USAGE among the generic commands",
    ),
    (
        "8.0",
        "eval evalsha eval_ro evalsha_ro fcall fcall_ro",
        "flags",
        "the flag script_runner came later, and the engine follows the newest",
    ),
    (
        "8.0",
        "subscribe psubscribe",
        "flags",
        "the flag denyoom came later, and the engine follows the newest",
    ),
    (
        "8.0",
        "xdelex xackdel delex digest",
        "absent",
        "they came with Redis 8.2 and 8.4",
    ),
];

#[test]
fn rows_are_as_redis_has_them() {
    for version in VERSIONS {
        let mut expected = BTreeMap::new();
        for (versions, commands, property, reason) in DEPARTURES {
            if versions.split(' ').any(|listed| listed == version) {
                for command in commands.split(' ') {
                    expected.insert(format!("{command}: {property}"), *reason);
                }
            }
        }
        let recording = recording::read(version);
        let mut unexpected = Vec::new();
        for row in rows() {
            for (property, why) in departures(row, recording.get(&row.full_name())) {
                let place = format!("{}: {property}", row.full_name());
                if expected.remove(&place).is_none() {
                    unexpected.push(format!("{place}: {why}"));
                }
            }
        }
        assert!(
            unexpected.is_empty(),
            "{version}\n{}",
            unexpected.join("\n")
        );
        assert!(expected.is_empty(), "no departures any more: {expected:?}");
    }
}

/// In which properties a row departs from a recording, and how.
fn departures(row: &Command, recorded: Option<&Recorded>) -> Vec<(&'static str, String)> {
    let recorded = match recorded {
        // Modules and Upstash's own commands: there is nothing to hold them against.
        None if row.group == Group::Json || row.since == "RedisJSON" => return Vec::new(),
        None if !row.redis => return Vec::new(),
        None => return vec![("absent", "Redis does not have it".to_owned())],
        Some(_) if !row.redis => return vec![("present", "Redis has it".to_owned())],
        Some(recorded) => recorded,
    };
    let row = as_recorded(row);
    let mut found = Vec::new();
    let mut compare = |property, ours: String, redis: String| {
        if ours != redis {
            found.push((property, format!("{ours} here, {redis} in Redis")));
        }
    };
    compare("arity", row.arity.to_string(), recorded.arity.to_string());
    compare("flags", words(&row.flags), words(&recorded.flags));
    compare(
        "categories",
        words(&row.categories),
        words(&recorded.categories),
    );
    compare(
        "keys",
        format!("{:?}", row.keys),
        format!("{:?}", recorded.keys),
    );
    compare("since", row.since, recorded.since.clone());
    compare("group", row.group, recorded.group.clone());
    // A range of keys says all by its three numbers; the others need their specification.
    for specification in row.specifications {
        if !recorded.specifications.contains(&specification) {
            let redis = recorded.specifications.join("; ");
            found.push((
                "specification",
                format!("{specification} here, {redis} in Redis"),
            ));
        }
    }
    found
}

fn words(words: &BTreeSet<String>) -> String {
    words.iter().cloned().collect::<Vec<_>>().join(" ")
}

/// A row in the form of a recording.
fn as_recorded(row: &Command) -> Recorded {
    Recorded {
        arity: i64::from(row.arity),
        flags: row.flags.shown().collect(),
        categories: row.all_categories().shown().collect(),
        keys: row.key_range().map(i64::from),
        specifications: specifications(row),
        since: row.since.to_owned(),
        group: group(row.group).to_owned(),
    }
}

fn specifications(row: &Command) -> Vec<String> {
    match row.keys {
        Keys::Counted { count, fixed } => {
            let mut specifications = vec![format!("{count} keynum 0 1 1")];
            if fixed > 0 {
                specifications.push(format!("{fixed} range 0 1 0"));
            }
            specifications
        }
        Keys::Custom { fixed, .. } if fixed > 0 => vec![format!("{fixed} range 0 1 0")],
        Keys::None | Keys::Range { .. } | Keys::Custom { .. } => Vec::new(),
    }
}

/// Redis's name of a group: it has functions and scripts in one, and spells some names otherwise.
fn group(group: Group) -> &'static str {
    match group {
        Group::Function => "scripting",
        Group::PubSub => "pubsub",
        Group::Stream => "stream",
        other => other.name(),
    }
}
