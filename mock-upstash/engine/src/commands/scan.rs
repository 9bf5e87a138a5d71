//! What SCAN, SSCAN, HSCAN and ZSCAN have in common: cursor, options and the shape of a page.
//!
//! A cursor is the number of places that are still to be seen, counted from 0; a scan goes from the
//! last place down. An element of a collection only ever moves from the end to a lower place, so one
//! that is there throughout a scan is seen at least once.

use bytes::Bytes;

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::{INVALID_CURSOR, NOVALUES_OUTSIDE_HSCAN, ReplyError, SYNTAX};
use crate::glob;
use crate::number;
use crate::reply::Reply;

/// How many places a scan looks at when it is not told.
const DEFAULT_COUNT: usize = 10;

/// As [`DEFAULT_COUNT`], for SCAN on Upstash: databases of about forty keys are walked in one call
/// (@upstash/redis test suite, scan); the number itself is a guess.
const UPSTASH_SCAN_COUNT: usize = 100;

/// The options of a scan.
pub(crate) struct Options<'e> {
    pattern: Option<&'e Bytes>,
    count: usize,
    /// The type that keys must have.
    pub(crate) kind: Option<&'e Bytes>,
    /// Keys are shown with their types.
    pub(crate) with_kind: bool,
    /// Fields are shown without their values.
    pub(crate) no_values: bool,
}

/// Reads the cursor.
///
/// # Errors
/// When it is no unsigned number.
pub(crate) fn cursor(call: &Call<'_>, index: usize) -> Result<u64, ReplyError> {
    number::unsigned(call.arg(index)).ok_or(INVALID_CURSOR)
}

/// Reads `[MATCH pattern] [COUNT count]` from an argument on, of SCAN `[TYPE type]` too, and of HSCAN
/// `[NOVALUES]`.
///
/// # Errors
/// When there is something else, or a count below 1.
pub(crate) fn options<'e>(call: &Call<'e>, from: usize) -> Result<Options<'e>, ReplyError> {
    let (scan, hscan) = (call.command.name == "SCAN", call.command.name == "HSCAN");
    let mut options = Options {
        pattern: None,
        count: if scan && call.quirk(Quirk::ScanCount) {
            UPSTASH_SCAN_COUNT
        } else {
            DEFAULT_COUNT
        },
        kind: None,
        with_kind: false,
        no_values: false,
    };
    let mut at = from;
    while at < call.args.len() {
        let has_operand = at + 1 < call.args.len();
        if call.is(at, "COUNT") && has_operand {
            let count = call.integer(at + 1)?;
            if count < 1 {
                return Err(SYNTAX);
            }
            options.count = usize::try_from(count).unwrap_or(usize::MAX);
            at += 2;
        } else if call.is(at, "MATCH") && has_operand {
            options.pattern = Some(&call.args[at + 1]);
            at += 2;
        } else if scan && call.is(at, "TYPE") && has_operand {
            options.kind = Some(&call.args[at + 1]);
            at += 2;
        } else if scan && call.is(at, "WITHTYPE") && call.quirk(Quirk::ScanWithType) {
            options.with_kind = true;
            at += 1;
        } else if call.is(at, "NOVALUES") {
            if !hscan {
                return Err(NOVALUES_OUTSIDE_HSCAN);
            }
            options.no_values = true;
            at += 1;
        } else {
            return Err(SYNTAX);
        }
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
            .is_none_or(|pattern| glob::is_everything(pattern) || glob::matches(pattern, name))
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
