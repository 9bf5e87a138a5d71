//! Setting, changing and deleting fields.

use bytes::Bytes;

use super::field_option::{Expiry, Options};
use crate::call::Call;
use crate::commands::string::add_floats;
use crate::dialect::Quirk;
use crate::error::{
    HASH_VALUE_NOT_A_FLOAT, HASH_VALUE_NOT_AN_INTEGER, INCREMENT_OVERFLOW, NOT_A_FLOAT, ReplyError,
    VALUE_NAN_OR_INFINITY,
};
use crate::extended::Extended;
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::Hash;

/// `HSET key field value …`
pub(super) fn hset(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::count(set_all(call)?))
}

/// `HMSET key field value …`
pub(super) fn hmset(call: &mut Call<'_>) -> Outcome {
    set_all(call)?;
    Ok(Reply::OK)
}

/// Sets fields; answers how many are new.
fn set_all(call: &mut Call<'_>) -> Result<usize, ReplyError> {
    let (key, pairs) = (call.arg(1), call.args_from(2).chunks_exact(2));
    if !pairs.remainder().is_empty() {
        return Err(ReplyError::arity(&call.command.full_name()));
    }
    let hash = call.db().write_or_default::<Hash>(key)?;
    let mut new = 0;
    for pair in pairs {
        new += usize::from(hash.set(&pair[0], &pair[1]));
    }
    call.db().index_fields(key);
    call.changed(Class::HASH, "hset", key);
    Ok(new)
}

/// `HSETNX key field value`
pub(super) fn hsetnx(call: &mut Call<'_>) -> Outcome {
    let (key, field, value) = (call.arg(1), call.arg(2), call.arg(3));
    let hash = call.db().read::<Hash>(key)?;
    if hash.is_some_and(|hash| hash.contains(field)) {
        return Ok(Reply::Integer(0));
    }
    call.db().write_or_default::<Hash>(key)?.set(field, value);
    call.changed(Class::HASH, "hset", key);
    Ok(Reply::Integer(1))
}

/// `HDEL key field …`
pub(super) fn hdel(call: &mut Call<'_>) -> Outcome {
    let (key, fields) = (call.arg(1), call.args_from(2));
    let Some(hash) = call.db().write::<Hash>(key)? else {
        return Ok(Reply::Integer(0));
    };
    let gone = fields
        .iter()
        .filter(|field| hash.remove(field).is_some())
        .count();
    if gone > 0 {
        call.db().index_fields(key);
        call.changed(Class::HASH, "hdel", key);
        call.drop_if_empty(key);
    }
    Ok(Reply::count(gone))
}

/// `HINCRBY key field increment`
pub(super) fn hincrby(call: &mut Call<'_>) -> Outcome {
    let by = call.integer(3)?;
    let (key, field) = (call.arg(1), call.arg(2));
    let hash = call.db().read::<Hash>(key)?;
    let held = match hash.and_then(|hash| hash.get(field)) {
        Some(text) => number::integer(text).ok_or(HASH_VALUE_NOT_AN_INTEGER)?,
        None => 0,
    };
    let sum = held.checked_add(by).ok_or(INCREMENT_OVERFLOW)?;
    let hash = call.db().write_or_default::<Hash>(key)?;
    hash.set_keeping_expiry(field, sum.to_string().as_bytes());
    call.changed(Class::HASH, "hincrby", key);
    Ok(Reply::Integer(sum))
}

/// `HINCRBYFLOAT key field increment`
pub(super) fn hincrbyfloat(call: &mut Call<'_>) -> Outcome {
    let (key, field, by) = (call.arg(1), call.arg(2), call.arg(3));
    if Extended::parse(by).ok_or(NOT_A_FLOAT)?.is_infinite() {
        return Err(VALUE_NAN_OR_INFINITY);
    }
    let doubles = call.quirk(Quirk::DoubleArithmetic);
    let hash = call.db().read::<Hash>(key)?;
    let held = hash.and_then(|hash| hash.get(field)).unwrap_or(b"0");
    let sum = add_floats(held, by, doubles, [HASH_VALUE_NOT_A_FLOAT, NOT_A_FLOAT])?;
    let hash = call.db().write_or_default::<Hash>(key)?;
    hash.set_keeping_expiry(field, sum.as_bytes());
    call.changed(Class::HASH, "hincrbyfloat", key);
    Ok(Reply::bulk(sum))
}

/// `HSETEX key [FNX | FXX] [EX … | PX … | EXAT … | PXAT … | KEEPTTL] FIELDS numfields field value …`
pub(super) fn hsetex(call: &mut Call<'_>) -> Outcome {
    let options = Options::parse(call, true)?;
    let key = call.arg(1);
    let hash = call.db().read::<Hash>(key)?;
    let is_there = |pair: &[Bytes]| hash.is_some_and(|hash| hash.contains(&pair[0]));
    let mut pairs = options.fields.chunks_exact(2);
    let allowed = match options.all_missing {
        None => true,
        Some(true) => !pairs.any(is_there),
        Some(false) => pairs.all(is_there),
    };
    if !allowed {
        return Ok(Reply::Integer(0));
    }
    let now_ms = call.now_ms;
    let hash = call.db().write_or_default::<Hash>(key)?;
    let mut past = false;
    for pair in options.fields.chunks_exact(2) {
        let (field, value) = (&pair[0], &pair[1]);
        match options.expiry {
            Expiry::Keep => {
                hash.set_keeping_expiry(field, value);
            }
            Expiry::At(at) if at <= now_ms => {
                hash.remove(field);
                past = true;
            }
            Expiry::At(at) => {
                hash.set(field, value);
                hash.set_expiry(field, Some(at));
            }
            Expiry::Unsaid | Expiry::Persist => {
                hash.set(field, value);
            }
        }
    }
    call.db().index_fields(key);
    call.changed(Class::HASH, "hset", key);
    if past {
        call.notify(Class::HASH, "hdel", key);
        call.drop_if_empty(key);
    } else if matches!(options.expiry, Expiry::At(_)) {
        call.notify(Class::HASH, "hexpire", key);
    }
    Ok(Reply::Integer(1))
}
