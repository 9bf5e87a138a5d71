//! Commands that look at a list's elements, and put some in or take some out by place or by value.

use crate::call::Call;
use crate::commands::argument;
use crate::error::{INDEX_OUT_OF_RANGE, NO_SUCH_KEY, ReplyError};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::List;
use crate::value::list::{End, window};

/// `LPUSH key element [element …]`
pub(super) fn lpush(call: &mut Call<'_>) -> Outcome {
    push(call, End::Left, false)
}

/// `RPUSH key element [element …]`
pub(super) fn rpush(call: &mut Call<'_>) -> Outcome {
    push(call, End::Right, false)
}

/// `LPUSHX key element [element …]`
pub(super) fn lpushx(call: &mut Call<'_>) -> Outcome {
    push(call, End::Left, true)
}

/// `RPUSHX key element [element …]`
pub(super) fn rpushx(call: &mut Call<'_>) -> Outcome {
    push(call, End::Right, true)
}

fn push(call: &mut Call<'_>, end: End, only_existing: bool) -> Outcome {
    let (key, elements) = (call.arg(1), call.args_from(2));
    if only_existing && call.db().read::<List>(key)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    let list = call.db().write_or_default::<List>(key)?;
    for element in elements {
        list.push(end, &element[..]);
    }
    let len = list.len();
    call.changed(Class::LIST, push_event(end), key);
    Ok(Reply::count(len))
}

/// The notification for an element that was added at one end.
pub(super) fn push_event(end: End) -> &'static str {
    match end {
        End::Left => "lpush",
        End::Right => "rpush",
    }
}

/// `LINSERT key BEFORE|AFTER pivot element`
pub(super) fn linsert(call: &mut Call<'_>) -> Outcome {
    let after = match () {
        () if call.is(2, "AFTER") => 1,
        () if call.is(2, "BEFORE") => 0,
        () => return call.syntax_error(),
    };
    let (key, pivot, element) = (call.arg(1), call.arg(3), call.arg(4));
    let Some(list) = call.db().read::<List>(key)? else {
        return Ok(Reply::Integer(0));
    };
    let Some(place) = list.find(pivot) else {
        return Ok(Reply::Integer(-1));
    };
    let Some(list) = call.db().write::<List>(key)? else {
        return Ok(Reply::Integer(0));
    };
    list.insert(place + after, element);
    let len = list.len();
    call.changed(Class::LIST, "linsert", key);
    Ok(Reply::count(len))
}

/// `LLEN key`
pub(super) fn llen(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let list = call.db().read::<List>(key)?;
    Ok(Reply::count(list.map_or(0, List::len)))
}

/// `LINDEX key index`
pub(super) fn lindex(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    if call.db().read::<List>(key)?.is_none() {
        return Ok(Reply::Nil);
    }
    let index = call.integer(2)?;
    let list = call.db().read::<List>(key)?;
    let element = list.and_then(|list| list.get(list.place(index)?));
    Ok(Reply::bulk_or_nil(element))
}

/// `LSET key index element`
pub(super) fn lset(call: &mut Call<'_>) -> Outcome {
    let (key, element) = (call.arg(1), call.arg(3));
    if call.db().read::<List>(key)?.is_none() {
        return Err(NO_SUCH_KEY);
    }
    let index = call.integer(2)?;
    let list = call.db().read::<List>(key)?;
    let place = list
        .and_then(|list| list.place(index))
        .ok_or(INDEX_OUT_OF_RANGE)?;
    if let Some(list) = call.db().write::<List>(key)? {
        list.set(place, element);
    }
    call.changed(Class::LIST, "lset", key);
    Ok(Reply::OK)
}

/// `LRANGE key start stop`
pub(super) fn lrange(call: &mut Call<'_>) -> Outcome {
    let (start, stop) = (call.integer(2)?, call.integer(3)?);
    let key = call.arg(1);
    let Some(list) = call.db().read::<List>(key)? else {
        return Ok(Reply::Array(Vec::new()));
    };
    Ok(Reply::bulks(list.range(window(start, stop, list.len()))))
}

/// `LTRIM key start stop`
pub(super) fn ltrim(call: &mut Call<'_>) -> Outcome {
    let (start, stop) = (call.integer(2)?, call.integer(3)?);
    let key = call.arg(1);
    if let Some(list) = call.db().write::<List>(key)? {
        list.keep(window(start, stop, list.len()));
        // Also when nothing had to go: watchers of the key see a change then, too.
        call.changed(Class::LIST, "ltrim", key);
        call.drop_if_empty(key);
    }
    Ok(Reply::OK)
}

/// `LREM key count element`
pub(super) fn lrem(call: &mut Call<'_>) -> Outcome {
    let count = argument::magnitude(call, 2)?;
    let (key, element) = (call.arg(1), call.arg(3));
    let Some(list) = call.db().read::<List>(key)? else {
        return Ok(Reply::Integer(0));
    };
    if list.find(element).is_none() {
        return Ok(Reply::Integer(0));
    }
    let limit = match usize::try_from(count.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit,
    };
    let from = if count < 0 { End::Right } else { End::Left };
    let list = call.db().write::<List>(key)?;
    let removed = list.map_or(0, |list| list.remove(element, from, limit));
    call.changed(Class::LIST, "lrem", key);
    call.drop_if_empty(key);
    Ok(Reply::count(removed))
}

/// `LPOS key element [RANK rank] [COUNT count] [MAXLEN len]`
pub(super) fn lpos(call: &mut Call<'_>) -> Outcome {
    let (mut rank, mut count, mut max_len) = (1i64, None, 0i64);
    let mut at = 3;
    while at < call.args.len() {
        if at + 1 == call.args.len() {
            return call.syntax_error();
        }
        if call.is(at, "RANK") {
            rank = argument::magnitude(call, at + 1)?;
            if rank == 0 {
                return Err(ReplyError::fixed(
                    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
                ));
            }
        } else if call.is(at, "COUNT") {
            let error = ReplyError::fixed("ERR COUNT can't be negative");
            count = Some(argument::ranged(call, at + 1, 0, i64::MAX, error)?);
        } else if call.is(at, "MAXLEN") {
            let error = ReplyError::fixed("ERR MAXLEN can't be negative");
            max_len = argument::ranged(call, at + 1, 0, i64::MAX, error)?;
        } else {
            return call.syntax_error();
        }
        at += 2;
    }
    let (key, element) = (call.arg(1), call.arg(2));
    let none = || match count {
        Some(_) => Reply::Array(Vec::new()),
        None => Reply::Nil,
    };
    let Some(list) = call.db().read::<List>(key)? else {
        return Ok(none());
    };
    let unlimited_if_zero = |n: i64| match usize::try_from(n) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(n) => n,
    };
    let skip = usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let mut found = list
        .positions(element, rank < 0, skip, unlimited_if_zero(max_len))
        .map(Reply::count);
    Ok(match count {
        Some(limit) => Reply::Array(found.take(unlimited_if_zero(limit)).collect()),
        None => found.next().unwrap_or(Reply::Nil),
    })
}
