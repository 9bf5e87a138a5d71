//! XREAD and XREADGROUP: what is new in several streams, waited for if need be.

use bytes::Bytes;

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::{NEGATIVE_TIMEOUT, ReplyError, SYNTAX, TIMEOUT_OUT_OF_RANGE};
use crate::keyspace::Key;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::stream::Id;
use crate::value::{Kind, Stream};

use super::argument::INVALID_ID;
use super::{entry_reply, fields_reply, id_reply, no_group, pending_limit, see_consumer};

/// From where a stream is read.
#[derive(Clone, Copy, PartialEq)]
enum Position {
    /// Behind this id.
    After(Id),
    /// What no consumer of the group has had (`>`).
    New,
}

struct GroupQuery<'e> {
    group: &'e Bytes,
    consumer: &'e Bytes,
    no_ack: bool,
    /// Pending entries that have been idle for so long come first, whoever has them.
    claim_ms: Option<u64>,
}

struct Query<'e> {
    group: Option<GroupQuery<'e>>,
    /// 0 is no limit.
    count: usize,
    /// How long to wait; `None` within is for ever.
    block: Option<Option<u64>>,
    /// Index of the first key.
    keys_at: usize,
    keys: &'e [Bytes],
}

/// Where the keys of XREAD and XREADGROUP stand: the first half of what follows `STREAMS`.
pub(super) fn keys(args: &[Bytes]) -> Vec<usize> {
    let mut at = 1;
    while at < args.len() {
        let is = |word: &str| args[at].eq_ignore_ascii_case(word.as_bytes());
        if is("STREAMS") {
            let count = (args.len() - at - 1) / 2;
            return (at + 1..at + 1 + count).collect();
        }
        at += option_length(is);
    }
    Vec::new()
}

/// Whether XREAD or XREADGROUP is sent with BLOCK: among the options, not among keys and ids.
pub fn asks_to_block(args: &[Bytes]) -> bool {
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        let is = |word: &str| arg.eq_ignore_ascii_case(word.as_bytes());
        match () {
            () if is("STREAMS") => return false,
            () if is("BLOCK") => return true,
            () => at += option_length(is),
        }
    }
    false
}

/// How many arguments an option has, its name included.
fn option_length(is: impl Fn(&str) -> bool) -> usize {
    match () {
        () if is("GROUP") => 3,
        () if is("BLOCK") || is("COUNT") || is("CLAIM") => 2,
        () => 1,
    }
}

/// `XREAD [COUNT count] [BLOCK ms] STREAMS key [key …] id [id …]`
pub(super) fn xread(call: &mut Call<'_>) -> Outcome {
    read(call, false)
}

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [CLAIM min-idle-time] [NOACK]
/// STREAMS key [key …] id [id …]`
pub(super) fn xreadgroup(call: &mut Call<'_>) -> Outcome {
    read(call, true)
}

fn read(call: &mut Call<'_>, for_group: bool) -> Outcome {
    let mut query = parse(call, for_group)?;
    let positions = (0..query.keys.len())
        .map(|place| position(call, &query, place))
        .collect::<Result<Vec<_>, _>>()?;
    let mut read = Vec::new();
    for (key, position) in query.keys.iter().zip(&positions) {
        let entries = match &mut query.group {
            None => read_plain(call, key, *position, query.count)?,
            Some(group) => {
                if *position != Position::New {
                    // Redis claims no more once it has come to a stream whose history is read.
                    group.claim_ms = None;
                }
                read_for_group(call, key, *position, query.count, group)?
            }
        };
        if let Some(entries) = entries {
            read.push((Reply::bulk(key), Reply::Array(entries)));
        }
    }
    if !read.is_empty() {
        return Ok(if call.resp3() {
            Reply::Map(read)
        } else {
            let pair = |(key, entries)| Reply::Array(vec![key, entries]);
            Reply::Array(read.into_iter().map(pair).collect())
        });
    }
    let Some(timeout_ms) = query.block else {
        return Ok(Reply::NilArray);
    };
    // Run again, `$` has to mean what it means now; `+` means what is last by then.
    let mut args = call.args.to_vec();
    for (place, position) in positions.iter().enumerate() {
        let text = &args[query.keys_at + query.keys.len() + place];
        if let Position::After(id) = position
            && text != "+"
        {
            args[query.keys_at + query.keys.len() + place] = id.to_string().into();
        }
    }
    let keys = query.keys.iter().map(|key| Key::from(&key[..])).collect();
    call.block_as(
        args,
        keys,
        Kind::Stream,
        for_group,
        timeout_ms,
        Reply::NilArray,
    )
}

