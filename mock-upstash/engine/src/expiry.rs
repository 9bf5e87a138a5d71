//! Expiry of keys: how commands say it, and what it does.

use crate::call::Call;
use crate::error::ReplyError;
use crate::notification::Class;

/// How an expiry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `EX`: seconds from now.
    Seconds,
    /// `PX`: milliseconds from now.
    Milliseconds,
    /// `EXAT`: seconds since the Unix epoch.
    UnixSeconds,
    /// `PXAT`: milliseconds since the Unix epoch.
    UnixMilliseconds,
}

impl Form {
    /// Reads `EX`, `PX`, `EXAT`, `PXAT` in any case.
    pub fn parse(word: &[u8]) -> Option<Form> {
        const WORDS: [(&[u8], Form); 4] = [
            (b"EX", Form::Seconds),
            (b"PX", Form::Milliseconds),
            (b"EXAT", Form::UnixSeconds),
            (b"PXAT", Form::UnixMilliseconds),
        ];
        WORDS
            .into_iter()
            .find_map(|(known, form)| word.eq_ignore_ascii_case(known).then_some(form))
    }

    /// Whether it counts seconds.
    pub fn in_seconds(self) -> bool {
        matches!(self, Form::Seconds | Form::UnixSeconds)
    }

    /// Whether it counts from now.
    pub fn is_relative(self) -> bool {
        matches!(self, Form::Seconds | Form::Milliseconds)
    }

    /// The instant in milliseconds since the Unix epoch; `None` when it does not fit 63 bits.
    pub fn instant_ms(self, amount: i64, now_ms: u64) -> Option<i64> {
        let ms = if self.in_seconds() {
            amount.checked_mul(1000)?
        } else {
            amount
        };
        if self.is_relative() {
            ms.checked_add(i64::try_from(now_ms).ok()?)
        } else {
            Some(ms)
        }
    }
}

/// Reads the expiry at an index as SET and its like take it: above zero.
///
/// # Errors
/// When it is no integer, not above zero or too far away.
pub fn read_expiry(call: &Call<'_>, index: usize, form: Form) -> Result<u64, ReplyError> {
    let amount = call.integer(index)?;
    (amount > 0)
        .then(|| form.instant_ms(amount, call.now_ms))
        .flatten()
        .and_then(|at| u64::try_from(at).ok())
        .ok_or_else(|| ReplyError::invalid_expire(&call.command.full_name()))
}

impl Call<'_> {
    /// Gives a key an expiry, or takes the key out when the instant is not in the future: `expire`
    /// or `del` is published.
    pub fn set_expiry_or_delete(&mut self, key: &[u8], at_ms: u64) {
        if at_ms <= self.now_ms {
            self.db().remove(key);
            self.changed(Class::GENERIC, "del", key);
        } else {
            self.db().set_expiry(key, Some(at_ms));
            self.reduced(Class::GENERIC, "expire", key);
        }
    }

    /// Takes away a key's expiry; says whether there was one.
    pub fn persist(&mut self, key: &[u8]) -> bool {
        let had = self.db().expires_at(key).is_some();
        if had {
            self.db().set_expiry(key, None);
            self.reduced(Class::GENERIC, "persist", key);
        }
        had
    }
}
