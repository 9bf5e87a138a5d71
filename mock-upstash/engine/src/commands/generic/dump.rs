//! DUMP and RESTORE: a value as bytes that other servers take too.

use crate::call::Call;
use crate::dump::{self, Refusal};
use crate::error::{
    BUSY_KEY, FREQUENCY_OUTSIDE, IDLETIME_NEGATIVE, PAYLOAD_DATA, PAYLOAD_FOOTER,
    RESTORE_TTL_NEGATIVE, ReplyError,
};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};

/// `DUMP key`
pub(super) fn dump(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let value = call.db().value(key);
    Ok(Reply::bulk_or_nil(value.map(dump::dump)))
}

/// What stands behind the payload.
#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
}

impl Options {
    /// IDLETIME and FREQ are checked and have no effect: no key is evicted here.
    fn parse(call: &Call<'_>) -> Result<Options, ReplyError> {
        let mut options = Options::default();
        let (mut idle, mut frequency) = (false, false);
        let mut i = 4;
        while i < call.args.len() {
            let has_value = i + 1 < call.args.len();
            if call.is(i, "REPLACE") {
                options.replace = true;
            } else if call.is(i, "ABSTTL") {
                options.absolute = true;
            } else if call.is(i, "IDLETIME") && has_value && !frequency {
                i += 1;
                if call.integer(i)? < 0 {
                    return Err(IDLETIME_NEGATIVE);
                }
                idle = true;
            } else if call.is(i, "FREQ") && has_value && !idle {
                i += 1;
                if !(0..=255).contains(&call.integer(i)?) {
                    return Err(FREQUENCY_OUTSIDE);
                }
                frequency = true;
            } else {
                return call.syntax_error();
            }
            i += 1;
        }
        Ok(options)
    }
}

/// `RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub(super) fn restore(call: &mut Call<'_>) -> Outcome {
    let options = Options::parse(call)?;
    let key = call.arg(1);
    if !options.replace && call.db().contains(key) {
        return Err(BUSY_KEY);
    }
    let ttl_ms = u64::try_from(call.integer(2)?).map_err(|_| RESTORE_TTL_NEGATIVE)?;
    let value = dump::restore(call.arg(3)).map_err(|refusal| match refusal {
        Refusal::Footer => PAYLOAD_FOOTER,
        Refusal::Data => PAYLOAD_DATA,
    })?;
    let expires_at = match ttl_ms {
        0 => None,
        at if options.absolute => Some(at),
        // Beyond what a signed number holds, Redis's sum wraps to a time long past.
        ttl => Some(ttl + call.now_ms).map(|at| if i64::try_from(at).is_ok() { at } else { 0 }),
    };
    let before = call.db().kind(key);
    let deleted = options.replace && call.db().remove(key);
    if expires_at.is_some_and(|at| at <= call.now_ms) {
        if deleted {
            call.changed(Class::GENERIC, "del", key);
        }
        return Ok(Reply::OK);
    }
    call.db().insert(key, value);
    call.db().set_expiry(key, expires_at);
    call.changed(Class::GENERIC, "restore", key);
    call.engine.notify_replaced(before, key, call.db);
    Ok(Reply::OK)
}
