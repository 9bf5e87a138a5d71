//! What real redis-servers say of their commands, recorded: read, written, and taken from a server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::differential::reference::Connection;
use crate::differential::wire::Wire;

/// Versions of redis-server of which there is a recording, the one that the engine follows last.
pub(crate) const VERSIONS: [&str; 2] = ["8.0", "8.10"];

/// What a recording says of one command or subcommand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) arity: i64,
    pub(crate) flags: BTreeSet<String>,
    pub(crate) categories: BTreeSet<String>,
    /// First key, last key, step.
    pub(crate) keys: [i64; 3],
    /// Key specifications: where the search begins (an index, or a word and where it is looked for),
    /// then `range` with last key, step and limit, or `keynum` with the places of the number and of the
    /// first key, and the step.
    pub(crate) specifications: Vec<String>,
    pub(crate) since: String,
    pub(crate) group: String,
}

/// A recording: rows by name, as `xgroup|create`.
pub(crate) type Recording = BTreeMap<String, Recorded>;

const HEADER: &str =
    "name\tarity\tflags\tfirst last step\tcategories\tkey specifications\tsince\tgroup";

fn path(version: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/command-info-{version}.tsv"))
}

/// The recording of a version.
pub(crate) fn read(version: &str) -> Recording {
    let path = path(version);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some(HEADER), "{}", path.display());
    lines.map(read_row).collect()
}

fn read_row(line: &str) -> (String, Recorded) {
    let columns: Vec<&str> = line.split('\t').collect();
    let [
        name,
        arity,
        flags,
        keys,
        categories,
        specifications,
        since,
        group,
    ] = columns[..]
    else {
        panic!("a row has 8 columns: {line:?}");
    };
    let number = |text: &str| {
        text.parse()
            .unwrap_or_else(|_| panic!("no number: {line:?}"))
    };
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let keys: Vec<i64> = keys.split(' ').map(number).collect();
    let recorded = Recorded {
        arity: number(arity),
        flags: words(flags),
        categories: words(categories),
        keys: keys.try_into().unwrap_or_else(|_| panic!("{line:?}")),
        specifications: specifications
            .split("; ")
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect(),
        since: since.to_owned(),
        group: group.to_owned(),
    };
    (name.to_owned(), recorded)
}

/// Writes the recording of a version.
pub(crate) fn write(version: &str, recording: &Recording) {
    let mut text = format!(
        "# COMMAND INFO and COMMAND DOCS of redis-server {version}; to record them anew:\n\
         # RECORD_COMMAND_INFO=1 cargo test -p redis-engine --test it recordings_are_current\n\
         {HEADER}\n"
    );
    let words = |words: &BTreeSet<String>| words.iter().cloned().collect::<Vec<_>>().join(" ");
    for (name, row) in recording {
        let [first, last, step] = row.keys;
        text.push_str(&format!(
            "{name}\t{}\t{}\t{first} {last} {step}\t{}\t{}\t{}\t{}\n",
            row.arity,
            words(&row.flags),
            words(&row.categories),
            row.specifications.join("; "),
            row.since,
            row.group,
        ));
    }
    let path = path(version);
    std::fs::write(&path, text)
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// A server's version, `8.0`.
pub(crate) fn version(server: &mut Connection) -> String {
    let Wire::Bulk(info) = server.run("INFO server") else {
        panic!("INFO answers a text");
    };
    let info = String::from_utf8_lossy(&info).into_owned();
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))
        .expect("INFO tells the version");
    let mut numbers = version.split('.');
    let mut next = || numbers.next().unwrap_or_default();
    format!("{}.{}", next(), next())
}

/// Takes a recording from a server.
pub(crate) fn take(server: &mut Connection) -> Recording {
    let mut recording = Recording::new();
    for row in items(&server.run("COMMAND")) {
        take_info(row, &mut recording);
    }
    take_docs(&server.run("COMMAND DOCS"), &mut recording);
    recording
}

fn take_info(row: &Wire, recording: &mut Recording) {
    let [
        name,
        arity,
        flags,
        first,
        last,
        step,
        categories,
        _tips,
        specifications,
        subcommands,
    ] = items(row)
    else {
        panic!("COMMAND INFO has 10 elements: {}", row.show());
    };
    let recorded = Recorded {
        arity: integer(arity),
        flags: items(flags).iter().map(text).collect(),
        categories: items(categories).iter().map(text).collect(),
        keys: [integer(first), integer(last), integer(step)],
        specifications: items(specifications).iter().map(specification).collect(),
        since: String::new(),
        group: String::new(),
    };
    recording.insert(text(name), recorded);
    for row in items(subcommands) {
        take_info(row, recording);
    }
}

fn take_docs(docs: &Wire, recording: &mut Recording) {
    for [name, doc] in items(docs).as_chunks().0 {
        if let Some(row) = recording.get_mut(&text(name)) {
            row.since = field(doc, "since").map(text).unwrap_or_default();
            row.group = field(doc, "group").map(text).unwrap_or_default();
        }
        if let Some(subcommands) = field(doc, "subcommands") {
            take_docs(subcommands, recording);
        }
    }
}

fn specification(specification: &Wire) -> String {
    let part = |name: &str| {
        let part = field(specification, name).expect("a part of a key specification");
        let kind = field(part, "type").map(text).unwrap_or_default();
        (kind, field(part, "spec").cloned())
    };
    let values = |spec: Option<Wire>| -> Vec<String> {
        let spec = spec.unwrap_or(Wire::Nil);
        let values = items(&spec).iter().skip(1).step_by(2);
        values
            .map(|value| match value {
                Wire::Integer(n) => n.to_string(),
                word => text(word),
            })
            .collect()
    };
    let (_, begin) = part("begin_search");
    let (kind, find) = part("find_keys");
    format!(
        "{} {kind} {}",
        values(begin).join("@"),
        values(find).join(" ")
    )
}

fn field<'a>(pairs: &'a Wire, name: &str) -> Option<&'a Wire> {
    let (pairs, _) = items(pairs).as_chunks();
    pairs
        .iter()
        .find_map(|[key, value]| (text(key) == name).then_some(value))
}

fn items(reply: &Wire) -> &[Wire] {
    match reply {
        Wire::Array(items) | Wire::Set(items) => items,
        _ => &[],
    }
}

fn text(reply: &Wire) -> String {
    match reply {
        Wire::Bulk(bytes) | Wire::Status(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("a text is expected, not {}", other.show()),
    }
}

fn integer(reply: &Wire) -> i64 {
    match reply {
        Wire::Integer(n) => *n,
        other => panic!("an integer is expected, not {}", other.show()),
    }
}
