//! JSON commands that work on arrays.

use super::{PathArgument, change, look, parse};
use crate::call::Call;
use crate::error::ReplyError;
use crate::reply::{Outcome, Reply};
use crate::value::Json;
use crate::value::json_path::get;

/// `JSON.ARRAPPEND key path value [value …]`
pub(super) fn arrappend(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let values = parse_all(call, 3)?;
    change(call, &path, "json.arrappend", "array", |node| {
        let Json::Array(items) = node else {
            return Ok(None);
        };
        items.extend(values.iter().cloned());
        Ok(Some(Reply::count(items.len())))
    })
}

fn parse_all(call: &Call<'_>, from: usize) -> Result<Vec<Json>, ReplyError> {
    let texts = call.args_from(from).iter();
    texts.map(|text| parse(text)).collect()
}

/// `JSON.ARRINDEX key path value [start [stop]]`
pub(super) fn arrindex(call: &mut Call<'_>) -> Outcome {
    let wanted = parse(call.arg(3))?;
    let start = if call.args.len() > 4 {
        call.integer(4)?
    } else {
        0
    };
    let stop = if call.args.len() > 5 {
        call.integer(5)?
    } else {
        0
    };
    look(call, "array", |node| {
        let Json::Array(items) = node else {
            return None;
        };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let from_end = |at: i64| {
            if at < 0 {
                at.saturating_add(length)
            } else {
                at
            }
        };
        let start = from_end(start).clamp(0, length) as usize;
        // A stop of 0 is the end of the array.
        let stop = if stop == 0 {
            length
        } else {
            from_end(stop).clamp(0, length)
        } as usize;
        let range = items.get(start..stop).unwrap_or_default();
        let found = range.iter().position(|item| *item == wanted);
        Some(Reply::Integer(found.map_or(-1, |at| (at + start) as i64)))
    })
}

/// `JSON.ARRINSERT key path index value [value …]`
pub(super) fn arrinsert(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let index = call.integer(3)?;
    let values = parse_all(call, 4)?;
    // Whether the index fits is known before anything changes, so that all changes or nothing does.
    let place = |items: &[Json]| {
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let at = if index < 0 {
            index.saturating_add(length)
        } else {
            index
        };
        (0..=length).contains(&at).then_some(at as usize)
    };
    let (key, dialect) = (call.arg(1), call.engine.dialect);
    if let Some(document) = call.db().read::<Json>(key)? {
        for found in path.places(dialect, document)? {
            if let Some(Json::Array(items)) = get(document, &found)
                && place(items).is_none()
            {
                return Err(ReplyError::fixed("ERR index out of bounds"));
            }
        }
    }
    change(call, &path, "json.arrinsert", "array", |node| {
        let Json::Array(items) = node else {
            return Ok(None);
        };
        let at = place(items).unwrap_or(items.len());
        items.splice(at..at, values.iter().cloned());
        Ok(Some(Reply::count(items.len())))
    })
}

/// `JSON.ARRLEN key [path]`
pub(super) fn arrlen(call: &mut Call<'_>) -> Outcome {
    look(call, "array", |node| match node {
        Json::Array(items) => Some(Reply::count(items.len())),
        _ => None,
    })
}

/// `JSON.ARRPOP key [path [index]]`
pub(super) fn arrpop(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let index = if call.args.len() > 3 {
        call.integer(3)?
    } else {
        -1
    };
    change(call, &path, "json.arrpop", "array", |node| {
        let Json::Array(items) = node else {
            return Ok(None);
        };
        if items.is_empty() {
            return Ok(Some(Reply::Nil));
        }
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let at = if index < 0 {
            index.saturating_add(length)
        } else {
            index
        };
        let item = items.remove(at.clamp(0, length - 1) as usize);
        Ok(Some(Reply::bulk(item.to_text())))
    })
}

/// `JSON.ARRTRIM key path start stop`
pub(super) fn arrtrim(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let (start, stop) = (call.integer(3)?, call.integer(4)?);
    change(call, &path, "json.arrtrim", "array", |node| {
        let Json::Array(items) = node else {
            return Ok(None);
        };
        match crate::number::range(start, stop, items.len()) {
            Some(range) => {
                items.truncate(range.end);
                items.drain(..range.start);
            }
            None => items.clear(),
        }
        Ok(Some(Reply::count(items.len())))
    })
}
