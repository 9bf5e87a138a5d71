//! HEXPIRE and its relatives: expiry of single fields.

use super::field_option::{conditional, fixed, instant_ms};
use crate::call::Call;
use crate::expiry::Form;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Hash;

/// There is no such field.
const NO_FIELD: i64 = -2;
/// The field does not expire.
const NO_EXPIRY: i64 = -1;
/// A condition does not hold.
const REFUSED: i64 = 0;
/// The expiry is set, or cleared.
const DONE: i64 = 1;
/// The instant is past: the field is gone.
const DELETED: i64 = 2;

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field …`
pub(super) fn hexpire(call: &mut Call<'_>) -> Outcome {
    set(call, Form::Seconds)
}

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field …`
pub(super) fn hpexpire(call: &mut Call<'_>) -> Outcome {
    set(call, Form::Milliseconds)
}

/// `HEXPIREAT key unix-seconds [NX | XX | GT | LT] FIELDS numfields field …`
pub(super) fn hexpireat(call: &mut Call<'_>) -> Outcome {
    set(call, Form::UnixSeconds)
}

/// `HPEXPIREAT key unix-milliseconds [NX | XX | GT | LT] FIELDS numfields field …`
pub(super) fn hpexpireat(call: &mut Call<'_>) -> Outcome {
    set(call, Form::UnixMilliseconds)
}

fn set(call: &mut Call<'_>, form: Form) -> Outcome {
    let key = call.arg(1);
    call.db().read::<Hash>(key)?;
    let at_ms = instant_ms(call, 2, form)?;
    let (condition, fields) = conditional(call)?;
    let now_ms = call.now_ms;
    let Some(hash) = call.db().write::<Hash>(key)? else {
        return Ok(Reply::Array(vec![Reply::Integer(NO_FIELD); fields.len()]));
    };
    let (mut changed, mut gone) = (false, false);
    let mut replies = Vec::with_capacity(fields.len());
    for field in fields {
        let outcome = if !hash.contains(field) {
            NO_FIELD
        } else if condition.is_some_and(|c| !c.allows(hash.expires_at(field), at_ms)) {
            REFUSED
        } else if at_ms <= now_ms {
            hash.remove(field);
            gone = true;
            DELETED
        } else {
            hash.set_expiry(field, Some(at_ms));
            changed = true;
            DONE
        };
        replies.push(Reply::Integer(outcome));
    }
    call.db().index_fields(key);
    if gone {
        call.changed(Class::HASH, "hdel", key);
    }
    if changed {
        call.changed(Class::HASH, "hexpire", key);
    }
    call.drop_if_empty(key);
    Ok(Reply::Array(replies))
}

/// `HPERSIST key FIELDS numfields field …`
pub(super) fn hpersist(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    call.db().read::<Hash>(key)?;
    let fields = fixed(call, 2)?;
    let Some(hash) = call.db().write::<Hash>(key)? else {
        return Ok(Reply::Array(vec![Reply::Integer(NO_FIELD); fields.len()]));
    };
    let mut changed = false;
    let outcomes = fields.iter().map(|field| {
        let had = hash.expires_at(field).is_some();
        hash.set_expiry(field, None);
        changed |= had;
        match (hash.contains(field), had) {
            (false, _) => Reply::Integer(NO_FIELD),
            (true, false) => Reply::Integer(NO_EXPIRY),
            (true, true) => Reply::Integer(DONE),
        }
    });
    let replies = outcomes.collect();
    if changed {
        call.db().index_fields(key);
        call.changed(Class::HASH, "hpersist", key);
    }
    Ok(Reply::Array(replies))
}

/// `HTTL key FIELDS numfields field …`
pub(super) fn httl(call: &mut Call<'_>) -> Outcome {
    let now_ms = call.now_ms;
    tell(call, |at| at.saturating_sub(now_ms).div_ceil(1000))
}

/// `HPTTL key FIELDS numfields field …`
pub(super) fn hpttl(call: &mut Call<'_>) -> Outcome {
    let now_ms = call.now_ms;
    tell(call, |at| at.saturating_sub(now_ms))
}

/// `HEXPIRETIME key FIELDS numfields field …`
pub(super) fn hexpiretime(call: &mut Call<'_>) -> Outcome {
    tell(call, |at| at.div_ceil(1000))
}

/// `HPEXPIRETIME key FIELDS numfields field …`
pub(super) fn hpexpiretime(call: &mut Call<'_>) -> Outcome {
    tell(call, |at| at)
}

fn tell(call: &mut Call<'_>, shown: impl Fn(u64) -> u64) -> Outcome {
    let key = call.arg(1);
    call.db().read::<Hash>(key)?;
    let fields = fixed(call, 2)?;
    let hash = call.db().read::<Hash>(key)?;
    let replies = fields.iter().map(|field| {
        let Some(hash) = hash.filter(|hash| hash.contains(field)) else {
            return Reply::Integer(NO_FIELD);
        };
        Reply::Integer(match hash.expires_at(field) {
            None => NO_EXPIRY,
            Some(at) => i64::try_from(shown(at)).unwrap_or(i64::MAX),
        })
    });
    Ok(Reply::Array(replies.collect()))
}
