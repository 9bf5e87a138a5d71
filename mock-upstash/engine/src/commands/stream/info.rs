//! XINFO: what a stream, its groups and their consumers look like.

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::{NO_SUCH_KEY, ReplyError};
use crate::reply::{Outcome, Reply};
use crate::value::Stream;
use crate::value::stream::{Consumer, Group, Id};

use super::{entry_reply, id_reply, no_group_in_key};

/// How many entries FULL shows when it is not told.
const DEFAULT_COUNT: usize = 10;

/// Pairs of a name and what it says.
fn named<const N: usize>(pairs: [(&str, Reply); N]) -> Vec<(Reply, Reply)> {
    pairs
        .into_iter()
        .map(|(name, value)| (Reply::bulk(name), value))
        .collect()
}

fn integer(n: u64) -> Reply {
    Reply::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

/// `XINFO CONSUMERS key group`
pub(super) fn consumers(call: &mut Call<'_>) -> Outcome {
    let (key, name, now_ms) = (call.arg(2), call.arg(3), call.now_ms);
    let answers_nothing = call.quirk(Quirk::ConsumersOfMissingGroup);
    let stream = call.db().read::<Stream>(key)?.ok_or(NO_SUCH_KEY)?;
    let Some(group) = stream.group(name) else {
        if answers_nothing {
            return Ok(Reply::Array(Vec::new()));
        }
        return Err(no_group_in_key(key, name));
    };
    let since = |then: u64| integer(now_ms.saturating_sub(then));
    let shown = |consumer: &Consumer| {
        Reply::Map(named([
            ("name", Reply::bulk(&consumer.name)),
            ("pending", Reply::count(consumer.pending.len())),
            ("idle", since(consumer.seen_ms)),
            (
                "inactive",
                consumer.active_ms.map_or(Reply::Integer(-1), since),
            ),
        ]))
    };
    Ok(Reply::Array(group.consumers().map(shown).collect()))
}

/// `XINFO GROUPS key`
pub(super) fn groups(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(2);
    let stream = call.db().read::<Stream>(key)?.ok_or(NO_SUCH_KEY)?;
    let shown = |(name, group): (&[u8], &Group)| {
        Reply::Map(named([
            ("name", Reply::bulk(name)),
            ("consumers", Reply::count(group.consumers().len())),
            ("pending", Reply::count(group.pending_len())),
            ("last-delivered-id", id_reply(group.last_id)),
            (
                "entries-read",
                group.entries_read.map_or(Reply::Nil, integer),
            ),
            ("lag", stream.lag(group).map_or(Reply::Nil, Reply::Integer)),
        ]))
    };
    Ok(Reply::Array(stream.groups().map(shown).collect()))
}

/// `XINFO STREAM key [FULL [COUNT count]]`
pub(super) fn stream(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(2);
    if call.db().read::<Stream>(key)?.is_none() {
        return Err(NO_SUCH_KEY);
    }
    let full = match call.args.len() {
        3 => None,
        4 if call.is(3, "FULL") => Some(DEFAULT_COUNT),
        6 if call.is(3, "FULL") && call.is(4, "COUNT") => {
            Some(usize::try_from(call.integer(5)?).unwrap_or(DEFAULT_COUNT))
        }
        _ => return Err(ReplyError::subcommand_form(call.args)),
    };
    let upstash = call.quirk(Quirk::StreamDeduplication);
    let Some(stream) = call.db().read::<Stream>(key)? else {
        return Err(NO_SUCH_KEY);
    };
    let mut pairs = named([
        ("length", Reply::count(stream.len())),
        ("radix-tree-keys", Reply::count(stream.nodes())),
        ("radix-tree-nodes", Reply::count(stream.nodes().max(1))),
        ("last-generated-id", id_reply(stream.last_id())),
        ("max-deleted-entry-id", id_reply(stream.max_deleted_id())),
        ("entries-added", integer(stream.entries_added())),
        (
            "recorded-first-entry-id",
            id_reply(stream.first().map_or(Id::MIN, |entry| entry.id)),
        ),
    ]);
    if !upstash {
        // Redis 8.6 tells about idempotent adding here, which is not offered: these are the figures
        // of a stream that makes no use of it.
        pairs.extend(named([
            ("idmp-duration", Reply::Integer(100)),
            ("idmp-maxsize", Reply::Integer(100)),
            ("pids-tracked", Reply::Integer(0)),
            ("iids-tracked", Reply::Integer(0)),
            ("iids-added", Reply::Integer(0)),
            ("iids-duplicates", Reply::Integer(0)),
        ]));
    }
    match full {
        None => {
            let entry = |entry: Option<_>| entry.map_or(Reply::Nil, entry_reply);
            pairs.extend(named([
                ("groups", Reply::count(stream.groups().len())),
                ("first-entry", entry(stream.first())),
                ("last-entry", entry(stream.last())),
            ]));
        }
        Some(count) => {
            let count = if count == 0 { usize::MAX } else { count };
            let entries = stream.range(Id::MIN, Id::MAX).take(count);
            let groups = stream
                .groups()
                .map(|(name, group)| full_group(stream, name, group, count));
            pairs.extend(named([
                ("entries", Reply::Array(entries.map(entry_reply).collect())),
                ("groups", Reply::Array(groups.collect())),
            ]));
        }
    }
    Ok(Reply::Map(pairs))
}

fn full_group(stream: &Stream, name: &[u8], group: &Group, count: usize) -> Reply {
    let pending = group.pending_range(Id::MIN, Id::MAX).take(count);
    let pending = pending.map(|(id, pending)| {
        Reply::Array(vec![
            id_reply(id),
            Reply::bulk(&pending.consumer),
            integer(pending.delivered_ms),
            Reply::Integer(pending.deliveries),
        ])
    });
    let consumers = group
        .consumers()
        .map(|consumer| full_consumer(group, consumer, count));
    Reply::Map(named([
        ("name", Reply::bulk(name)),
        ("last-delivered-id", id_reply(group.last_id)),
        (
            "entries-read",
            group.entries_read.map_or(Reply::Nil, integer),
        ),
        ("lag", stream.lag(group).map_or(Reply::Nil, Reply::Integer)),
        ("pel-count", Reply::count(group.pending_len())),
        ("nacked-count", Reply::Integer(0)),
        ("pending", Reply::Array(pending.collect())),
        ("consumers", Reply::Array(consumers.collect())),
    ]))
}

fn full_consumer(group: &Group, consumer: &Consumer, count: usize) -> Reply {
    let pending = consumer.pending.iter().take(count).filter_map(|id| {
        let pending = group.pending(*id)?;
        Some(Reply::Array(vec![
            id_reply(*id),
            integer(pending.delivered_ms),
            Reply::Integer(pending.deliveries),
        ]))
    });
    Reply::Map(named([
        ("name", Reply::bulk(&consumer.name)),
        ("seen-time", integer(consumer.seen_ms)),
        (
            "active-time",
            consumer.active_ms.map_or(Reply::Integer(-1), integer),
        ),
        ("pel-count", Reply::count(consumer.pending.len())),
        ("pending", Reply::Array(pending.collect())),
    ]))
}