fn parse<'e>(call: &Call<'e>, for_group: bool) -> Result<Query<'e>, ReplyError> {
    let (mut group, mut no_ack, mut claim_ms) = (None, false, None);
    let (mut count, mut block) = (0, None);
    let only_for_group = |option: &str| {
        if for_group {
            return Ok(());
        }
        Err(ReplyError::new(format!(
            "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
        )))
    };
    let mut at = 1;
    loop {
        let more = call.args.len().saturating_sub(at + 1);
        match () {
            () if at >= call.args.len() => return Err(SYNTAX),
            () if more > 0 && call.is(at, "BLOCK") => {
                at += 1;
                block = Some(timeout_ms(call, at)?);
            }
            () if more > 0 && call.is(at, "COUNT") => {
                at += 1;
                count = usize::try_from(call.integer(at)?).unwrap_or(0);
            }
            () if more > 1 && call.is(at, "GROUP") => {
                only_for_group("GROUP")?;
                group = Some((&call.args[at + 1], &call.args[at + 2]));
                at += 2;
            }
            () if more > 0 && call.is(at, "CLAIM") => {
                only_for_group("CLAIM")?;
                at += 1;
                let idle = number::integer(call.arg(at)).ok_or(ReplyError::fixed(
                    "ERR min-idle-time is not an integer or out of range",
                ))?;
                claim_ms = Some(u64::try_from(idle).map_err(|_| {
                    ReplyError::fixed("ERR min-idle-time must be a positive integer")
                })?);
            }
            () if call.is(at, "NOACK") => {
                only_for_group("NOACK")?;
                no_ack = true;
            }
            () if more > 0 && call.is(at, "STREAMS") => {
                at += 1;
                break;
            }
            () => return Err(SYNTAX),
        }
        at += 1;
    }
    let rest = call.args_from(at);
    if !rest.len().is_multiple_of(2) {
        return Err(ReplyError::fixed(if for_group {
            "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
        } else {
            "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."
        }));
    }
    if for_group && group.is_none() {
        return Err(ReplyError::fixed("ERR Missing GROUP option for XREADGROUP"));
    }
    Ok(Query {
        group: group.map(|(group, consumer)| GroupQuery {
            group,
            consumer,
            no_ack,
            claim_ms,
        }),
        count,
        block,
        keys_at: at,
        keys: &rest[..rest.len() / 2],
    })
}

/// Milliseconds, whole ones unlike other commands' timeouts.
fn timeout_ms(call: &Call<'_>, index: usize) -> Result<Option<u64>, ReplyError> {
    let ms = number::integer(call.arg(index)).ok_or(ReplyError::fixed(
        "ERR timeout is not an integer or out of range",
    ))?;
    let ms = u64::try_from(ms).map_err(|_| NEGATIVE_TIMEOUT)?;
    if ms.saturating_add(call.now_ms) > i64::MAX as u64 {
        return Err(TIMEOUT_OUT_OF_RANGE);
    }
    Ok(Some(ms).filter(|ms| *ms > 0))
}

