//! Commands by which a consumer takes over what is pending for others.

use bytes::Bytes;

use crate::call::Call;
use crate::commands::argument::ranged;
use crate::error::{ReplyError, SYNTAX};
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::Stream;
use crate::value::stream::Id;

use super::{
    argument, entry_reply, group_mut, id_reply, no_group, pending_limit, require_group,
    see_consumer, shown,
};

/// Most entries that one XAUTOCLAIM may be asked for: room for as many ids is set aside.
const MAX_COUNT: i64 = i64::MAX / 16;
/// More than this Redis cannot set aside on any machine of today.
const MAX_ALLOCATED_COUNT: i64 = 1 << 40;

/// What XCLAIM is told behind the ids.
struct Options {
    delivered_ms: u64,
    deliveries: Option<i64>,
    force: bool,
    just_id: bool,
    last_id: Id,
}

/// `XCLAIM key group consumer min-idle-time id [id …] [IDLE ms] [TIME ms] [RETRYCOUNT count] [FORCE]
/// [JUSTID] [LASTID id]`
pub(super) fn xclaim(call: &mut Call<'_>) -> Outcome {
    let (key, name, consumer) = (call.arg(1), call.arg(2), call.arg(3));
    require_group(call, key, name)?;
    let error = ReplyError::fixed("ERR Invalid min-idle-time argument for XCLAIM");
    let min_idle_ms = ranged(call, 4, i64::MIN, i64::MAX, error)?;
    let ids: Vec<Id> = call
        .args_from(5)
        .iter()
        .map_while(|text| Id::parse(text, 0))
        .collect();
    let options = parse(call, 5 + ids.len())?;
    pending_limit::check_claim(call, "XClaim", [key, name, consumer], ids.len())?;
    let group = group_mut(call, key, name)?;
    group.last_id = group.last_id.max(options.last_id);
    see_consumer(call, key, name, consumer)?;

    let now_ms = call.now_ms;
    let stream = call.db().write::<Stream>(key)?;
    let stream = stream.ok_or_else(|| no_group(key, name))?;
    let mut claimed = Vec::new();
    for id in ids {
        let entry = stream.get(id);
        let shown = match entry {
            Some(_) if options.just_id => Some(id_reply(id)),
            entry => entry.map(entry_reply),
        };
        let Some(group) = stream.group_mut(name) else {
            break;
        };
        let Some(shown) = shown else {
            // The entry is gone, so there is nothing to claim or to keep.
            group.acknowledge(id);
            continue;
        };
        let before = match group.pending(id) {
            Some(pending) if idle_ms(now_ms, pending.delivered_ms) < min_idle_ms => continue,
            Some(pending) => pending.deliveries,
            None if options.force => 1,
            None => continue,
        };
        let deliveries = match options.deliveries {
            Some(deliveries) => deliveries,
            None if options.just_id => before,
            None => before.saturating_add(1),
        };
        group.assign(id, consumer, options.delivered_ms, deliveries);
        group.served(consumer, now_ms);
        claimed.push(shown);
    }
    Ok(Reply::Array(claimed))
}

fn idle_ms(now_ms: u64, delivered_ms: u64) -> i64 {
    i64::try_from(now_ms.saturating_sub(delivered_ms)).unwrap_or(i64::MAX)
}

