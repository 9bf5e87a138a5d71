//! INFO: the server in sections, as Redis has them or as Upstash does.

use crate::call::Call;
use crate::dialect::Quirk;
use crate::engine::{Engine, REDIS_VERSION};
use crate::reply::{Outcome, Reply};
use crate::session::Session;

/// The version of Upstash's engine that is followed: answered with Redis 8.4.0 in October 2026.
const UPSTASH_VERSION: &str = "1.18.1";

/// What INFO showed on a free database, for engines without limits (INFO outputs that users published
/// in 2025).
const FREE_STORAGE: u64 = 268_435_456;
const OPS_PER_SECOND: u64 = 10_000;
const CLIENTS: u64 = 10_000;

/// A section: the name that INFO is asked for, its title, and its lines.
struct Section {
    name: &'static str,
    title: &'static str,
    lines: fn(&Engine) -> Vec<(String, String)>,
}

fn line(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// Sections of stock Redis, of the fields that mean something in an embedded store.
const REDIS: &[Section] = &[
    Section {
        name: "server",
        title: "Server",
        lines: |engine| {
            vec![
                line("redis_version", REDIS_VERSION),
                line("redis_git_sha1", "00000000"),
                line("redis_mode", "standalone"),
                line("server_time_usec", engine.clock.now_us()),
            ]
        },
    },
    Section {
        name: "clients",
        title: "Clients",
        lines: redis_clients,
    },
    Section {
        name: "memory",
        title: "Memory",
        lines: |_| vec![line("maxmemory", 0), line("maxmemory_policy", "noeviction")],
    },
    Section {
        name: "persistence",
        title: "Persistence",
        lines: |_| vec![line("loading", 0)],
    },
    Section {
        name: "stats",
        title: "Stats",
        lines: |engine| {
            vec![
                line(
                    "total_connections_received",
                    engine.node_stats().connections,
                ),
                line("total_commands_processed", engine.node_stats().commands),
                line("expired_keys", engine.stats.expired),
                line("evicted_keys", engine.stats.evicted),
                line("keyspace_hits", engine.node_stats().hits),
                line("keyspace_misses", engine.node_stats().misses),
            ]
        },
    },
    Section {
        name: "replication",
        title: "Replication",
        lines: |_| vec![line("role", "master"), line("connected_slaves", 0)],
    },
    Section {
        name: "cluster",
        title: "Cluster",
        lines: |_| vec![line("cluster_enabled", 0)],
    },
    Section {
        name: "keyspace",
        title: "Keyspace",
        lines: keyspace,
    },
];

/// Upstash's sections, with the fields of INFO outputs that users published in 2025.
const UPSTASH: &[Section] = &[
    Section {
        name: "server",
        title: "Server",
        lines: |_| {
            vec![
                line("upstash_version", UPSTASH_VERSION),
                line("redis_version", REDIS_VERSION),
                line("redis_git_sha1", "00000000"),
                line("redis_build_id", 0),
                line("redis_mode", "standalone"),
            ]
        },
    },
    Section {
        name: "clients",
        title: "Clients",
        lines: clients,
    },
    Section {
        name: "memory",
        title: "Memory",
        lines: |engine| {
            // With eviction there is one policy (Upstash docs, features/eviction).
            let policy = match engine.limits.evicts {
                true => "optimistic-volatile",
                false => "noeviction",
            };
            vec![
                line("used_memory", 1024),
                line("used_memory_human", "1.000KB"),
                line("maxmemory", 67_108_864),
                line("maxmemory_human", "64.000MB"),
                line("maxmemory_policy", policy),
            ]
        },
    },
    Section {
        name: "persistence",
        title: "Persistence",
        lines: |engine| {
            let keys: usize = engine
                .databases
                .iter()
                .map(crate::keyspace::Database::len)
                .sum();
            let stored = engine.data_bytes();
            let most = engine.limits.storage_bytes.unwrap_or(FREE_STORAGE);
            vec![
                line("total_keys", keys),
                line("total_data_size", stored),
                line("total_data_size_human", human(stored)),
                line("max_data_size", most),
                line("max_data_size_human", human(most)),
            ]
        },
    },
    Section {
        name: "stats",
        title: "Stats",
        lines: |engine| {
            let stats = engine.node_stats();
            vec![
                line("total_connections_received", stats.connections),
                line("total_commands_processed", stats.commands),
                line(
                    "instantaneous_ops_per_sec",
                    stats.pace.per_second(engine.now_ms()),
                ),
                line(
                    "max_ops_per_sec",
                    engine.limits.commands_per_second.unwrap_or(OPS_PER_SECOND),
                ),
                line("evicted_clients", 0),
                line("expired_keys", engine.stats.expired),
                line("evicted_keys", engine.stats.evicted),
                line("keyspace_hits", stats.hits),
                line("keyspace_misses", stats.misses),
                line("total_reads_processed", engine.usage.reads),
                line("total_writes_processed", engine.usage.writes),
            ]
        },
    },
    Section {
        name: "keyspace",
        title: "Keyspace",
        lines: keyspace,
    },
    Section {
        name: "cluster",
        title: "Cluster",
        lines: |engine| {
            let [local, primary] = engine.node_names();
            vec![
                line("cluster_enabled", 0),
                line("local_member", local),
                line("primary_member", primary),
            ]
        },
    },
];

/// A number of bytes as INFO shows it to people, `256.000MB`.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KB", "MB", "GB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes}B"),
        _ => format!("{size:.3}{}", UNITS[unit]),
    }
}

