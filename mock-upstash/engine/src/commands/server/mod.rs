//! Server commands: what the server is, how it is set, and the whole of the data at once.

mod acl;
mod config;
mod info;
mod table;

use crate::call::{Call, Origin};
use crate::command::{Categories, Command, Flags, Group, Handler, Rest};
use crate::error::ReplyError;
use crate::reply::{Outcome, Reply};

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::Server, name, arity, handler)
}

const fn admin(name: &'static str, arity: i16, handler: Handler) -> Command {
    row(name, arity, handler).flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
}

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    Command::container(Group::Server, "ACL", -2, acl::ACL).since("6.0.0"),
    row("COMMAND", -1, table::command)
        .flags(&[Flags::LOADING, Flags::STALE])
        .categories(&[Categories::CONNECTION])
        .read_only_token(true)
        .since("2.8.13"),
    Command::container(Group::Server, "CONFIG", -2, CONFIG).since("2.0.0"),
    row("DBSIZE", 1, dbsize)
        .flags(&[Flags::READONLY, Flags::FAST])
        .categories(&[Categories::KEYSPACE])
        .since("1.0.0"),
    row("FLUSHALL", -1, flushall)
        .flags(&[Flags::WRITE])
        .categories(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .since("1.0.0"),
    row("FLUSHDB", -1, flushdb)
        .flags(&[Flags::WRITE])
        .categories(&[Categories::KEYSPACE, Categories::DANGEROUS])
        .since("1.0.0"),
    row("INFO", -1, info::info)
        .flags(&[Flags::LOADING, Flags::STALE])
        .categories(&[Categories::DANGEROUS])
        .read_only_token(true)
        .since("1.0.0"),
    admin("MONITOR", 1, monitor)
        .rest(Rest::Stream)
        .since("1.0.0"),
    row("TIME", 1, time)
        .flags(&[Flags::LOADING, Flags::STALE, Flags::FAST])
        .read_only_token(true)
        .since("2.6.0"),
];

const CONFIG: &[Command] = &[
    admin("CONFIG GET", -3, config::get).since("2.0.0"),
    admin("CONFIG SET", -4, config::set).since("2.0.0"),
];

/// `DBSIZE`
fn dbsize(call: &mut Call<'_>) -> Outcome {
    let now_ms = call.now_ms;
    let db = call.db();
    Ok(Reply::count(db.len() + db.lingering_len(now_ms)))
}

/// `TIME`
fn time(call: &mut Call<'_>) -> Outcome {
    let now_us = call.engine.clock.now_us();
    let parts = [now_us / 1_000_000, now_us % 1_000_000];
    Ok(Reply::bulks(parts.map(|part| part.to_string())))
}

/// `FLUSHALL [ASYNC|SYNC]`
fn flushall(call: &mut Call<'_>) -> Outcome {
    check_flush_mode(call)?;
    for db in 0..call.engine.databases.len() {
        call.engine.flush(db);
    }
    Ok(Reply::OK)
}

/// `FLUSHDB [ASYNC|SYNC]`
fn flushdb(call: &mut Call<'_>) -> Outcome {
    check_flush_mode(call)?;
    call.engine.flush(call.db);
    Ok(Reply::OK)
}

fn check_flush_mode(call: &Call<'_>) -> Result<(), ReplyError> {
    match call.args.len() {
        1 => Ok(()),
        2 if call.is(1, "ASYNC") || call.is(1, "SYNC") => Ok(()),
        _ => call.syntax_error(),
    }
}

/// `MONITOR`
fn monitor(call: &mut Call<'_>) -> Outcome {
    if call.origin != Origin::Client {
        return Err(ReplyError::fixed(
            "ERR MONITOR isn't allowed for DENY BLOCKING client",
        ));
    }
    let client = call.client;
    if !std::mem::replace(&mut call.session().monitors, true) {
        call.engine.monitors.push(client);
    }
    Ok(Reply::OK)
}
