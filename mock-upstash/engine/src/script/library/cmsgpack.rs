//! `cmsgpack`: MessagePack, as lua-cmsgpack 0.4.0 writes and reads it.

use mlua::{Lua, MultiValue, Table, Value};

use super::argument::Arguments;
use crate::script::conversion::truncated;

/// Tables nested deeper than this are written as nil.
const DEEPEST_WRITTEN: usize = 16;
/// Values nested deeper than this are not read; the original runs out of Lua's stack.
const DEEPEST_READ: usize = 200;

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("pack", lua.create_function(pack)?)?;
    library.raw_set(
        "unpack",
        lua.create_function(|lua, values: MultiValue| {
            let args = Arguments::new(lua, &values);
            read_values(&args, None)
        })?,
    )?;
    library.raw_set(
        "unpack_one",
        lua.create_function(|lua, values: MultiValue| {
            let args = Arguments::new(lua, &values);
            let offset = as_c_int(args.integer_or(2, 0)?);
            read_values(&args, Some((1, offset)))
        })?,
    )?;
    library.raw_set(
        "unpack_limit",
        lua.create_function(|lua, values: MultiValue| {
            let args = Arguments::new(lua, &values);
            let limit = as_c_int(args.number(2).map(truncated)?);
            let offset = as_c_int(args.integer_or(3, 0)?);
            read_values(&args, Some((limit, offset)))
        })?,
    )?;
    library.raw_set("_NAME", "cmsgpack")?;
    library.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    library.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    library.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(library)
}

fn pack(lua: &Lua, values: MultiValue) -> mlua::Result<Value> {
    let args = Arguments::new(lua, &values);
    if args.len() == 0 {
        return Err(args.refuse(0, "MessagePack pack needs input.").into());
    }
    let mut packed = Vec::new();
    for value in &values {
        write(&mut packed, value, 0)?;
    }
    Ok(Value::String(lua.create_string(packed)?))
}