/// From where the stream at a place of the list is to be read.
fn position(call: &mut Call<'_>, query: &Query<'_>, place: usize) -> Result<Position, ReplyError> {
    let key = &query.keys[place];
    let text = call.arg(query.keys_at + query.keys.len() + place);
    let stream = call.db().read::<Stream>(key)?;
    if let Some(group) = &query.group
        && stream.is_none_or(|stream| stream.group(group.group).is_none())
    {
        let mut text = no_group(key, group.group).as_bytes().to_vec();
        text.extend_from_slice(b" in XREADGROUP with GROUP option");
        return Err(ReplyError::new(text));
    }
    let last_id = stream.map_or(Id::MIN, Stream::last_id);
    match (&text[..], &query.group) {
        (b"$" | b"+", Some(_)) => {
            let sign = char::from(text[0]);
            Err(ReplyError::new(format!(
                "ERR The {sign} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The {sign} ID would just return an empty result set."
            )))
        }
        (b"$", None) => Ok(Position::After(last_id)),
        // The last entry itself, so from just before it.
        (b"+", None) => {
            let last = stream.and_then(Stream::last).map(|entry| entry.id);
            let before = last.and_then(Id::previous).unwrap_or(last_id);
            Ok(Position::After(before))
        }
        (b">", Some(_)) => Ok(Position::New),
        (b">", None) => Err(ReplyError::fixed(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        (_, group) => match Id::parse(text, 0).ok_or(INVALID_ID)? {
            // The highest id is what `>` stands for within Redis, so it means the same.
            Id::MAX if group.is_some() => Ok(Position::New),
            id => Ok(Position::After(id)),
        },
    }
}

fn limit(count: usize) -> usize {
    if count == 0 { usize::MAX } else { count }
}

fn read_plain(
    call: &mut Call<'_>,
    key: &Bytes,
    position: Position,
    count: usize,
) -> Result<Option<Vec<Reply>>, ReplyError> {
    let Position::After(id) = position else {
        return Ok(None);
    };
    let Some(start) = id.next() else {
        return Ok(None);
    };
    let Some(stream) = call.db().read::<Stream>(key)? else {
        return Ok(None);
    };
    let entries = stream.range(start, Id::MAX).take(limit(count));
    let entries: Vec<Reply> = entries.map(entry_reply).collect();
    Ok(Some(entries).filter(|entries| !entries.is_empty()))
}

fn read_for_group(
    call: &mut Call<'_>,
    key: &Bytes,
    position: Position,
    count: usize,
    query: &GroupQuery<'_>,
) -> Result<Option<Vec<Reply>>, ReplyError> {
    if !(query.no_ack && call.quirk(Quirk::NoackConsumer)) {
        see_consumer(call, key, query.group, query.consumer)?;
    }
    if let Position::After(id) = position {
        return history(call, key, id, count, query).map(Some);
    }
    if !query.no_ack {
        check_pending_limit(call, key, count, query)?;
    }
    let mut entries = claim_idle(call, key, count, query)?;
    if count == 0 || entries.len() < count {
        let left = if count == 0 { 0 } else { count - entries.len() };
        entries.extend(deliver(call, key, left, query)?);
    }
    Ok(Some(entries).filter(|entries| !entries.is_empty()))
}

/// What is pending for a consumer, behind an id; each entry counts as delivered once more. Entries
/// that are gone have nil for their fields.
fn history(
    call: &mut Call<'_>,
    key: &Bytes,
    after: Id,
    count: usize,
    query: &GroupQuery<'_>,
) -> Result<Vec<Reply>, ReplyError> {
    let now_ms = call.now_ms;
    let Some(stream) = call.db().write::<Stream>(key)? else {
        return Ok(Vec::new());
    };
    let consumer = stream
        .group(query.group)
        .and_then(|group| group.consumer(query.consumer));
    let (Some(consumer), Some(start)) = (consumer, after.next()) else {
        return Ok(Vec::new());
    };
    let pending = consumer.pending.range(start..).take(limit(count));
    let ids: Vec<Id> = pending.copied().collect();
    let mut shown = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(entry) = stream.get(id) else {
            shown.push(Reply::Array(vec![id_reply(id), Reply::NilArray]));
            continue;
        };
        shown.push(entry_reply(entry));
        let group = stream.group_mut(query.group);
        if let Some(pending) = group.and_then(|group| group.pending_mut(id)) {
            pending.delivered_ms = now_ms;
            pending.deliveries = pending.deliveries.saturating_add(1);
        }
    }
    Ok(shown)
}

/// Entries that no consumer of the group has had; they become pending unless NOACK was given.
fn deliver(
    call: &mut Call<'_>,
    key: &Bytes,
    count: usize,
    query: &GroupQuery<'_>,
) -> Result<Vec<Reply>, ReplyError> {
    let now_ms = call.now_ms;
    let Some(stream) = call.db().write::<Stream>(key)? else {
        return Ok(Vec::new());
    };
    let start = stream
        .group(query.group)
        .and_then(|group| group.last_id.next());
    let Some(start) = start else {
        return Ok(Vec::new());
    };
    let new = stream.range(start, Id::MAX).take(limit(count));
    let mut ids = Vec::new();
    let mut shown = Vec::new();
    for entry in new {
        ids.push(entry.id);
        let mut reply = vec![id_reply(entry.id), fields_reply(entry)];
        if query.claim_ms.is_some() {
            // Neither idle nor delivered before.
            reply.extend([Reply::Integer(0), Reply::Integer(0)]);
        }
        shown.push(Reply::Array(reply));
    }
    for id in ids {
        stream.advance_group(query.group, id);
        if !query.no_ack
            && let Some(group) = stream.group_mut(query.group)
        {
            group.assign(id, query.consumer, now_ms, 1);
            group.served(query.consumer, now_ms);
        }
    }
    Ok(shown)
}

/// With CLAIM: pending entries that have been idle long enough, the longest first. Each shows for how
/// long, and how often it had been delivered.
fn claim_idle(
    call: &mut Call<'_>,
    key: &Bytes,
    count: usize,
    query: &GroupQuery<'_>,
) -> Result<Vec<Reply>, ReplyError> {
    let now_ms = call.now_ms;
    let Some(min_idle_ms) = query.claim_ms else {
        return Ok(Vec::new());
    };
    let Some(stream) = call.db().write::<Stream>(key)? else {
        return Ok(Vec::new());
    };
    let Some(group) = stream.group(query.group) else {
        return Ok(Vec::new());
    };
    let mut idle: Vec<(u64, Id, i64)> = group
        .pending_range(Id::MIN, Id::MAX)
        .filter(|(_, pending)| now_ms.saturating_sub(pending.delivered_ms) >= min_idle_ms)
        .map(|(id, pending)| (pending.delivered_ms, id, pending.deliveries))
        .collect();
    idle.sort_unstable();
    let mut shown = Vec::new();
    for (delivered_ms, id, deliveries) in idle {
        if shown.len() == limit(count) {
            break;
        }
        let Some(entry) = stream.get(id) else {
            continue;
        };
        let idle_ms = now_ms.saturating_sub(delivered_ms);
        shown.push(Reply::Array(vec![
            id_reply(id),
            fields_reply(entry),
            Reply::Integer(i64::try_from(idle_ms).unwrap_or(i64::MAX)),
            Reply::Integer(deliveries),
        ]));
        if let Some(group) = stream.group_mut(query.group) {
            group.assign(id, query.consumer, now_ms, deliveries.saturating_add(1));
            group.served(query.consumer, now_ms);
        }
    }
    Ok(shown)
}

/// Refuses a read that could bring its consumer above the entries that it may have pending.
fn check_pending_limit(
    call: &mut Call<'_>,
    key: &Bytes,
    count: usize,
    query: &GroupQuery<'_>,
) -> Result<(), ReplyError> {
    let requested = match count {
        0 => {
            let stream = call.db().read::<Stream>(key)?;
            stream.map_or(0, |stream| {
                let group = stream.group(query.group);
                let next = group.and_then(|group| group.last_id.next());
                stream.range(next.unwrap_or(Id::MAX), Id::MAX).count()
            })
        }
        count => count,
    };
    let place = [key, query.group, query.consumer];
    pending_limit::check(call, "XReadGroup", place, requested)
}
