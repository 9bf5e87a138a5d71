//! BITFIELD: integers of any width in a string.

use bytes::Bytes;

use super::{make_room, read_offset};
use crate::call::Call;
use crate::error::{BITFIELD_OVERFLOW, BITFIELD_RO_GET, BITFIELD_TYPE, ReplyError, SYNTAX};
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::bitmap;

/// What happens when a number does not fit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

/// The type of an integer: `i` and 1 to 64 bits, or `u` and 1 to 63.
#[derive(Debug, Clone, Copy)]
struct Type {
    signed: bool,
    width: u32,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Get,
    Set(i64),
    Add(i64),
}

struct Operation {
    action: Action,
    kind: Type,
    offset: usize,
    overflow: Overflow,
}

impl Type {
    fn parse(text: &[u8]) -> Result<Type, ReplyError> {
        let (signed, digits) = match text {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return Err(BITFIELD_TYPE),
        };
        let widest = if signed { 64 } else { 63 };
        number::integer(digits)
            .and_then(|width| u32::try_from(width).ok())
            .filter(|width| (1..=widest).contains(width))
            .map(|width| Type { signed, width })
            .ok_or(BITFIELD_TYPE)
    }

    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.width)
    }

    /// The number that the lowest bits spell.
    fn value_of(self, bits: u64) -> i64 {
        let shift = 64 - self.width;
        if self.signed {
            ((bits << shift) as i64) >> shift
        } else {
            (bits & self.mask()) as i64
        }
    }

    /// Adds, and says whether the sum does not fit: `Some(true)` when it is too large. Redis takes
    /// differences modulo 2⁶⁴ here, which shows when a value that is set is far out of range.
    fn overflows(self, value: i64, by: i64) -> Option<bool> {
        if !self.signed {
            let (value, max) = (value as u64, self.mask());
            let most = max.wrapping_sub(value) as i64;
            let least = (value as i64).wrapping_neg();
            return if value > max || (by > 0 && by > most) {
                Some(true)
            } else if by < 0 && by < least {
                Some(false)
            } else {
                None
            };
        }
        let max = (self.mask() >> 1) as i64;
        let min = -max - 1;
        let (most, least) = (max.wrapping_sub(value), min.wrapping_sub(value));
        let narrow = self.width != 64;
        if value > max || (narrow && by > most) || (value >= 0 && by > 0 && by > most) {
            Some(true)
        } else if value < min || (narrow && by < least) || (value < 0 && by < 0 && by < least) {
            Some(false)
        } else {
            None
        }
    }

    /// The sum as it is stored; `None` when it does not fit and must not be.
    fn sum(self, value: i64, by: i64, overflow: Overflow) -> Option<i64> {
        let sum = value.wrapping_add(by);
        match (self.overflows(value, by), overflow) {
            (None, _) => Some(sum),
            (Some(_), Overflow::Fail) => None,
            (Some(_), Overflow::Wrap) => Some(self.value_of(sum as u64)),
            (Some(true), Overflow::Saturate) if self.signed => Some((self.mask() >> 1) as i64),
            (Some(true), Overflow::Saturate) => Some(self.mask() as i64),
            (Some(false), Overflow::Saturate) if self.signed => {
                Some(-((self.mask() >> 1) as i64) - 1)
            }
            (Some(false), Overflow::Saturate) => Some(0),
        }
    }
}

/// Reads what follows the key: all of it, before anything is done.
fn parse(call: &Call<'_>) -> Result<Vec<Operation>, ReplyError> {
    let (mut operations, mut overflow) = (Vec::new(), Overflow::Wrap);
    let mut i = 2;
    while i < call.args.len() {
        let operands = call.args.len() - i - 1;
        if call.is(i, "OVERFLOW") && operands >= 1 {
            overflow = match () {
                () if call.is(i + 1, "WRAP") => Overflow::Wrap,
                () if call.is(i + 1, "SAT") => Overflow::Saturate,
                () if call.is(i + 1, "FAIL") => Overflow::Fail,
                () => return Err(BITFIELD_OVERFLOW),
            };
            i += 2;
            continue;
        }
        let get = call.is(i, "GET") && operands >= 2;
        let set = call.is(i, "SET") && operands >= 3;
        let add = call.is(i, "INCRBY") && operands >= 3;
        if !(get || set || add) {
            return Err(SYNTAX);
        }
        let kind = Type::parse(call.arg(i + 1))?;
        let offset = offset(call, call.arg(i + 2), kind)?;
        let action = if get {
            Action::Get
        } else if set {
            Action::Set(call.integer(i + 3)?)
        } else {
            Action::Add(call.integer(i + 3)?)
        };
        operations.push(Operation {
            action,
            kind,
            offset,
            overflow,
        });
        i += if get { 3 } else { 4 };
    }
    Ok(operations)
}

/// An offset in bits, or behind a `#` in integers of the type.
fn offset(call: &Call<'_>, text: &Bytes, kind: Type) -> Result<usize, ReplyError> {
    match text.strip_prefix(b"#") {
        Some(index) => read_offset(call, index, i64::from(kind.width)),
        None => read_offset(call, text, 1),
    }
}

/// `BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value | INCRBY type
/// offset increment] …`, and `BITFIELD_RO` with GET alone
pub(super) fn bitfield(call: &mut Call<'_>) -> Outcome {
    let operations = parse(call)?;
    let key = call.arg(1);
    let writes = operations
        .iter()
        .filter(|operation| !matches!(operation.action, Action::Get));
    let last_bit = writes
        .map(|operation| operation.offset + operation.kind.width as usize - 1)
        .max();
    let Some(last_bit) = last_bit else {
        let bytes = call.db().read::<Vec<u8>>(key)?;
        let bytes = bytes.map_or(&[][..], |bytes| &bytes[..]);
        let replies = operations.iter().map(|operation| {
            let bits = bitmap::read(bytes, operation.offset, operation.kind.width);
            Reply::Integer(operation.kind.value_of(bits))
        });
        return Ok(Reply::Array(replies.collect()));
    };
    if call.command.name == "BITFIELD_RO" {
        return Err(BITFIELD_RO_GET);
    }
    // Room is made even when nothing is written in the end, because it would overflow.
    let (bytes, grown) = make_room(call, key, last_bit)?;
    let mut changed = false;
    let mut replies = Vec::with_capacity(operations.len());
    for operation in operations {
        let (kind, overflow) = (operation.kind, operation.overflow);
        let before = kind.value_of(bitmap::read(bytes, operation.offset, kind.width));
        let (stored, answer) = match operation.action {
            Action::Get => (None, Some(before)),
            Action::Set(value) => {
                let stored = kind.sum(value, 0, overflow);
                (stored, stored.map(|_| before))
            }
            Action::Add(by) => {
                let stored = kind.sum(before, by, overflow);
                (stored, stored)
            }
        };
        if let Some(value) = stored {
            bitmap::write(bytes, operation.offset, kind.width, value as u64);
            changed |= grown || value != before;
        }
        replies.push(answer.map_or(Reply::Nil, Reply::Integer));
    }
    if changed {
        call.changed(Class::STRING, "setbit", key);
    }
    Ok(Reply::Array(replies))
}
