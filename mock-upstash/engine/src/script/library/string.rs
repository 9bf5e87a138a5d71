//! The functions of Lua's `string` that could take for ever: as Lua has them, and ended by the
//! script's time.

use std::sync::Arc;

use memchr::memmem;
use mlua::{Lua, LuaString, MultiValue, Table, Value};

use super::argument::Arguments;
use super::pattern::{Capture, Fault, Matcher, is_plain};
use crate::script::conversion::truncated;
use crate::script::failure::Failure;
use crate::script::limit::Limit;

const ANCHOR: u8 = b'^';

/// `find`, `match`, `gmatch`, `rep`; `gsub` for replacements that are text; and `check_gsub` and
/// `find_from`, from which the sandbox makes `gsub` for the others.
pub(crate) fn library(lua: &Lua, limit: &Arc<Limit>, memory_bytes: usize) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    for (name, finds) in [("find", true), ("match", false)] {
        let limit = Arc::clone(limit);
        let function = lua.create_function(move |lua, values: MultiValue| {
            let args = Arguments::new(lua, &values);
            find_or_match(&args, &limit, finds)
        })?;
        library.raw_set(name, function)?;
    }
    let ends = Arc::clone(limit);
    library.raw_set(
        "gmatch",
        lua.create_function(move |lua, values: MultiValue| {
            let args = Arguments::new(lua, &values);
            gmatch(&args, Arc::clone(&ends))
        })?,
    )?;
    let ends = Arc::clone(limit);
    library.raw_set(
        "gsub",
        lua.create_function(move |lua, values: MultiValue| {
            // The sandbox's own function stands between it and the script.
            gsub(&Arguments::below(lua, &values, 1), &ends, memory_bytes)
        })?,
    )?;
    library.raw_set(
        "check_gsub",
        lua.create_function(|lua, values: MultiValue| {
            let args = Arguments::below(lua, &values, 1);
            let (text, pattern) = (args.text(1)?, args.text(2)?);
            let most = most_replacements(&args, &text.as_bytes())?;
            Ok((text, pattern, most))
        })?,
    )?;
    let ends = Arc::clone(limit);
    library.raw_set(
        "find_from",
        lua.create_function(
            move |lua, (text, pattern, at, all): (LuaString, LuaString, usize, bool)| {
                find_from(lua, (&text, &pattern), at, all, &ends)
            },
        )?,
    )?;
    library.raw_set(
        "rep",
        lua.create_function(move |lua, values: MultiValue| {
            rep(&Arguments::new(lua, &values), memory_bytes)
        })?,
    )?;
    Ok(library)
}

/// A pattern is a C string: it ends with its first zero byte.
fn pattern_of(pattern: &[u8]) -> &[u8] {
    crate::error::as_c_text(pattern)
}

/// The error of a function that is called by scripts.
fn failed(lua: &Lua, fault: Fault, limit: &Limit) -> mlua::Error {
    failed_below(lua, 0, fault, limit)
}

/// As [`failed`], for a function that stands so many levels below the one that scripts call.
fn failed_below(lua: &Lua, level: usize, fault: Fault, limit: &Limit) -> mlua::Error {
    match fault {
        Fault::Text(text) => Failure::located_at(lua, level + 1, text).into(),
        Fault::Ended => Failure::Ended {
            limit_ms: limit.over().unwrap_or_default(),
        }
        .into(),
    }
}

/// Pushes captures of a match, or the whole of it where there are none.
fn captures(
    lua: &Lua,
    matcher: &Matcher<'_>,
    most: usize,
    text: &[u8],
    (from, to): (usize, usize),
    raise: impl Fn(Fault) -> mlua::Error,
    into: &mut MultiValue,
) -> mlua::Result<()> {
    for index in 0..matcher.captured().max(1).min(most) {
        into.push_back(match matcher.capture(index, from, to).map_err(&raise)? {
            Capture::Part(from, length) => {
                Value::String(lua.create_string(&text[from..from + length])?)
            }
            Capture::Place(place) => Value::Number(place as f64),
        });
    }
    Ok(())
}

