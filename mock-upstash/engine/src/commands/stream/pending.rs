//! The command that shows what was delivered and not acknowledged.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::error::{ReplyError, SYNTAX};
use crate::reply::{Outcome, Reply};
use crate::value::Stream;
use crate::value::stream::{Group, Id, Pending};

use super::{argument, id_reply, require_group};

/// The arguments behind the group.
struct Query<'e> {
    start: Id,
    end: Id,
    count: usize,
    min_idle_ms: i64,
    consumer: Option<&'e [u8]>,
}

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`
pub(super) fn xpending(call: &mut Call<'_>) -> Outcome {
    let query = match call.args.len() {
        3 => None,
        6..=9 => Some(parse(call)?),
        _ => return Err(SYNTAX),
    };
    let (key, name, now_ms) = (call.arg(1), call.arg(2), call.now_ms);
    require_group(call, key, name)?;
    let stream = call.db().read::<Stream>(key)?;
    let Some(group) = stream.and_then(|stream| stream.group(name)) else {
        return Ok(Reply::NilArray);
    };
    Ok(match query {
        None => summary(group),
        Some(query) => query.answer(group, now_ms),
    })
}

fn parse<'e>(call: &Call<'e>) -> Result<Query<'e>, ReplyError> {
    let (mut at, mut min_idle_ms) = (3, 0);
    if call.is(3, "IDLE") {
        min_idle_ms = call.integer(4)?;
        if call.args.len() < 8 {
            return Err(SYNTAX);
        }
        at = 5;
    }
    let count = usize::try_from(call.integer(at + 2)?).unwrap_or(0);
    Ok(Query {
        start: argument::range_start(call, at)?,
        end: argument::range_end(call, at + 1)?,
        count,
        min_idle_ms,
        consumer: call.args.get(at + 3).map(|name| &name[..]),
    })
}

fn summary(group: &Group) -> Reply {
    let mut ids = group.pending_range(Id::MIN, Id::MAX);
    let first = ids.next().map(|(id, _)| id);
    let last = ids.next_back().map(|(id, _)| id).or(first);
    let (Some(first), Some(last)) = (first, last) else {
        return Reply::Array(vec![
            Reply::Integer(0),
            Reply::Nil,
            Reply::Nil,
            Reply::NilArray,
        ]);
    };
    let consumers = group
        .consumers()
        .filter(|consumer| !consumer.pending.is_empty())
        .map(|consumer| {
            let pending = consumer.pending.len().to_string();
            Reply::Array(vec![Reply::bulk(&consumer.name), Reply::bulk(pending)])
        });
    Reply::Array(vec![
        Reply::count(group.pending_len()),
        id_reply(first),
        id_reply(last),
        Reply::Array(consumers.collect()),
    ])
}

impl Query<'_> {
    fn answer(&self, group: &Group, now_ms: u64) -> Reply {
        let idle = |pending: &Pending| {
            i64::try_from(now_ms.saturating_sub(pending.delivered_ms)).unwrap_or(i64::MAX)
        };
        let shown = |(id, pending): (Id, &Pending)| {
            Reply::Array(vec![
                id_reply(id),
                Reply::bulk(&pending.consumer),
                Reply::Integer(idle(pending)),
                Reply::Integer(pending.deliveries),
            ])
        };
        let idle_enough = |(_, pending): &(Id, &Pending)| idle(pending) >= self.min_idle_ms;
        let Some(name) = self.consumer else {
            let entries = group.pending_range(self.start, self.end);
            let entries = entries.filter(idle_enough).take(self.count).map(shown);
            return Reply::Array(entries.collect());
        };
        let consumer = group.consumer(name).filter(|_| self.start <= self.end);
        let entries: BTreeMap<Id, &Pending> = consumer
            .into_iter()
            .flat_map(|consumer| consumer.pending.range(self.start..=self.end))
            .filter_map(|id| Some((*id, group.pending(*id)?)))
            .filter(idle_enough)
            .take(self.count)
            .collect();
        Reply::Array(entries.into_iter().map(shown).collect())
    }
}
