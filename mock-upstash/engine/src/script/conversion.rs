//! Values on their way between Redis and Lua.

use bytes::Bytes;
use mlua::{Lua, Table, Value};

use super::failure::{error_object, with_code};
use crate::error::{ReplyError, as_c_text};
use crate::number;
use crate::reply::Reply;
use crate::session::Protocol;

/// How deep a reply may nest. Redis stops where Lua's stack is full, some thousand levels down; here
/// everyone who writes the reply out has to get down there too.
const DEEPEST: usize = 200;

/// A reply as a script sees it. With RESP2 the richer kinds come as RESP2 writes them.
///
/// # Errors
/// When memory is full.
pub(crate) fn to_lua(lua: &Lua, reply: Reply, protocol: Protocol) -> mlua::Result<Value> {
    let resp3 = protocol == Protocol::Resp3;
    let text = |bytes: &[u8]| lua.create_string(bytes).map(Value::String);
    match reply {
        Reply::None | Reply::Nil | Reply::NilArray => Ok(if resp3 {
            Value::Nil
        } else {
            Value::Boolean(false)
        }),
        Reply::Status(status) => field(lua, "ok", text(&status)?),
        Reply::Error(error) => {
            let mut line = b"-".to_vec();
            line.extend_from_slice(error.as_bytes());
            error_object(lua, &with_code(&line)).map(Value::Table)
        }
        Reply::Integer(number) => Ok(Value::Number(number as f64)),
        Reply::Bulk(bytes) => text(&bytes),
        Reply::Array(items) | Reply::Push(items) => array(lua, items, protocol),
        Reply::Set(items) if !resp3 => array(lua, items, protocol),
        Reply::Set(items) => {
            let set = lua.create_table_with_capacity(0, items.len())?;
            for item in items {
                let member = to_lua(lua, item, protocol)?;
                if !member.is_nil() {
                    set.raw_set(member, true)?;
                }
            }
            field(lua, "set", Value::Table(set))
        }
        Reply::Map(pairs) if !resp3 => {
            let items = pairs.into_iter().flat_map(|(key, value)| [key, value]);
            array(lua, items.collect(), protocol)
        }
        Reply::Map(pairs) => {
            let map = lua.create_table_with_capacity(0, pairs.len())?;
            for (key, value) in pairs {
                let key = to_lua(lua, key, protocol)?;
                if !key.is_nil() {
                    map.raw_set(key, to_lua(lua, value, protocol)?)?;
                }
            }
            field(lua, "map", Value::Table(map))
        }
        Reply::Double(value) if resp3 => field(lua, "double", Value::Number(value)),
        Reply::Double(value) => text(number::format_double(value).as_bytes()),
        Reply::Boolean(value) if resp3 => Ok(Value::Boolean(value)),
        Reply::Boolean(value) => Ok(Value::Integer(i64::from(value))),
        Reply::BigNumber(digits) if resp3 => field(lua, "big_number", text(&digits)?),
        Reply::BigNumber(digits) => text(&digits),
        Reply::Verbatim(format, bytes) if resp3 => {
            let verbatim = lua.create_table_with_capacity(0, 2)?;
            verbatim.raw_set("format", lua.create_string(format)?)?;
            verbatim.raw_set("string", text(&bytes)?)?;
            field(lua, "verbatim_string", Value::Table(verbatim))
        }
        Reply::Verbatim(_, bytes) => text(&bytes),
    }
}

fn array(lua: &Lua, items: Vec<Reply>, protocol: Protocol) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(items.len(), 0)?;
    for (index, item) in items.into_iter().enumerate() {
        let item = to_lua(lua, item, protocol)?;
        if !item.is_nil() {
            table.raw_set(index + 1, item)?;
        }
    }
    Ok(Value::Table(table))
}

fn field(lua: &Lua, name: &str, value: Value) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, value)?;
    Ok(Value::Table(table))
}

/// What a script returned, as a reply. Booleans are RESP3's own once the script asked for RESP3.
///
/// # Errors
/// When memory is full.
pub(crate) fn to_reply(value: Value, protocol: Protocol) -> mlua::Result<Reply> {
    nested_reply(value, protocol, 0)
}

