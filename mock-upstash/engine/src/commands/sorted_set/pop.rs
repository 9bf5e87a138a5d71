//! Commands that take out the members with the lowest or highest scores, some of which wait for one.

use bytes::Bytes;

use crate::call::Call;
use crate::commands::argument;
use crate::dialect::Quirk;
use crate::error::{NUMKEYS_NOT_POSITIVE, ReplyError, SYNTAX};
use crate::keyspace::Key;
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::{Kind, SortedSet};

/// Which members go first.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Lowest,
    Highest,
}

/// `ZPOPMIN key [count]`
pub(super) fn zpopmin(call: &mut Call<'_>) -> Outcome {
    pop(call, From::Lowest)
}

/// `ZPOPMAX key [count]`
pub(super) fn zpopmax(call: &mut Call<'_>) -> Outcome {
    pop(call, From::Highest)
}

fn pop(call: &mut Call<'_>, from: From) -> Outcome {
    let count = match call.args.len() {
        2 => None,
        3 => Some(argument::non_negative(call, 2)?),
        _ => return call.syntax_error(),
    };
    let taken = take(call, call.arg(1), from, count.unwrap_or(1))?;
    // RESP3 nests only where a count was given.
    Ok(if count.is_some() && !call.quirk(Quirk::Resp3Forms) {
        super::with_scores(call, taken)
    } else {
        super::flat(taken)
    })
}

/// Takes up to `count` members out, and the key with the last; says so.
fn take(
    call: &mut Call<'_>,
    key: &[u8],
    from: From,
    count: usize,
) -> Result<Vec<(Vec<u8>, f64)>, ReplyError> {
    if call.db().read::<SortedSet>(key)?.is_none() || count == 0 {
        return Ok(Vec::new());
    }
    let mut taken = Vec::new();
    if let Some(set) = call.db().write::<SortedSet>(key)? {
        let len = set.len();
        let count = count.min(len);
        let owned = |(member, score): (&[u8], f64)| (member.to_vec(), score);
        if from == From::Lowest {
            taken.extend(set.range(0..count).map(owned));
        } else {
            taken.extend(set.range_reversed(len - count..len).map(owned));
        }
        for (member, _) in &taken {
            set.remove(member);
        }
    }
    let event = match from {
        From::Lowest => "zpopmin",
        From::Highest => "zpopmax",
    };
    call.changed(Class::SORTED_SET, event, key);
    call.drop_if_empty(key);
    Ok(taken)
}

/// `BZPOPMIN key [key …] timeout`
pub(super) fn bzpopmin(call: &mut Call<'_>) -> Outcome {
    pop_or_wait(call, From::Lowest)
}

/// `BZPOPMAX key [key …] timeout`
pub(super) fn bzpopmax(call: &mut Call<'_>) -> Outcome {
    pop_or_wait(call, From::Highest)
}

fn pop_or_wait(call: &mut Call<'_>, from: From) -> Outcome {
    let last = call.args.len() - 1;
    let timeout_ms = number::timeout_ms(call.arg(last), call.now_ms)?;
    let keys = &call.args[1..last];
    for key in keys {
        if call.db().read::<SortedSet>(key)?.is_some() {
            let taken = take(call, key, from, 1)?;
            let mut reply = vec![Reply::bulk(key)];
            for (member, score) in taken {
                reply.extend([Reply::bulk(member), Reply::Double(score)]);
            }
            return Ok(Reply::Array(reply));
        }
    }
    wait(call, keys, timeout_ms)
}

struct ManyPop<'e> {
    keys: &'e [Bytes],
    from: From,
    count: usize,
}

/// `ZMPOP numkeys key [key …] MIN|MAX [COUNT count]`
pub(super) fn zmpop(call: &mut Call<'_>) -> Outcome {
    let wanted = parse_many(call, 1)?;
    Ok(take_many(call, &wanted)?.unwrap_or(Reply::NilArray))
}

/// `BZMPOP timeout numkeys key [key …] MIN|MAX [COUNT count]`
pub(super) fn bzmpop(call: &mut Call<'_>) -> Outcome {
    // The timeout is read last, as Redis does.
    let wanted = parse_many(call, 2)?;
    let timeout_ms = number::timeout_ms(call.arg(1), call.now_ms)?;
    match take_many(call, &wanted)? {
        Some(reply) => Ok(reply),
        None => wait(call, wanted.keys, timeout_ms),
    }
}

fn parse_many<'e>(call: &Call<'e>, numkeys_at: usize) -> Result<ManyPop<'e>, ReplyError> {
    let (keys, from_at) = argument::key_count(call, numkeys_at, NUMKEYS_NOT_POSITIVE)?;
    let from = match () {
        () if call.is(from_at, "MIN") => From::Lowest,
        () if call.is(from_at, "MAX") => From::Highest,
        () => return Err(SYNTAX),
    };
    let mut count = None;
    let mut at = from_at + 1;
    while at < call.args.len() {
        if count.is_some() || !call.is(at, "COUNT") || at + 1 == call.args.len() {
            return Err(SYNTAX);
        }
        let error = ReplyError::fixed("ERR count should be greater than 0");
        count = Some(argument::ranged(call, at + 1, 1, i64::MAX, error)?);
        at += 2;
    }
    Ok(ManyPop {
        keys: &call.args_from(numkeys_at + 1)[..keys],
        from,
        count: usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX),
    })
}

fn take_many(call: &mut Call<'_>, wanted: &ManyPop<'_>) -> Result<Option<Reply>, ReplyError> {
    for key in wanted.keys {
        if call.db().read::<SortedSet>(key)?.is_some() {
            let taken = take(call, key, wanted.from, wanted.count)?;
            return Ok(Some(Reply::Array(vec![
                Reply::bulk(key),
                super::pairs(taken),
            ])));
        }
    }
    Ok(None)
}

fn wait(call: &mut Call<'_>, keys: &[Bytes], timeout_ms: Option<u64>) -> Outcome {
    let keys = keys.iter().map(|key| Key::from(&key[..])).collect();
    call.block(keys, Kind::SortedSet, false, timeout_ms, Reply::NilArray)
}
