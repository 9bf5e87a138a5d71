//! DUMP and RESTORE.

use crate::call::Call;
use crate::error::{
    BAD_DATA_FORMAT, BUSY_KEY, DUMP_CHECKSUM, DUMP_UNSUPPORTED, INVALID_FREQ, INVALID_IDLETIME,
    INVALID_TTL,
};
use crate::expiry::Form;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::dump::{self as payload, Restored};

/// `DUMP key`
pub(super) fn dump(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    match call.db().value(key) {
        None => Ok(Reply::Nil),
        Some(value) => payload::dump(value)
            .map(|bytes| Reply::Bulk(bytes.into()))
            .ok_or(DUMP_UNSUPPORTED),
    }
}

/// `RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub(super) fn restore(call: &mut Call<'_>) -> Outcome {
    let (mut replace, mut absolute, mut idle, mut frequency) = (false, false, false, false);
    let mut i = 4;
    while i < call.args.len() {
        let has_operand = i + 1 < call.args.len();
        if call.is(i, "REPLACE") {
            replace = true;
        } else if call.is(i, "ABSTTL") {
            absolute = true;
        } else if call.is(i, "IDLETIME") && has_operand && !frequency {
            i += 1;
            if call.integer(i)? < 0 {
                return Err(INVALID_IDLETIME);
            }
            idle = true;
        } else if call.is(i, "FREQ") && has_operand && !idle {
            i += 1;
            if !(0..=255).contains(&call.integer(i)?) {
                return Err(INVALID_FREQ);
            }
            frequency = true;
        } else {
            return call.syntax_error();
        }
        i += 1;
    }
    let key = call.arg(1);
    if !replace && call.db().contains(key) {
        return Err(BUSY_KEY);
    }
    let ttl = call.integer(2)?;
    if ttl < 0 {
        return Err(INVALID_TTL);
    }
    let body = payload::verify(call.arg(3)).ok_or(DUMP_CHECKSUM)?;
    let restored = payload::restore(body, call.now_ms).ok_or(BAD_DATA_FORMAT)?;
    let form = if absolute {
        Form::UnixMilliseconds
    } else {
        Form::Milliseconds
    };
    let expires_at = (ttl > 0)
        .then(|| form.instant_ms(ttl, call.now_ms).unwrap_or(i64::MAX))
        .and_then(|at| u64::try_from(at).ok());
    let value = match restored {
        Restored::Value(value) if expires_at.is_none_or(|at| at > call.now_ms) => value,
        _ => {
            // Nothing that would still be there comes in its place.
            if call.db().remove(key).is_some() {
                call.changed(Class::GENERIC, "del", key);
            }
            return Ok(Reply::OK);
        }
    };
    call.db().insert(key, value);
    call.db().set_expiry(key, expires_at);
    call.changed(Class::GENERIC, "restore", key);
    Ok(Reply::OK)
}
