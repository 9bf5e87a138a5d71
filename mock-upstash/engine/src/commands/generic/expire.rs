//! EXPIRE and its relatives.

use crate::call::Call;
use crate::error::{EXPIRE_GT_LT, EXPIRE_NX_CONFLICT, ReplyError};
use crate::expiry::Form;
use crate::reply::{Outcome, Reply};

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(super) fn expire(call: &mut Call<'_>) -> Outcome {
    set(call, Form::Seconds)
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpire(call: &mut Call<'_>) -> Outcome {
    set(call, Form::Milliseconds)
}

/// `EXPIREAT key unix-seconds [NX | XX | GT | LT]`
pub(super) fn expireat(call: &mut Call<'_>) -> Outcome {
    set(call, Form::UnixSeconds)
}

/// `PEXPIREAT key unix-milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpireat(call: &mut Call<'_>) -> Outcome {
    set(call, Form::UnixMilliseconds)
}

/// When an expiry is set: unlike elsewhere, XX goes together with GT or LT.
#[derive(Default)]
struct When {
    missing: bool,
    present: bool,
    later: bool,
    sooner: bool,
}

impl When {
    fn parse(call: &Call<'_>) -> Result<When, ReplyError> {
        let mut when = When::default();
        for i in 3..call.args.len() {
            if call.is(i, "NX") {
                when.missing = true;
            } else if call.is(i, "XX") {
                when.present = true;
            } else if call.is(i, "GT") {
                when.later = true;
            } else if call.is(i, "LT") {
                when.sooner = true;
            } else {
                return Err(ReplyError::naming("ERR Unsupported option ", call.arg(i)));
            }
        }
        if when.missing && (when.present || when.later || when.sooner) {
            return Err(EXPIRE_NX_CONFLICT);
        }
        if when.later && when.sooner {
            return Err(EXPIRE_GT_LT);
        }
        Ok(when)
    }

    /// Whether to go on, from the expiry there is to `at_ms`. No expiry is later than any.
    fn allows(&self, current: Option<u64>, at_ms: i64) -> bool {
        let current = current.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let refused = (self.missing && current.is_some())
            || (self.present && current.is_none())
            || (self.later && current.is_none_or(|current| at_ms <= current))
            || (self.sooner && current.is_some_and(|current| at_ms >= current));
        !refused
    }
}

fn set(call: &mut Call<'_>, form: Form) -> Outcome {
    let when = When::parse(call)?;
    let at_ms = form
        .instant_ms(call.integer(2)?, call.now_ms)
        .ok_or_else(|| ReplyError::invalid_expire(&call.command.full_name()))?;
    let key = call.arg(1);
    if !call.db().contains(key) {
        return Ok(Reply::Integer(0));
    }
    if !when.allows(call.db().expires_at(key), at_ms) {
        return Ok(Reply::Integer(0));
    }
    call.set_expiry_or_delete(key, u64::try_from(at_ms).unwrap_or(0));
    Ok(Reply::Integer(1))
}

/// `PERSIST key`
pub(super) fn persist(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    Ok(Reply::flag(call.persist(key)))
}

/// `TTL key`
pub(super) fn ttl(call: &mut Call<'_>) -> Outcome {
    let now_ms = call.now_ms;
    tell(call, |at| (at.saturating_sub(now_ms) + 500) / 1000)
}

/// `PTTL key`
pub(super) fn pttl(call: &mut Call<'_>) -> Outcome {
    let now_ms = call.now_ms;
    tell(call, |at| at.saturating_sub(now_ms))
}

/// `EXPIRETIME key`
pub(super) fn expiretime(call: &mut Call<'_>) -> Outcome {
    tell(call, |at| at.saturating_add(500) / 1000)
}

/// `PEXPIRETIME key`
pub(super) fn pexpiretime(call: &mut Call<'_>) -> Outcome {
    tell(call, |at| at)
}

/// Answers -2 without the key, -1 without an expiry.
fn tell(call: &mut Call<'_>, shown: impl Fn(u64) -> u64) -> Outcome {
    let key = call.arg(1);
    let Some(entry) = call.db().entry(key) else {
        return Ok(Reply::Integer(-2));
    };
    let at = entry.expires_at();
    Ok(Reply::Integer(at.map_or(-1, |at| {
        i64::try_from(shown(at)).unwrap_or(i64::MAX)
    })))
}
