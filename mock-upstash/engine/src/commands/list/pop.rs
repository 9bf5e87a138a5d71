//! Commands that take elements from a list's ends, some to put them into another list.

use bytes::Bytes;

use crate::call::Call;
use crate::commands::argument;
use crate::error::{NUMKEYS_NOT_POSITIVE, ReplyError, SYNTAX};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::List;
use crate::value::list::{Element, End};

use super::element::push_event;

/// `LPOP key [count]`
pub(super) fn lpop(call: &mut Call<'_>) -> Outcome {
    pop(call, End::Left)
}

/// `RPOP key [count]`
pub(super) fn rpop(call: &mut Call<'_>) -> Outcome {
    pop(call, End::Right)
}

fn pop(call: &mut Call<'_>, end: End) -> Outcome {
    let count = match call.args.len() {
        2 => None,
        3 => Some(argument::non_negative(call, 2)?),
        _ => return Err(ReplyError::arity(call.command.name)),
    };
    let key = call.arg(1);
    if call.db().read::<List>(key)?.is_none() {
        return Ok(count.map_or(Reply::Nil, |_| Reply::NilArray));
    }
    let mut taken = take(call, key, end, count.unwrap_or(1))?;
    Ok(match count {
        Some(_) => Reply::bulks(taken),
        None => Reply::bulk_or_nil(taken.pop()),
    })
}

/// Takes up to `count` elements from one end, and the key with the last; says so.
pub(super) fn take(
    call: &mut Call<'_>,
    key: &[u8],
    end: End,
    count: usize,
) -> Result<Vec<Element>, ReplyError> {
    let mut taken = Vec::new();
    if count > 0
        && let Some(list) = call.db().write::<List>(key)?
    {
        taken.extend((0..count.min(list.len())).map_while(|_| list.pop(end)));
        call.changed(Class::LIST, pop_event(end), key);
        call.drop_if_empty(key);
    }
    Ok(taken)
}

fn pop_event(end: End) -> &'static str {
    match end {
        End::Left => "lpop",
        End::Right => "rpop",
    }
}

/// `LMOVE source destination LEFT|RIGHT LEFT|RIGHT`
pub(super) fn lmove(call: &mut Call<'_>) -> Outcome {
    let (from, to) = (end(call, 3)?, end(call, 4)?);
    let moved = move_one(call, from, to)?;
    Ok(Reply::bulk_or_nil(moved))
}

/// `RPOPLPUSH source destination`
pub(super) fn rpoplpush(call: &mut Call<'_>) -> Outcome {
    let moved = move_one(call, End::Right, End::Left)?;
    Ok(Reply::bulk_or_nil(moved))
}

/// Which end the argument names.
///
/// # Errors
/// When it names none.
pub(super) fn end(call: &Call<'_>, index: usize) -> Result<End, ReplyError> {
    if call.is(index, "LEFT") {
        Ok(End::Left)
    } else if call.is(index, "RIGHT") {
        Ok(End::Right)
    } else {
        Err(SYNTAX)
    }
}

/// Moves one element from the list at argument 1 to the one at argument 2; `None` when there is no
/// source.
///
/// # Errors
/// When source or destination is no list; a destination is only looked at when there is a source.
pub(super) fn move_one(
    call: &mut Call<'_>,
    from: End,
    to: End,
) -> Result<Option<Element>, ReplyError> {
    let (source, destination) = (call.arg(1), call.arg(2));
    if call.db().read::<List>(source)?.is_none() {
        return Ok(None);
    }
    call.db().read::<List>(destination)?;
    let Some(element) = call
        .db()
        .write::<List>(source)?
        .and_then(|list| list.pop(from))
    else {
        return Ok(None);
    };
    let list = call.db().write_or_default::<List>(destination)?;
    list.push(to, element.clone());
    // The order in which Redis says it: what was put in comes first.
    call.changed(Class::LIST, push_event(to), destination);
    call.changed(Class::LIST, pop_event(from), source);
    call.drop_if_empty(source);
    Ok(Some(element))
}

/// What LMPOP and BLMPOP are told: from which keys, from which end, how many.
pub(super) struct ManyPop<'e> {
    /// The keys, in the order in which they are looked at.
    pub(super) keys: &'e [Bytes],
    /// The end that elements are taken from.
    pub(super) end: End,
    /// The most elements that are taken.
    pub(super) count: usize,
}

/// Reads `numkeys key [key …] LEFT|RIGHT [COUNT count]`.
///
/// # Errors
/// When the arguments do not follow that grammar.
pub(super) fn parse_many<'e>(
    call: &Call<'e>,
    numkeys_at: usize,
) -> Result<ManyPop<'e>, ReplyError> {
    let (keys, end_at) = argument::key_count(call, numkeys_at, NUMKEYS_NOT_POSITIVE)?;
    if end_at >= call.args.len() {
        return Err(SYNTAX);
    }
    let end = end(call, end_at)?;
    let mut count = None;
    let mut at = end_at + 1;
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
        end,
        count: usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX),
    })
}

/// `LMPOP numkeys key [key …] LEFT|RIGHT [COUNT count]`
pub(super) fn lmpop(call: &mut Call<'_>) -> Outcome {
    let wanted = parse_many(call, 1)?;
    Ok(take_many(call, &wanted)?.unwrap_or(Reply::NilArray))
}

/// Takes from the first of the keys that has something: key and elements.
///
/// # Errors
/// When a key before that is no list.
pub(super) fn take_many(
    call: &mut Call<'_>,
    wanted: &ManyPop<'_>,
) -> Result<Option<Reply>, ReplyError> {
    for key in wanted.keys {
        if call.db().read::<List>(key)?.is_some() {
            let taken = take(call, key, wanted.end, wanted.count)?;
            return Ok(Some(Reply::Array(vec![
                Reply::bulk(key),
                Reply::bulks(taken),
            ])));
        }
    }
    Ok(None)
}
