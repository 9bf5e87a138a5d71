//! JSON commands that work on numbers, strings, booleans and objects.

use super::{PathArgument, change, look, parse, wrong_type};
use crate::call::Call;
use crate::error::ReplyError;
use crate::reply::{Outcome, Reply};
use crate::value::Json;

/// `JSON.NUMINCRBY key path value`
pub(super) fn numincrby(call: &mut Call<'_>) -> Outcome {
    calculate(call, "json.numincrby", i64::checked_add, |a, b| a + b)
}

/// `JSON.NUMMULTBY key path value`
pub(super) fn nummultby(call: &mut Call<'_>) -> Outcome {
    calculate(call, "json.nummultby", i64::checked_mul, |a, b| a * b)
}

/// Two integers make an integer as long as it fits; anything else makes a floating point number.
/// The reply is JSON text.
fn calculate(
    call: &mut Call<'_>,
    event: &str,
    on_integers: fn(i64, i64) -> Option<i64>,
    on_numbers: fn(f64, f64) -> f64,
) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let operand = parse(call.arg(3))?;
    let Some(operand_number) = operand.as_number() else {
        return Err(wrong_type("a number", &operand));
    };
    let outcome = change(call, &path, event, "a number", |node| {
        let Some(number) = node.as_number() else {
            return Ok(None);
        };
        let whole = match (&*node, &operand) {
            (Json::Integer(a), Json::Integer(b)) => on_integers(*a, *b),
            _ => None,
        };
        *node = match whole {
            Some(whole) => Json::Integer(whole),
            None => {
                let result = on_numbers(number, operand_number);
                if !result.is_finite() {
                    return Err(ReplyError::fixed("ERR result is not a number"));
                }
                Json::Number(result)
            }
        };
        Ok(Some(Reply::bulk(node.to_text())))
    })?;
    let Reply::Array(replies) = outcome else {
        return Ok(outcome);
    };
    let mut text = b"[".to_vec();
    for (index, reply) in replies.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        match reply {
            Reply::Bulk(number) => text.extend_from_slice(number),
            _ => text.extend_from_slice(b"null"),
        }
    }
    text.push(b']');
    Ok(Reply::bulk(text))
}

/// `JSON.STRAPPEND key [path] value`
pub(super) fn strappend(call: &mut Call<'_>) -> Outcome {
    let (path, value) = if call.args.len() > 3 {
        (PathArgument::at(call, 2)?, call.arg(3))
    } else {
        (PathArgument::read(b".")?, call.arg(2))
    };
    let value = parse(value)?;
    let Json::String(addition) = &value else {
        return Err(wrong_type("string", &value));
    };
    change(call, &path, "json.strappend", "string", |node| {
        let Json::String(text) = node else {
            return Ok(None);
        };
        text.push_str(addition);
        Ok(Some(Reply::count(text.len())))
    })
}

/// `JSON.STRLEN key [path]`
pub(super) fn strlen(call: &mut Call<'_>) -> Outcome {
    look(call, "string", |node| match node {
        Json::String(text) => Some(Reply::count(text.len())),
        _ => None,
    })
}

/// `JSON.TOGGLE key path`
pub(super) fn toggle(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let legacy = path.path.legacy;
    change(call, &path, "json.toggle", "boolean", |node| {
        let Json::Boolean(truth) = node else {
            return Ok(None);
        };
        *truth = !*truth;
        Ok(Some(if legacy {
            Reply::bulk(if *truth { "true" } else { "false" })
        } else {
            Reply::flag(*truth)
        }))
    })
}

/// `JSON.OBJKEYS key [path]`
pub(super) fn objkeys(call: &mut Call<'_>) -> Outcome {
    look(call, "object", |node| match node {
        Json::Object(members) => Some(Reply::bulks(members.keys())),
        _ => None,
    })
}

/// `JSON.OBJLEN key [path]`
pub(super) fn objlen(call: &mut Call<'_>) -> Outcome {
    look(call, "object", |node| match node {
        Json::Object(members) => Some(Reply::count(members.len())),
        _ => None,
    })
}

/// `JSON.CLEAR key [path]`: empties containers, sets numbers to 0, and answers how many it changed.
pub(super) fn clear(call: &mut Call<'_>) -> Outcome {
    let mut path = PathArgument::at(call, 2)?;
    // The number of changes is the reply in both dialects.
    path.path.legacy = false;
    let outcome = change(call, &path, "json.clear", "container", |node| {
        let cleared = match node {
            Json::Array(items) if !items.is_empty() => Json::Array(Vec::new()),
            Json::Object(members) if !members.is_empty() => Json::Object(Default::default()),
            Json::Integer(number) if *number != 0 => Json::Integer(0),
            Json::Number(number) if *number != 0.0 => Json::Integer(0),
            _ => return Ok(None),
        };
        *node = cleared;
        Ok(Some(Reply::Integer(1)))
    })?;
    let Reply::Array(replies) = outcome else {
        return Ok(Reply::Integer(0));
    };
    let cleared = replies.iter().filter(|reply| **reply != Reply::Nil);
    Ok(Reply::count(cleared.count()))
}