fn clients(engine: &Engine) -> Vec<(String, String)> {
    let sessions = engine.sessions();
    let connected = sessions.iter().filter(|session| !session.rest).count();
    vec![
        line(
            "connected_clients",
            connected as u64 + engine.usage.connections_beside,
        ),
        line("maxclients", engine.limits.connections.unwrap_or(CLIENTS)),
    ]
}

/// Upstash does not tell how many wait.
fn redis_clients(engine: &Engine) -> Vec<(String, String)> {
    let sessions = engine.sessions();
    let waits = |session: &&&Session| session.blocked.is_some();
    let mut lines = clients(engine);
    lines.push(line(
        "blocked_clients",
        sessions.iter().filter(waits).count(),
    ));
    lines
}

fn keyspace(engine: &Engine) -> Vec<(String, String)> {
    let now_ms = engine.now_ms();
    let mut lines = Vec::new();
    for (index, db) in engine.databases.iter().enumerate() {
        if db.is_empty() {
            continue;
        }
        let expiring = db.expiring_len();
        let left: u64 = db
            .iter()
            .filter_map(|(_, entry)| entry.expires_at())
            .map(|at| at.saturating_sub(now_ms))
            .sum();
        let average = left.checked_div(expiring as u64).unwrap_or(0);
        let value = format!("keys={},expires={expiring},avg_ttl={average}", db.len());
        lines.push(line(&format!("db{index}"), value));
    }
    lines
}

/// `INFO [section …]`
pub(super) fn info(call: &mut Call<'_>) -> Outcome {
    let upstash = call.quirk(Quirk::InfoSections);
    let sections = if upstash { UPSTASH } else { REDIS };
    let asked: Vec<String> = call
        .args_from(1)
        .iter()
        .map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
        .collect();
    let all = asked.is_empty()
        || asked
            .iter()
            .any(|name| matches!(name.as_str(), "all" | "default" | "everything"));
    let mut text = String::new();
    for section in sections {
        if !all && !asked.iter().any(|name| name == section.name) {
            continue;
        }
        heading(&mut text, section.title);
        for (name, value) in (section.lines)(call.engine) {
            text.push_str(&format!("{name}:{value}\r\n"));
        }
    }
    // Of a section it does not know, Upstash shows the heading alone (Upstash docs, commands/info).
    if upstash && !all {
        for name in &asked {
            if !sections.iter().any(|section| section.name == name) {
                heading(&mut text, name);
            }
        }
    }
    Ok(Reply::Verbatim(*b"txt", text.into()))
}

fn heading(text: &mut String, title: &str) {
    if !text.is_empty() {
        text.push_str("\r\n");
    }
    text.push_str(&format!("# {title}\r\n"));
}
