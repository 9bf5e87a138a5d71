//! Reading fields, and taking them out as they are read.

use super::field_option::{self, Expiry, Options};
use crate::call::Call;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Hash;

/// `HGET key field`
pub(super) fn hget(call: &mut Call<'_>) -> Outcome {
    let (key, field) = (call.arg(1), call.arg(2));
    let hash = call.db().read::<Hash>(key)?;
    Ok(Reply::bulk_or_nil(hash.and_then(|hash| hash.get(field))))
}

/// `HMGET key field …`
pub(super) fn hmget(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let fields = call.args_from(2);
    let hash = call.db().read::<Hash>(key)?;
    let values = fields
        .iter()
        .map(|field| Reply::bulk_or_nil(hash.and_then(|hash| hash.get(field))));
    Ok(Reply::Array(values.collect()))
}

/// `HGETALL key`
pub(super) fn hgetall(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let hash = call.db().read::<Hash>(key)?;
    let pairs = hash.into_iter().flat_map(Hash::iter);
    Ok(Reply::Map(
        pairs
            .map(|(field, value)| (Reply::bulk(field), Reply::bulk(value)))
            .collect(),
    ))
}

/// `HKEYS key`
pub(super) fn hkeys(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let hash = call.db().read::<Hash>(key)?;
    let pairs = hash.into_iter().flat_map(Hash::iter);
    Ok(Reply::bulks(pairs.map(|(field, _)| field)))
}

/// `HVALS key`
pub(super) fn hvals(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let hash = call.db().read::<Hash>(key)?;
    let pairs = hash.into_iter().flat_map(Hash::iter);
    Ok(Reply::bulks(pairs.map(|(_, value)| value)))
}

/// `HLEN key`
pub(super) fn hlen(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let hash = call.db().read::<Hash>(key)?;
    Ok(Reply::count(hash.map_or(0, Hash::len)))
}

/// `HSTRLEN key field`
pub(super) fn hstrlen(call: &mut Call<'_>) -> Outcome {
    let (key, field) = (call.arg(1), call.arg(2));
    let hash = call.db().read::<Hash>(key)?;
    let value = hash.and_then(|hash| hash.get(field));
    Ok(Reply::count(value.map_or(0, <[u8]>::len)))
}

/// `HEXISTS key field`
pub(super) fn hexists(call: &mut Call<'_>) -> Outcome {
    let (key, field) = (call.arg(1), call.arg(2));
    let hash = call.db().read::<Hash>(key)?;
    Ok(Reply::flag(hash.is_some_and(|hash| hash.contains(field))))
}

/// `HGETDEL key FIELDS numfields field …`
pub(super) fn hgetdel(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    call.db().read::<Hash>(key)?;
    let fields = field_option::fixed(call, 2)?;
    let Some(hash) = call.db().write::<Hash>(key)? else {
        return Ok(Reply::Array(vec![Reply::Nil; fields.len()]));
    };
    let mut any = false;
    let replies = fields.iter().map(|field| match hash.remove(field) {
        Some(value) => {
            any = true;
            Reply::Bulk(value.into())
        }
        None => Reply::Nil,
    });
    let replies = replies.collect();
    if any {
        call.db().index_fields(key);
        call.changed(Class::HASH, "hdel", key);
        call.drop_if_empty(key);
    }
    Ok(Reply::Array(replies))
}

/// `HGETEX key [EX … | PX … | EXAT … | PXAT … | PERSIST] FIELDS numfields field …`
pub(super) fn hgetex(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    call.db().read::<Hash>(key)?;
    let options = Options::parse(call, false)?;
    let now_ms = call.now_ms;
    let Some(hash) = call.db().write::<Hash>(key)? else {
        return Ok(Reply::Array(vec![Reply::Nil; options.fields.len()]));
    };
    let (mut changed, mut gone) = (false, false);
    let mut replies = Vec::with_capacity(options.fields.len());
    for field in options.fields {
        replies.push(Reply::bulk_or_nil(hash.get(field)));
        if !hash.contains(field) {
            continue;
        }
        match options.expiry {
            Expiry::At(at) if at <= now_ms => gone |= hash.remove(field).is_some(),
            Expiry::At(at) => {
                hash.set_expiry(field, Some(at));
                changed = true;
            }
            Expiry::Persist if hash.expires_at(field).is_some() => {
                hash.set_expiry(field, None);
                changed = true;
            }
            _ => {}
        }
    }
    call.db().index_fields(key);
    if gone {
        call.changed(Class::HASH, "hdel", key);
        call.drop_if_empty(key);
    } else if changed {
        let event = match options.expiry {
            Expiry::Persist => "hpersist",
            _ => "hexpire",
        };
        call.changed(Class::HASH, event, key);
    }
    Ok(Reply::Array(replies))
}
