//! The grammar around fields: `FIELDS numfields field …`, with conditions and expiries before or
//! behind it.

use bytes::Bytes;

use crate::call::Call;
use crate::error::{
    CONDITIONS_CONFLICT, EXPIRE_TIME_MISSING, FIELD_EXPIRE_NEGATIVE, FIELDS_INCOMPLETE,
    FIELDS_INVALID, FIELDS_MISMATCH, FIELDS_MISPLACED, FIELDS_MISSING, FIELDS_NOT_POSITIVE,
    FIELDS_REPEATED, NUM_FIELDS_NOT_POSITIVE, ONE_OF_EXPIRY_OR_KEEPTTL, ONE_OF_EXPIRY_OR_PERSIST,
    ONE_OF_FXX_FNX, ReplyError, WRONG_ARGUMENTS,
};
use crate::expiry::Form;
use crate::number;

/// Latest instant a field's expiry can have, in milliseconds since the Unix epoch: Redis keeps it in
/// 46 bits.
const LATEST_MS: i64 = (1 << 46) - 1;

/// `FIELDS numfields field …` at a fixed place and up to the end, as HTTL, HPERSIST and HGETDEL
/// have it.
///
/// # Errors
/// When the word is missing, or the number is not that of the fields.
pub(super) fn fixed<'e>(call: &Call<'e>, at: usize) -> Result<&'e [Bytes], ReplyError> {
    if !call.is(at, "FIELDS") {
        return Err(FIELDS_MISPLACED);
    }
    let count = number::integer(call.arg(at + 1))
        .filter(|count| *count > 0)
        .ok_or(FIELDS_NOT_POSITIVE)?;
    let fields = call.args_from(at + 2);
    if usize::try_from(count) == Ok(fields.len()) {
        Ok(fields)
    } else {
        Err(FIELDS_MISMATCH)
    }
}

/// Reads an expiry of fields: not negative, and the instant within Redis's 46 bits.
///
/// # Errors
/// When it is no integer, negative or too far away.
pub(super) fn instant_ms(call: &Call<'_>, index: usize, form: Form) -> Result<u64, ReplyError> {
    let amount = call.integer(index)?;
    if amount < 0 {
        return Err(FIELD_EXPIRE_NEGATIVE);
    }
    form.instant_ms(amount, call.now_ms)
        .filter(|at| *at <= LATEST_MS)
        .and_then(|at| u64::try_from(at).ok())
        .ok_or_else(|| ReplyError::invalid_expire(&call.command.full_name()))
}

/// Which fields HEXPIRE gives its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// `NX`: those without one.
    Missing,
    /// `XX`: those with one.
    Present,
    /// `GT`: those whose expiry is sooner.
    Later,
    /// `LT`: those whose expiry is later, or that have none.
    Sooner,
}

impl Condition {
    fn parse(word: &[u8]) -> Option<Condition> {
        const WORDS: [(&[u8], Condition); 4] = [
            (b"NX", Condition::Missing),
            (b"XX", Condition::Present),
            (b"GT", Condition::Later),
            (b"LT", Condition::Sooner),
        ];
        WORDS
            .into_iter()
            .find_map(|(known, condition)| word.eq_ignore_ascii_case(known).then_some(condition))
    }

    /// Whether an expiry may take the place of the present one.
    pub(super) fn allows(self, current: Option<u64>, at_ms: u64) -> bool {
        match self {
            Condition::Missing => current.is_none(),
            Condition::Present => current.is_some(),
            Condition::Later => current.is_some_and(|current| at_ms > current),
            Condition::Sooner => current.is_none_or(|current| at_ms < current),
        }
    }
}

