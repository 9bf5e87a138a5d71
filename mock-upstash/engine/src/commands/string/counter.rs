//! INCR and its relatives.

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::{
    DECREMENT_OVERFLOW, INCREMENT_OVERFLOW, NAN_OR_INFINITY, NOT_A_FLOAT, ReplyError,
};
use crate::extended::Extended;
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::Value;

/// `INCR key`
pub(super) fn incr(call: &mut Call<'_>) -> Outcome {
    add(call, 1)
}

/// `DECR key`
pub(super) fn decr(call: &mut Call<'_>) -> Outcome {
    add(call, -1)
}

/// `INCRBY key increment`
pub(super) fn incrby(call: &mut Call<'_>) -> Outcome {
    let by = call.integer(2)?;
    add(call, by)
}

/// `DECRBY key decrement`
pub(super) fn decrby(call: &mut Call<'_>) -> Outcome {
    let by = call.integer(2)?.checked_neg().ok_or(DECREMENT_OVERFLOW)?;
    add(call, by)
}

fn add(call: &mut Call<'_>, by: i64) -> Outcome {
    let key = call.arg(1);
    let held = match call.db().read::<Vec<u8>>(key)? {
        Some(text) => number::integer(text).ok_or(call.not_an_integer())?,
        None => 0,
    };
    let sum = held.checked_add(by).ok_or(INCREMENT_OVERFLOW)?;
    let text = sum.to_string().into_bytes();
    call.db().replace(key, Value::String(text));
    call.changed(Class::STRING, "incrby", key);
    Ok(Reply::Integer(sum))
}

/// `INCRBYFLOAT key increment`
pub(super) fn incrbyfloat(call: &mut Call<'_>) -> Outcome {
    let (key, by) = (call.arg(1), call.arg(2));
    let doubles = call.quirk(Quirk::DoubleArithmetic);
    let held = call.db().read::<Vec<u8>>(key)?;
    let held = held.map_or(&b"0"[..], |text| text);
    let text = add_floats(held, by, doubles, [NOT_A_FLOAT, NOT_A_FLOAT])?;
    let reply = Reply::bulk(&text);
    call.db().replace(key, Value::String(text.into_bytes()));
    call.changed(Class::STRING, "incrbyfloat", key);
    Ok(reply)
}

/// Adds two numbers in text: in the extended precision of x86 as Redis does, or in doubles.
/// `errors` are those for a first and a second operand that is no number.
///
/// # Errors
/// When an operand is no number, or the sum none that can be stored.
pub(crate) fn add_floats(
    held: &[u8],
    by: &[u8],
    doubles: bool,
    [bad_held, bad_by]: [ReplyError; 2],
) -> Result<String, ReplyError> {
    if doubles {
        let sum = number::double(held).ok_or(bad_held)? + number::double(by).ok_or(bad_by)?;
        return if sum.is_finite() {
            // Without an exponent, and zero without a sign.
            Ok(format!("{}", if sum == 0.0 { 0.0 } else { sum }))
        } else {
            Err(NAN_OR_INFINITY)
        };
    }
    let held = Extended::parse(held).ok_or(bad_held)?;
    let by = Extended::parse(by).ok_or(bad_by)?;
    held.plus(by).format().ok_or(NAN_OR_INFINITY)
}
