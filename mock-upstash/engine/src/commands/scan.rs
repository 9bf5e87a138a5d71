//! What SSCAN, HSCAN and ZSCAN have in common: cursor, options and the shape of a page.
//!
//! A cursor is the number of places that are still to be seen, counted from 0; a scan goes from the
//! last place down. An element of a collection only ever moves from the end to a lower place, so one
//! that is there throughout a scan is seen at least once.

use bytes::Bytes;

use crate::call::Call;
use crate::error::{INVALID_CURSOR, ReplyError, SYNTAX};
use crate::glob;
use crate::number;
use crate::reply::Reply;

/// How many places a scan looks at when it is not told.
const DEFAULT_COUNT: usize = 10;

/// The options of a scan.
pub(crate) struct Options<'e> {
    pattern: Option<&'e Bytes>,
    count: usize,
}

/// Reads the cursor: an unsigned number. One that is not in canonical form is read as C's `strtoull`
/// does, which skips spaces before it and takes a sign; `-1` is refused, `-01` is not.
///
/// # Errors
/// When it is none.
pub(crate) fn cursor(call: &Call<'_>, index: usize) -> Result<u64, ReplyError> {
    let text = call.arg(index);
    if let Some(n) = number::integer(text) {
        return u64::try_from(n).map_err(|_| INVALID_CURSOR);
    }
    let text = std::str::from_utf8(text).map_err(|_| INVALID_CURSOR)?;
    // What isspace says in C, which counts the vertical tab as well.
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(INVALID_CURSOR);
    }
    let n: u64 = digits.parse().map_err(|_| INVALID_CURSOR)?;
    Ok(if negative { n.wrapping_neg() } else { n })
}

/// Reads `[MATCH pattern] [COUNT count]` from an argument on.
///
/// # Errors
/// When there is something else, or a count below 1.
pub(crate) fn options<'e>(call: &Call<'e>, from: usize) -> Result<Options<'e>, ReplyError> {
    let mut options = Options {
        pattern: None,
        count: DEFAULT_COUNT,
    };
    let mut at = from;
    while at < call.args.len() {
        if at + 1 == call.args.len() {
            return Err(SYNTAX);
        }
        if call.is(at, "COUNT") {
            let count = call.integer(at + 1)?;
            if count < 1 {
                return Err(SYNTAX);
            }
            options.count = usize::try_from(count).unwrap_or(usize::MAX);
        } else if call.is(at, "MATCH") {
            options.pattern = Some(&call.args[at + 1]);
        } else {
            return Err(SYNTAX);
        }
        at += 2;
    }
    Ok(options)
}

impl Options<'_> {
    /// The places that this page shows, and the cursor for the next one. A compact collection is
    /// shown whole, whatever the cursor.
    pub(crate) fn places(
        &self,
        cursor: u64,
        len: usize,
        compact: bool,
    ) -> (u64, std::iter::Rev<std::ops::Range<usize>>) {
        if compact {
            return (0, (0..len).rev());
        }
        let end = match usize::try_from(cursor) {
            Ok(0) | Err(_) => len,
            Ok(end) => end.min(len),
        };
        let start = end.saturating_sub(self.count);
        (start as u64, (start..end).rev())
    }

    /// Whether an element's name matches the pattern, if there is one.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.pattern
            .is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// The page of a scan over a key that is not there.
pub(crate) fn nothing() -> Reply {
    page(0, Vec::new())
}

/// The page of a scan: the next cursor and the elements.
pub(crate) fn page(next: u64, elements: Vec<Reply>) -> Reply {
    Reply::Array(vec![Reply::bulk(next.to_string()), Reply::Array(elements)])
}