fn parse(call: &Call<'_>, from: usize) -> Result<Options, ReplyError> {
    let now = i64::try_from(call.now_ms).unwrap_or(i64::MAX);
    let (mut delivered, mut deliveries) = (None, None);
    let mut options = Options {
        delivered_ms: call.now_ms,
        deliveries: None,
        force: false,
        just_id: false,
        last_id: Id::MIN,
    };
    let number = |at: usize, option: &str| {
        number::integer(call.arg(at)).ok_or_else(|| {
            ReplyError::new(format!("ERR Invalid {option} option argument for XCLAIM"))
        })
    };
    let mut at = from;
    while at < call.args.len() {
        let more = at + 1 < call.args.len();
        match () {
            () if call.is(at, "FORCE") => options.force = true,
            () if call.is(at, "JUSTID") => options.just_id = true,
            () if more && call.is(at, "IDLE") => {
                at += 1;
                delivered = Some(now.saturating_sub(number(at, "IDLE")?));
            }
            () if more && call.is(at, "TIME") => {
                at += 1;
                delivered = Some(number(at, "TIME")?);
            }
            () if more && call.is(at, "RETRYCOUNT") => {
                at += 1;
                deliveries = Some(number(at, "RETRYCOUNT")?);
            }
            () if more && call.is(at, "LASTID") => {
                at += 1;
                options.last_id = argument::id(call, at)?;
            }
            () => {
                let option = shown(call.arg(at));
                let parts: [&[u8]; 3] = [b"ERR Unrecognized XCLAIM option '", option, b"'"];
                return Err(ReplyError::new(parts.concat()));
            }
        }
        at += 1;
    }
    // A delivery in the future, or before time began, is one that happens now.
    if let Some(delivered) = delivered.filter(|at| (0..=now).contains(at)) {
        options.delivered_ms = delivered.unsigned_abs();
    }
    options.deliveries = deliveries.filter(|count| *count >= 0);
    Ok(options)
}

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`
pub(super) fn xautoclaim(call: &mut Call<'_>) -> Outcome {
    let error = ReplyError::fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM");
    let min_idle_ms = ranged(call, 4, i64::MIN, i64::MAX, error)?;
    let start = argument::range_start(call, 5)?;
    let (mut count, mut just_id) = (100, false);
    let mut at = 6;
    while at < call.args.len() {
        if call.is(at, "COUNT") && at + 1 < call.args.len() {
            let error = ReplyError::fixed("ERR COUNT must be > 0");
            count = ranged(call, at + 1, 1, MAX_COUNT, error)?;
            at += 2;
        } else if call.is(at, "JUSTID") {
            just_id = true;
            at += 1;
        } else {
            return Err(SYNTAX);
        }
    }
    let (key, name, consumer) = (call.arg(1), call.arg(2), call.arg(3));
    require_group(call, key, name)?;
    if count > MAX_ALLOCATED_COUNT {
        return Err(ReplyError::fixed(
            "ERR Insufficient memory, failed allocating transient memory, COUNT too high.",
        ));
    }
    let requested = usize::try_from(count).unwrap_or(usize::MAX);
    pending_limit::check_claim(call, "XAutoClaim", [key, name, consumer], requested)?;
    see_consumer(call, key, name, consumer)?;
    claim_idle(
        call,
        [key, name, consumer],
        min_idle_ms,
        start,
        count,
        just_id,
    )
}

fn claim_idle(
    call: &mut Call<'_>,
    [key, name, consumer]: [&Bytes; 3],
    min_idle_ms: i64,
    start: Id,
    count: i64,
    just_id: bool,
) -> Outcome {
    let now_ms = call.now_ms;
    let stream = call.db().write::<Stream>(key)?;
    let stream = stream.ok_or_else(|| no_group(key, name))?;
    let (mut claimed, mut deleted) = (Vec::new(), Vec::new());
    let mut left = usize::try_from(count).unwrap_or(usize::MAX);
    // Entries that are not idle enough cost work too: ten times the count are looked at.
    let mut attempts = left.saturating_mul(10);
    let mut next = Some(start);
    let mut cursor = None;
    while let Some(from) = next {
        let group = stream.group(name).ok_or_else(|| no_group(key, name))?;
        let found = group.pending_range(from, Id::MAX).next();
        let Some((id, pending)) = found else {
            break;
        };
        if left == 0 || attempts == 0 {
            cursor = Some(id);
            break;
        }
        attempts -= 1;
        next = id.next();
        let (idle, deliveries) = (idle_ms(now_ms, pending.delivered_ms), pending.deliveries);
        let shown = match stream.get(id) {
            Some(_) if just_id => Some(id_reply(id)),
            entry => entry.map(entry_reply),
        };
        let group = stream.group_mut(name).ok_or_else(|| no_group(key, name))?;
        let Some(shown) = shown else {
            group.acknowledge(id);
            deleted.push(id_reply(id));
            left -= 1;
            continue;
        };
        if idle < min_idle_ms {
            continue;
        }
        let deliveries = deliveries.saturating_add(i64::from(!just_id));
        group.assign(id, consumer, now_ms, deliveries);
        group.served(consumer, now_ms);
        claimed.push(shown);
        left -= 1;
    }
    Ok(Reply::Array(vec![
        id_reply(cursor.unwrap_or(Id::MIN)),
        Reply::Array(claimed),
        Reply::Array(deleted),
    ]))
}