fn find_or_match(args: &Arguments<'_>, limit: &Limit, finds: bool) -> mlua::Result<MultiValue> {
    let lua = args.lua;
    let (text, pattern) = (args.text(1)?, args.text(2)?);
    let (text, pattern) = (&text.as_bytes()[..], &pattern.as_bytes()[..]);
    let length = text.len() as i64;
    let init = args.integer_or(3, 1)?;
    let init = if init < 0 {
        init.saturating_add(length + 1)
    } else {
        init
    };
    let init = init.saturating_sub(1).clamp(0, length) as usize;
    let plain = args
        .get(4)
        .is_some_and(|value| !matches!(value, Value::Nil | Value::Boolean(false)));
    let number = |place: usize| Value::Number(place as f64);
    if finds && (plain || is_plain(pattern_of(pattern))) {
        return Ok(match memmem::find(&text[init..], pattern) {
            None => MultiValue::from_vec(vec![Value::Nil]),
            Some(at) => {
                let from = init + at;
                MultiValue::from_vec(vec![number(from + 1), number(from + pattern.len())])
            }
        });
    }
    let pattern = pattern_of(pattern);
    let anchored = pattern.first() == Some(&ANCHOR);
    let is_over = || limit.reached().is_some();
    let raise = |fault| failed(lua, fault, limit);
    let mut matcher = Matcher::new(text, &pattern[usize::from(anchored)..], &is_over);
    let last = if anchored { init } else { text.len() };
    for from in init..=last {
        let found = matcher.match_at(from);
        let Some(to) = found.map_err(raise)? else {
            continue;
        };
        let mut values = MultiValue::new();
        if finds {
            values.push_back(number(from + 1));
            values.push_back(number(to));
        }
        if !finds || matcher.captured() > 0 {
            captures(
                lua,
                &matcher,
                usize::MAX,
                text,
                (from, to),
                raise,
                &mut values,
            )?;
        }
        return Ok(values);
    }
    Ok(MultiValue::from_vec(vec![Value::Nil]))
}

fn gmatch(args: &Arguments<'_>, limit: Arc<Limit>) -> mlua::Result<mlua::Function> {
    let (text, pattern) = (args.text(1)?, args.text(2)?);
    let mut at = 0;
    args.lua.create_function_mut(move |lua, _: MultiValue| {
        let (text, pattern) = (&text.as_bytes()[..], &pattern.as_bytes()[..]);
        let is_over = || limit.reached().is_some();
        let raise = |fault| failed(lua, fault, &limit);
        let mut matcher = Matcher::new(text, pattern_of(pattern), &is_over);
        let mut values = MultiValue::new();
        let first = at;
        for from in first..=text.len() {
            let found = matcher.match_at(from);
            if let Some(to) = found.map_err(raise)? {
                // Behind an empty match the search goes on one byte later.
                at = to + usize::from(to == from);
                captures(
                    lua,
                    &matcher,
                    usize::MAX,
                    text,
                    (from, to),
                    raise,
                    &mut values,
                )?;
                return Ok(values);
            }
        }
        Ok(values)
    })
}

/// The first match from a place on: where it begins and ends, and its captures, or the first alone.
fn find_from(
    lua: &Lua,
    (text, pattern): (&LuaString, &LuaString),
    at: usize,
    all: bool,
    limit: &Limit,
) -> mlua::Result<MultiValue> {
    let (text, pattern) = (&text.as_bytes()[..], &pattern.as_bytes()[..]);
    let pattern = pattern_of(pattern);
    let anchored = pattern.first() == Some(&ANCHOR);
    let is_over = || limit.reached().is_some();
    // Two functions of the sandbox stand between it and the script.
    let raise = |fault| failed_below(lua, 2, fault, limit);
    let mut matcher = Matcher::new(text, &pattern[usize::from(anchored)..], &is_over);
    let first = at.saturating_sub(1);
    let last = if anchored { first } else { text.len() };
    let mut values = MultiValue::new();
    for from in first..=last.min(text.len()) {
        let found = matcher.match_at(from);
        if let Some(to) = found.map_err(raise)? {
            values.push_back(Value::Number((from + 1) as f64));
            values.push_back(Value::Number(to as f64));
            let count = if all { usize::MAX } else { 1 };
            captures(lua, &matcher, count, text, (from, to), raise, &mut values)?;
            break;
        }
    }
    Ok(values)
}