fn nested_reply(value: Value, protocol: Protocol, depth: usize) -> mlua::Result<Reply> {
    Ok(match value {
        Value::String(text) => Reply::bulk(text.as_bytes()),
        Value::Boolean(truth) if protocol == Protocol::Resp3 => Reply::Boolean(truth),
        Value::Boolean(true) => Reply::Integer(1),
        Value::Integer(number) => Reply::Integer(number),
        Value::Number(number) => Reply::Integer(truncated(number)),
        Value::Table(_) if depth >= DEEPEST => {
            Reply::Error(ReplyError::fixed("ERR reached lua stack limit"))
        }
        Value::Table(table) => table_reply(&table, protocol, depth + 1)?,
        _ => Reply::Nil,
    })
}

/// A number without its fraction, as a C cast on x86-64 makes it: what does not fit becomes the
/// smallest integer.
pub(crate) fn truncated(number: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

fn table_reply(table: &Table, protocol: Protocol, depth: usize) -> mlua::Result<Reply> {
    if let Value::String(text) = table.raw_get("err")? {
        return Ok(Reply::Error(ReplyError::naming("", &text.as_bytes())));
    }
    if let Value::String(text) = table.raw_get("ok")? {
        return Ok(Reply::Status(one_line(as_c_text(&text.as_bytes()))));
    }
    match table.raw_get("double")? {
        Value::Number(value) => return Ok(Reply::Double(value)),
        Value::Integer(value) => return Ok(Reply::Double(value as f64)),
        _ => {}
    }
    if let Value::Table(map) = table.raw_get("map")? {
        let mut pairs = Vec::new();
        for pair in map.pairs::<Value, Value>() {
            let (key, value) = pair?;
            pairs.push((
                nested_reply(key, protocol, depth)?,
                nested_reply(value, protocol, depth)?,
            ));
        }
        return Ok(Reply::Map(pairs));
    }
    if let Value::Table(set) = table.raw_get("set")? {
        let mut members = Vec::new();
        for pair in set.pairs::<Value, Value>() {
            members.push(nested_reply(pair?.0, protocol, depth)?);
        }
        return Ok(Reply::Set(members));
    }
    if let Value::String(digits) = table.raw_get("big_number")? {
        return Ok(Reply::BigNumber(one_line(&digits.as_bytes())));
    }
    if let Value::Table(verbatim) = table.raw_get("verbatim_string")?
        && let Value::String(format) = verbatim.raw_get("format")?
        && let Value::String(text) = verbatim.raw_get("string")?
    {
        let text = Bytes::copy_from_slice(&text.as_bytes());
        // Redis takes the first three bytes, whatever they are, and fills up with spaces.
        let mut tag = *b"   ";
        for (place, byte) in tag.iter_mut().zip(format.as_bytes().iter()) {
            *place = *byte;
        }
        return Ok(Reply::Verbatim(tag, text));
    }
    let mut items = Vec::new();
    for index in 1.. {
        let item: Value = table.raw_get(index)?;
        if item.is_nil() {
            break;
        }
        items.push(nested_reply(item, protocol, depth)?);
    }
    Ok(Reply::Array(items))
}

fn one_line(text: &[u8]) -> Bytes {
    let line_end_to_space = |&byte: &u8| match byte {
        b'\r' | b'\n' => b' ',
        other => other,
    };
    text.iter().map(line_end_to_space).collect()
}

/// A number that a script passes to a command, as text: an integer where it is one that doubles
/// hold exactly, else the shortest digits that read back as the same number. `truncates` is
/// Upstash's way: whatever stands behind the point is cut.
pub(crate) fn number_argument(value: f64, truncates: bool) -> Vec<u8> {
    if truncates && value.is_finite() {
        return format!("{:.0}", value.trunc() + 0.0).into_bytes();
    }
    if value.fract() == 0.0 && value.abs() <= 4_503_599_627_370_495.0 {
        return (value as i64).to_string().into_bytes();
    }
    number::format_shortest(value).into_bytes()
}
