//! Ids among the arguments, and what XADD, XTRIM, XDELEX and XACKDEL are told about removal.

use std::ops::Range;

use crate::call::Call;
use crate::commands::argument;
use crate::dialect::Quirk;
use crate::error::{ReplyError, SYNTAX};
use crate::number;
use crate::value::stream::{Id, NewId, References, Threshold, Trim};

pub(super) const INVALID_ID: ReplyError =
    ReplyError::fixed("ERR Invalid stream ID specified as stream command argument");

/// Most entries that trimming with `~` takes out when it is not told: a hundred nodes of a hundred.
const DEFAULT_TRIM_LIMIT: usize = 10_000;

/// An id; a sequence number that is not given is 0.
pub(super) fn id(call: &Call<'_>, index: usize) -> Result<Id, ReplyError> {
    Id::parse(call.arg(index), 0).ok_or(INVALID_ID)
}

/// The ids at some places.
pub(super) fn ids(call: &Call<'_>, places: Range<usize>) -> Result<Vec<Id>, ReplyError> {
    places.map(|index| id(call, index)).collect()
}

/// The lower end of a range: `-`, `+`, an id, or one behind `(` that is left out.
pub(super) fn range_start(call: &Call<'_>, index: usize) -> Result<Id, ReplyError> {
    match end_of_range(call.arg(index), 0)? {
        (id, false) => Ok(id),
        (id, true) => id
            .next()
            .ok_or(ReplyError::fixed("ERR invalid start ID for the interval")),
    }
}

/// The upper end of a range; a sequence number that is not given is the highest.
pub(super) fn range_end(call: &Call<'_>, index: usize) -> Result<Id, ReplyError> {
    match end_of_range(call.arg(index), u64::MAX)? {
        (id, false) => Ok(id),
        (id, true) => id
            .previous()
            .ok_or(ReplyError::fixed("ERR invalid end ID for the interval")),
    }
}

fn end_of_range(text: &[u8], sequence: u64) -> Result<(Id, bool), ReplyError> {
    match text {
        b"-" => Ok((Id::MIN, false)),
        b"+" => Ok((Id::MAX, false)),
        [b'(', rest @ ..] => Ok((Id::parse(rest, sequence).ok_or(INVALID_ID)?, true)),
        _ => Ok((Id::parse(text, sequence).ok_or(INVALID_ID)?, false)),
    }
}

/// KEEPREF, DELREF or ACKED, if the argument is one of them.
pub(super) fn references(call: &Call<'_>, index: usize) -> Option<References> {
    if call.is(index, "KEEPREF") {
        Some(References::Keep)
    } else if call.is(index, "DELREF") {
        Some(References::Delete)
    } else if call.is(index, "ACKED") {
        Some(References::Respect)
    } else {
        None
    }
}

/// What XADD and XTRIM are told before id and fields.
pub(super) struct Options {
    pub(super) make_stream: bool,
    pub(super) trim: Option<Trim>,
    /// The id that XADD asks for.
    pub(super) id: NewId,
    /// Where the arguments behind the options, and behind XADD's id, begin.
    pub(super) rest: usize,
}