/// How many replacements are asked for: a C `int`, as `luaL_optint` reads one.
fn most_replacements(args: &Arguments<'_>, text: &[u8]) -> Result<i32, Failure> {
    let most = args.integer_or(4, text.len() as i64 + 1)?;
    Ok(most as i32)
}

fn gsub(args: &Arguments<'_>, limit: &Limit, memory_bytes: usize) -> mlua::Result<MultiValue> {
    let lua = args.lua;
    let (text, pattern) = (args.text(1)?, args.text(2)?);
    let (text, pattern) = (&text.as_bytes()[..], &pattern.as_bytes()[..]);
    let pattern = pattern_of(pattern);
    let is_text = matches!(
        args.get(3),
        Some(Value::String(_) | Value::Integer(_) | Value::Number(_))
    );
    if !is_text {
        return Err(args.refuse(3, "string/function/table expected").into());
    }
    let replacement = args.text(3)?;
    let replacement = &replacement.as_bytes()[..];
    let most = most_replacements(args, text)?;
    let anchored = pattern.first() == Some(&ANCHOR);
    let is_over = || limit.reached().is_some();
    let mut matcher = Matcher::new(text, &pattern[usize::from(anchored)..], &is_over);
    let (mut result, mut at, mut count) = (Vec::new(), 0, 0);
    while count < most {
        let found = matcher.match_at(at);
        match found.map_err(|fault| failed_below(lua, 1, fault, limit))? {
            Some(to) => {
                count += 1;
                replace(&matcher, text, (at, to), replacement, &mut result)
                    .map_err(|fault| failed_below(lua, 1, fault, limit))?;
                if to > at {
                    at = to;
                } else if at < text.len() {
                    result.push(text[at]);
                    at += 1;
                } else {
                    break;
                }
            }
            None if at < text.len() => {
                result.push(text[at]);
                at += 1;
            }
            None => break,
        }
        if result.len() > memory_bytes {
            return Err(mlua::Error::MemoryError("not enough memory".to_owned()));
        }
        if anchored {
            break;
        }
    }
    result.extend_from_slice(&text[at..]);
    let result = Value::String(lua.create_string(&result)?);
    Ok(MultiValue::from_vec(vec![
        result,
        Value::Number(count as f64),
    ]))
}

/// Adds a replacement, in which `%1` stands for a capture and `%0` for the whole match.
fn replace(
    matcher: &Matcher<'_>,
    text: &[u8],
    (from, to): (usize, usize),
    replacement: &[u8],
    result: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut rest = replacement;
    while let Some(at) = memchr::memchr(b'%', rest) {
        result.extend_from_slice(&rest[..at]);
        // At the end there is the zero byte of a C string.
        match rest.get(at + 1).copied().unwrap_or(0) {
            b'0' => result.extend_from_slice(&text[from..to]),
            digit @ b'1'..=b'9' => match matcher.capture(usize::from(digit - b'1'), from, to)? {
                Capture::Part(from, length) => {
                    result.extend_from_slice(&text[from..from + length]);
                }
                Capture::Place(place) => result.extend_from_slice(place.to_string().as_bytes()),
            },
            other => result.push(other),
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    result.extend_from_slice(rest);
    Ok(())
}

fn rep(args: &Arguments<'_>, memory_bytes: usize) -> mlua::Result<LuaString> {
    let text = args.text(1)?;
    let text = &text.as_bytes()[..];
    // A C `int`, as `luaL_checkint` reads one.
    let count = usize::try_from(truncated(args.number(2)?) as i32).unwrap_or(0);
    match text.len().checked_mul(count) {
        Some(bytes) if bytes <= memory_bytes => args.lua.create_string(text.repeat(count)),
        _ => Err(mlua::Error::MemoryError("not enough memory".to_owned())),
    }
}
