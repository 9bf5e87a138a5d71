//! Commands that delete entries, acknowledge them, or both.

use crate::call::Call;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Stream;
use crate::value::stream::{Id, References};

use super::argument;

/// What became of an entry, as XDELEX and XACKDEL answer it.
const NOT_FOUND: i64 = -1;
const DELETED: i64 = 1;
const STILL_REFERENCED: i64 = 2;

/// `XDEL key id [id …]`
pub(super) fn xdel(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    if call.db().read::<Stream>(key)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    let ids = argument::ids(call, 2..call.args.len())?;
    let mut deleted = 0;
    if let Some(stream) = call.db().write::<Stream>(key)? {
        deleted = ids.into_iter().filter(|id| stream.delete(*id)).count();
    }
    if deleted > 0 {
        call.reduced(Class::STREAM, "xdel", key);
    }
    Ok(Reply::count(deleted))
}

/// `XTRIM key MAXLEN|MINID [=|~] threshold [LIMIT count] [KEEPREF|DELREF|ACKED]`
pub(super) fn xtrim(call: &mut Call<'_>) -> Outcome {
    let options = argument::options(call, false)?;
    let key = call.arg(1);
    let mut removed = 0;
    if let Some(stream) = call.db().write::<Stream>(key)? {
        removed = options.trim.map_or(0, |trim| stream.trim(&trim));
    }
    if removed > 0 {
        call.reduced(Class::STREAM, "xtrim", key);
    }
    Ok(Reply::count(removed))
}

/// `XACK key group id [id …]`
pub(super) fn xack(call: &mut Call<'_>) -> Outcome {
    let (key, name) = (call.arg(1), call.arg(2));
    let stream = call.db().read::<Stream>(key)?;
    if stream.is_none_or(|stream| stream.group(name).is_none()) {
        return Ok(Reply::Integer(0));
    }
    let ids = argument::ids(call, 3..call.args.len())?;
    let mut acknowledged = 0;
    if let Some(group) = call
        .db()
        .write::<Stream>(key)?
        .and_then(|stream| stream.group_mut(name))
    {
        acknowledged = ids.into_iter().filter(|id| group.acknowledge(*id)).count();
    }
    Ok(Reply::count(acknowledged))
}

/// `XDELEX key [KEEPREF|DELREF|ACKED] IDS numids id [id …]`
pub(super) fn xdelex(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let missing = call.db().read::<Stream>(key)?.is_none();
    let (references, places) = argument::removal(call, 2)?;
    if missing {
        return Ok(not_found(places.len()));
    }
    let ids = argument::ids(call, places)?;
    let mut results = Vec::with_capacity(ids.len());
    if let Some(stream) = call.db().write::<Stream>(key)? {
        results.extend(ids.iter().map(|id| delete(stream, *id, references)));
    }
    if results.contains(&DELETED) {
        call.reduced(Class::STREAM, "xdel", key);
    }
    Ok(answer(results))
}

/// `XACKDEL key group [KEEPREF|DELREF|ACKED] IDS numids id [id …]`
pub(super) fn xackdel(call: &mut Call<'_>) -> Outcome {
    let (key, name) = (call.arg(1), call.arg(2));
    let stream = call.db().read::<Stream>(key)?;
    let missing = stream.is_none_or(|stream| stream.group(name).is_none());
    let (references, places) = argument::removal(call, 3)?;
    if missing {
        return Ok(not_found(places.len()));
    }
    let ids = argument::ids(call, places)?;
    let mut results = Vec::with_capacity(ids.len());
    let mut deleted = false;
    if let Some(stream) = call.db().write::<Stream>(key)? {
        for id in &ids {
            let acknowledged = stream
                .group_mut(name)
                .is_some_and(|group| group.acknowledge(*id));
            if !acknowledged {
                results.push(NOT_FOUND);
                continue;
            }
            // An entry that was deleted while it was pending counts as deleted now.
            let result = delete(stream, *id, references);
            deleted |= result == DELETED;
            results.push(if result == NOT_FOUND { DELETED } else { result });
        }
    }
    if deleted {
        call.reduced(Class::STREAM, "xdel", key);
    }
    Ok(answer(results))
}

fn delete(stream: &mut Stream, id: Id, references: References) -> i64 {
    match references {
        References::Respect if stream.is_referenced(id) => return STILL_REFERENCED,
        References::Delete => stream.forget_references(id),
        References::Keep | References::Respect => {}
    }
    if stream.delete(id) {
        DELETED
    } else {
        NOT_FOUND
    }
}

fn not_found(count: usize) -> Reply {
    answer(vec![NOT_FOUND; count])
}

fn answer(results: Vec<i64>) -> Reply {
    Reply::Array(results.into_iter().map(Reply::Integer).collect())
}