/// Reads the options of XADD, up to and with the id, or those of XTRIM.
///
/// # Errors
/// When they do not follow the grammar, or do not go together.
pub(super) fn options(call: &Call<'_>, adds: bool) -> Result<Options, ReplyError> {
    let (mut make_stream, mut id) = (true, NewId::Auto);
    let (mut threshold, mut approximate) = (None, false);
    let (mut limit, mut kept) = (None, None);
    let mut at = 2;
    while at < call.args.len() {
        let more = call.args.len() - 1 - at;
        if adds && call.arg(at)[..] == *b"*" {
            at += 1;
            break;
        }
        let by_length = call.is(at, "MAXLEN");
        if more > 0 && (by_length || call.is(at, "MINID")) {
            if threshold.is_some() {
                return Err(ReplyError::fixed(
                    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
                ));
            }
            let operator = &call.arg(at + 1)[..];
            approximate = more > 1 && operator == b"~";
            at += 1 + usize::from(more > 1 && (approximate || operator == b"="));
            threshold = Some(if by_length {
                length(call, at)?
            } else {
                Threshold::LowestId(self::id(call, at)?)
            });
        } else if more > 0 && call.is(at, "LIMIT") {
            at += 1;
            limit = Some(call.integer(at)?);
            if limit.is_some_and(|limit| limit < 0) {
                return Err(ReplyError::fixed("ERR The LIMIT argument must be >= 0."));
            }
        } else if adds && call.is(at, "NOMKSTREAM") {
            make_stream = false;
        } else if kept.is_none()
            && let Some(references) = references(call, at)
        {
            kept = Some(references);
        } else if adds {
            id = new_id(call.arg(at)).ok_or(INVALID_ID)?;
            at += 1;
            break;
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    if limit.is_some_and(|limit| limit > 0) && threshold.is_none() {
        return Err(ReplyError::fixed(
            "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
        ));
    }
    if !adds && threshold.is_none() {
        return Err(ReplyError::fixed(
            "ERR syntax error, XTRIM must be called with a trimming strategy",
        ));
    }
    if limit.is_some() && !approximate {
        return Err(ReplyError::fixed(
            "ERR syntax error, LIMIT cannot be used without the special ~ option",
        ));
    }
    let limit = match limit {
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        None => DEFAULT_TRIM_LIMIT,
    };
    let by_nodes = approximate && !call.quirk(Quirk::NearExactTrim);
    let trim = threshold.map(|threshold| Trim {
        threshold,
        whole_nodes: by_nodes.then_some(limit),
        references: kept.unwrap_or_default(),
    });
    Ok(Options {
        make_stream,
        trim,
        id,
        rest: at,
    })
}

fn length(call: &Call<'_>, index: usize) -> Result<Threshold, ReplyError> {
    let length = call.integer(index)?;
    if length < 0 {
        return Err(ReplyError::fixed("ERR The MAXLEN argument must be >= 0."));
    }
    Ok(Threshold::Length(
        usize::try_from(length).unwrap_or(usize::MAX),
    ))
}

fn new_id(text: &[u8]) -> Option<NewId> {
    if let Some(ms) = text.strip_suffix(b"-*")
        && !ms.contains(&b'-')
    {
        return number::unsigned(ms).map(NewId::At);
    }
    Id::parse(text, 0).map(NewId::Exactly)
}

/// Reads `[KEEPREF|DELREF|ACKED] IDS numids id [id …]` from an argument on; the last of several `IDS`
/// counts. Answers where the ids stand: they are only looked at once stream and group are known to be
/// there.
///
/// # Errors
/// When the arguments do not follow that grammar.
pub(super) fn removal(
    call: &Call<'_>,
    from: usize,
) -> Result<(References, Range<usize>), ReplyError> {
    let (mut kept, mut ids) = (None, None);
    let mut at = from;
    while at < call.args.len() {
        if kept.is_none()
            && let Some(references) = references(call, at)
        {
            kept = Some(references);
            at += 1;
        } else if call.is(at, "IDS") && at + 1 < call.args.len() {
            let error = ReplyError::fixed("ERR Number of IDs must be a positive integer");
            let count = argument::ranged(call, at + 1, 1, i64::MAX, error)?;
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let given = call.args.len() - at - 2;
            if count > given {
                return Err(ReplyError::fixed(
                    "ERR The `numids` parameter must match the number of arguments",
                ));
            }
            ids = Some(at + 2..at + 2 + count);
            at += 2 + count;
        } else {
            return Err(SYNTAX);
        }
    }
    Ok((kept.unwrap_or_default(), ids.ok_or(SYNTAX)?))
}
