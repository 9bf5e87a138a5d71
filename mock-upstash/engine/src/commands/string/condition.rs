//! What a string may have to equal before it is set or deleted, by value or by digest.

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use crate::call::Call;
use crate::error::{CONDITION_NEEDS_STRING, DIGEST_FORM, ReplyError, UNKNOWN_CONDITION};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Value;

/// A comparison with what a key holds.
pub(super) struct Condition<'a> {
    /// The value, or its digest.
    operand: &'a Bytes,
    /// It is compared by digest.
    by_digest: bool,
    /// It must differ.
    differs: bool,
}

impl<'a> Condition<'a> {
    /// Reads `IFEQ`, `IFNE`, `IFDEQ`, `IFDNE`; `None` when the word is another.
    pub(super) fn parse(word: &[u8], operand: &'a Bytes) -> Option<Self> {
        const WORDS: [(&[u8], bool, bool); 4] = [
            (b"IFEQ", false, false),
            (b"IFNE", false, true),
            (b"IFDEQ", true, false),
            (b"IFDNE", true, true),
        ];
        let (_, by_digest, differs) = WORDS
            .into_iter()
            .find(|(known, ..)| word.eq_ignore_ascii_case(known))?;
        Some(Condition {
            operand,
            by_digest,
            differs,
        })
    }

    /// Whether another is spelt with the same word; only then may both be given.
    pub(super) fn has_word_of(&self, other: &Condition<'_>) -> bool {
        (self.by_digest, self.differs) == (other.by_digest, other.differs)
    }

    /// Whether it lets a missing key pass.
    pub(super) fn holds_for_missing(&self) -> bool {
        self.differs
    }

    /// Checks the form of the digest, which Redis does before it compares and not before.
    pub(super) fn check_form(&self) -> Result<(), ReplyError> {
        let well_formed = !self.by_digest || self.operand.len() == 16;
        if well_formed {
            Ok(())
        } else {
            Err(DIGEST_FORM)
        }
    }

    /// Whether it holds for a value.
    pub(super) fn holds(&self, value: &[u8]) -> bool {
        let equal = if self.by_digest {
            self.operand
                .eq_ignore_ascii_case(digest_of(value).as_bytes())
        } else {
            *self.operand == *value
        };
        equal != self.differs
    }
}

fn digest_of(value: &[u8]) -> String {
    format!("{:016x}", xxh3_64(value))
}

/// `DIGEST key`
pub(super) fn digest(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let value = call.db().read::<Vec<u8>>(key)?;
    Ok(Reply::bulk_or_nil(value.map(|value| digest_of(value))))
}

/// `DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]`
pub(super) fn delex(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    if call.args.len() != 2 && call.args.len() != 4 {
        return Err(ReplyError::arity("delex"));
    }
    if call.args.len() == 4 {
        let (word, operand) = (call.arg(2), call.arg(3));
        let Some(value) = call.db().value(key) else {
            return Ok(Reply::Integer(0));
        };
        let Value::String(value) = value else {
            return Err(CONDITION_NEEDS_STRING);
        };
        let condition = Condition::parse(word, operand).ok_or(UNKNOWN_CONDITION)?;
        condition.check_form()?;
        if !condition.holds(value) {
            return Ok(Reply::Integer(0));
        }
    }
    if !call.db().remove(key) {
        return Ok(Reply::Integer(0));
    }
    call.changed(Class::GENERIC, "del", key);
    Ok(Reply::Integer(1))
}