fn write(packed: &mut Vec<u8>, value: &Value, depth: usize) -> mlua::Result<()> {
    match value {
        Value::String(text) => {
            let text = text.as_bytes();
            write_length(packed, text.len(), (0xa0, 31), Some(0xd9), 0xda);
            packed.extend_from_slice(&text);
        }
        Value::Boolean(truth) => packed.push(if *truth { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => write_integer(packed, *number),
        Value::Number(number) => write_number(packed, *number),
        Value::Table(table) if depth < DEEPEST_WRITTEN => write_table(packed, table, depth)?,
        _ => packed.push(0xc0),
    }
    Ok(())
}

/// A length: in the type byte where it is short, else behind it in one, two or four bytes.
fn write_length(
    packed: &mut Vec<u8>,
    length: usize,
    (fixed, most): (u8, usize),
    one_byte: Option<u8>,
    two_bytes: u8,
) {
    if length <= most {
        packed.push(fixed | length as u8);
    } else if let (Some(code), Ok(length)) = (one_byte, u8::try_from(length)) {
        packed.extend_from_slice(&[code, length]);
    } else if let Ok(length) = u16::try_from(length) {
        packed.push(two_bytes);
        packed.extend_from_slice(&length.to_be_bytes());
    } else {
        packed.push(two_bytes + 1);
        packed.extend_from_slice(&(length as u32).to_be_bytes());
    }
}

fn write_number(packed: &mut Vec<u8>, number: f64) {
    let whole = number as i64;
    // 2^63 saturates to a neighbour that compares equal; it is no 64-bit integer.
    if number.is_finite() && whole as f64 == number && number < 9_223_372_036_854_775_808.0 {
        return write_integer(packed, whole);
    }
    let short = number as f32;
    if f64::from(short) == number {
        packed.push(0xca);
        packed.extend_from_slice(&short.to_be_bytes());
    } else {
        packed.push(0xcb);
        packed.extend_from_slice(&number.to_be_bytes());
    }
}

fn write_integer(packed: &mut Vec<u8>, number: i64) {
    let bytes = number.to_be_bytes();
    let (code, length) = match number {
        -32..=0x7f => return packed.push(bytes[7]),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..=-33 => (0xd0, 1),
        -0x8000..=-0x81 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    packed.push(code);
    packed.extend_from_slice(&bytes[8 - length..]);
}

fn write_table(packed: &mut Vec<u8>, table: &Table, depth: usize) -> mlua::Result<()> {
    let mut pairs = Vec::new();
    let mut highest = 0.0f64;
    let mut is_array = true;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let index = match key {
            Value::Integer(index) => Some(index as f64),
            Value::Number(index) => Some(index),
            _ => None,
        };
        match index {
            Some(index) if index > 0.0 && index <= f64::from(i32::MAX) && index.fract() == 0.0 => {
                highest = highest.max(index);
            }
            _ => is_array = false,
        }
        pairs.push((key, value));
    }
    if is_array && highest == pairs.len() as f64 {
        write_length(packed, pairs.len(), (0x90, 15), None, 0xdc);
        for index in 1..=pairs.len() {
            write(packed, &table.raw_get(index)?, depth + 1)?;
        }
        return Ok(());
    }
    write_length(packed, pairs.len(), (0x80, 15), None, 0xde);
    for (key, value) in pairs {
        write(packed, &key, depth + 1)?;
        write(packed, &value, depth + 1)?;
    }
    Ok(())
}

/// The original keeps limits and offsets in an `int`.
fn as_c_int(number: i64) -> i64 {
    i64::from(number as i32)
}

/// Reads all values, or a number of them from an offset on; then the offset of the next comes first.
fn read_values(args: &Arguments<'_>, part: Option<(i64, i64)>) -> mlua::Result<MultiValue> {
    let text = args.text(1)?;
    let bytes = text.as_bytes();
    let (limit, offset) = part.unwrap_or((0, 0));
    let length = bytes.len();
    if offset < 0 || limit < 0 {
        return Err(args
            .error(format!(
                "Invalid request to unpack with offset of {offset} and limit of {length}."
            ))
            .into());
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let Some(rest) = bytes.get(offset..) else {
        return Err(args
            .error(format!(
                "Start offset {offset} greater than input length {length}."
            ))
            .into());
    };
    // Without a limit and an offset everything is read, however that was asked for.
    let all = limit == 0 && offset == 0;
    let limit = if all { i64::MAX } else { limit };
    let mut reader = Reader {
        lua: args.lua,
        rest,
    };
    let mut values = Vec::new();
    while !reader.rest.is_empty() && (values.len() as i64) < limit {
        let value = reader.value(0)?.map_err(|trouble| match trouble {
            Trouble::Missing => args.error("Missing bytes in input."),
            Trouble::Unknown => args.error("Bad data format in input."),
            Trouble::TooDeep => args.error("stack overflow (in function mp_decode_to_lua_array)"),
            Trouble::BadKey => args.error("table index is nil"),
        })?;
        values.push(value);
    }
    if !all {
        let next = if reader.rest.is_empty() {
            -1.0
        } else {
            (length - reader.rest.len()) as f64
        };
        values.insert(0, Value::Number(next));
    }
    Ok(MultiValue::from_vec(values))
}

/// Why a value cannot be read.
enum Trouble {
    Missing,
    Unknown,
    TooDeep,
    BadKey,
}

type Read<T> = mlua::Result<Result<T, Trouble>>;

struct Reader<'a> {
    lua: &'a Lua,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Trouble> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Trouble::Missing)?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, count: usize) -> Result<u64, Trouble> {
        let bytes = self.take(count)?;
        Ok(bytes
            .iter()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte)))
    }

    fn signed(&mut self, count: usize) -> Result<i64, Trouble> {
        let shift = 64 - 8 * count;
        Ok(self.unsigned(count)?.cast_signed() << shift >> shift)
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        if depth > DEEPEST_READ {
            return Ok(Err(Trouble::TooDeep));
        }
        let code = match self.take(1) {
            Ok(code) => code[0],
            Err(trouble) => return Ok(Err(trouble)),
        };
        let length = |reader: &mut Self, bytes: usize| {
            reader
                .unsigned(bytes)
                .map(|n| usize::try_from(n).unwrap_or(usize::MAX))
        };
        let scalar = match code {
            0x00..=0x7f => Ok(Value::Number(f64::from(code))),
            0xe0..=0xff => Ok(Value::Number(f64::from(code.cast_signed()))),
            0xc0 => Ok(Value::Nil),
            0xc2 => Ok(Value::Boolean(false)),
            0xc3 => Ok(Value::Boolean(true)),
            0xca => self
                .unsigned(4)
                .map(|bits| Value::Number(f64::from(f32::from_bits(bits as u32)))),
            0xcb => self
                .unsigned(8)
                .map(|bits| Value::Number(f64::from_bits(bits))),
            // Eight bytes come out signed all the same.
            0xcc..=0xcf => self
                .unsigned(1 << (code - 0xcc))
                .map(|number| Value::Number(number.cast_signed() as f64)),
            0xd0..=0xd3 => self
                .signed(1 << (code - 0xd0))
                .map(|number| Value::Number(number as f64)),
            0xa0..=0xbf => return self.text(Ok(usize::from(code & 0x1f))),
            0xd9..=0xdb => {
                let length = length(self, 1 << (code - 0xd9));
                return self.text(length);
            }
            0x90..=0x9f => return self.array(Ok(usize::from(code & 0x0f)), depth),
            0xdc | 0xdd => {
                let length = length(self, 2 << (code - 0xdc));
                return self.array(length, depth);
            }
            0x80..=0x8f => return self.map(Ok(usize::from(code & 0x0f)), depth),
            0xde | 0xdf => {
                let length = length(self, 2 << (code - 0xde));
                return self.map(length, depth);
            }
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => Err(Trouble::Unknown),
        };
        Ok(scalar)
    }

    fn text(&mut self, length: Result<usize, Trouble>) -> Read<Value> {
        Ok(match length.and_then(|length| self.take(length)) {
            Ok(bytes) => Ok(Value::String(self.lua.create_string(bytes)?)),
            Err(trouble) => Err(trouble),
        })
    }

    fn array(&mut self, length: Result<usize, Trouble>, depth: usize) -> Read<Value> {
        let length = match length {
            Ok(length) => length,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let table = self.lua.create_table()?;
        for index in 1..=length {
            match self.value(depth + 1)? {
                Ok(value) => table.raw_set(index, value)?,
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        Ok(Ok(Value::Table(table)))
    }

    fn map(&mut self, length: Result<usize, Trouble>, depth: usize) -> Read<Value> {
        let length = match length {
            Ok(length) => length,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let table = self.lua.create_table()?;
        for _ in 0..length {
            let key = match self.value(depth + 1)? {
                Ok(key) => key,
                Err(trouble) => return Ok(Err(trouble)),
            };
            let value = match self.value(depth + 1)? {
                Ok(value) => value,
                Err(trouble) => return Ok(Err(trouble)),
            };
            if key.is_nil() || matches!(key, Value::Number(number) if number.is_nan()) {
                return Ok(Err(Trouble::BadKey));
            }
            table.raw_set(key, value)?;
        }
        Ok(Ok(Value::Table(table)))
    }
}