/// Condition and fields of HEXPIRE and its relatives, in any order from the third argument on.
///
/// # Errors
/// As Redis, for the first argument that does not fit.
pub(super) fn conditional<'e>(
    call: &Call<'e>,
) -> Result<(Option<Condition>, &'e [Bytes]), ReplyError> {
    let (mut condition, mut conflict, mut fields) = (None, false, None);
    let mut i = 3;
    while i < call.args.len() {
        if call.is(i, "FIELDS") {
            if fields.is_some() {
                return Err(FIELDS_REPEATED);
            }
            if i + 2 >= call.args.len() {
                return Err(FIELDS_INCOMPLETE);
            }
            let count = count(call, i + 1).ok_or(NUM_FIELDS_NOT_POSITIVE)?;
            let named = call.args_from(i + 2).get(..count).ok_or(WRONG_ARGUMENTS)?;
            fields = Some(named);
            i += 2 + count;
        } else if let Some(word) = Condition::parse(call.arg(i)) {
            conflict |= condition.is_some_and(|other| other != word);
            condition = Some(word);
            i += 1;
        } else {
            return Err(ReplyError::naming("ERR unknown argument: ", call.arg(i)));
        }
    }
    let fields = fields.ok_or(FIELDS_MISSING)?;
    if conflict {
        return Err(CONDITIONS_CONFLICT);
    }
    Ok((condition, fields))
}

/// The number of fields at an index: above zero, in 32 bits.
fn count(call: &Call<'_>, index: usize) -> Option<usize> {
    let count =
        number::integer(call.arg(index)).filter(|n| (1..=i64::from(i32::MAX)).contains(n))?;
    usize::try_from(count).ok()
}

/// What becomes of the fields' expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// HGETEX leaves it, HSETEX clears it.
    Unsaid,
    /// `PERSIST` of HGETEX: it is cleared.
    Persist,
    /// `KEEPTTL` of HSETEX: it stays.
    Keep,
    /// It is set, in milliseconds since the Unix epoch.
    At(u64),
}

/// The options of HGETEX and HSETEX.
pub(super) struct Options<'e> {
    pub(super) expiry: Expiry,
    /// `FNX` (true): none of the fields may exist; `FXX` (false): all of them must.
    pub(super) all_missing: Option<bool>,
    /// Fields; for HSETEX fields and values in turn.
    pub(super) fields: &'e [Bytes],
}

impl<'e> Options<'e> {
    /// Reads the options, which stand in any order from the second argument on.
    ///
    /// # Errors
    /// As Redis, for the first argument that does not fit.
    pub(super) fn parse(call: &Call<'e>, setting: bool) -> Result<Options<'e>, ReplyError> {
        let (mut expiry, mut all_missing, mut fields) = (Expiry::Unsaid, None, None);
        let mut i = 2;
        while i < call.args.len() {
            let form = Form::parse(call.arg(i));
            let other = if setting { "KEEPTTL" } else { "PERSIST" };
            if call.is(i, "FIELDS") {
                if fields.is_some() {
                    return Err(FIELDS_REPEATED);
                }
                if i + 1 >= call.args.len() {
                    return Err(ReplyError::arity(&call.command.full_name()));
                }
                let per_field = if setting { 2 } else { 1 };
                let length = count(call, i + 1).ok_or(FIELDS_INVALID)? * per_field;
                let named = call.args_from(i + 2).get(..length).ok_or(WRONG_ARGUMENTS)?;
                fields = Some(named);
                i += 2 + length;
            } else if form.is_some() || call.is(i, other) {
                if expiry != Expiry::Unsaid {
                    return Err(if setting {
                        ONE_OF_EXPIRY_OR_KEEPTTL
                    } else {
                        ONE_OF_EXPIRY_OR_PERSIST
                    });
                }
                if let Some(form) = form {
                    i += 1;
                    if i >= call.args.len() {
                        return Err(EXPIRE_TIME_MISSING);
                    }
                    expiry = Expiry::At(instant_ms(call, i, form)?);
                } else {
                    expiry = if setting {
                        Expiry::Keep
                    } else {
                        Expiry::Persist
                    };
                }
                i += 1;
            } else if setting && (call.is(i, "FNX") || call.is(i, "FXX")) {
                if all_missing.is_some() {
                    return Err(ONE_OF_FXX_FNX);
                }
                all_missing = Some(call.is(i, "FNX"));
                i += 1;
            } else {
                return Err(ReplyError::naming("ERR unknown argument: ", call.arg(i)));
            }
        }
        Ok(Options {
            expiry,
            all_missing,
            fields: fields.ok_or(FIELDS_MISSING)?,
        })
    }
}
