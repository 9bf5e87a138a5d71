//! `bit`: operations on 32-bit integers, as LuaBitOp has them.

use mlua::{Lua, MultiValue, Table, Value};

use super::argument::Arguments;
use crate::script::failure::Failure;

type Two = fn(u32, u32) -> u32;
type One = fn(u32) -> u32;

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let bit = lua.create_table()?;
    let folds: [(&str, Two); 3] = [
        ("band", |a, b| a & b),
        ("bor", |a, b| a | b),
        ("bxor", |a, b| a ^ b),
    ];
    for (name, operation) in folds {
        add(lua, &bit, name, move |args| {
            let mut bits = word(args, 1)?;
            for index in (2..=args.len()).rev() {
                bits = operation(bits, word(args, index)?);
            }
            Ok(bits)
        })?;
    }
    let shifts: [(&str, Two); 5] = [
        ("lshift", |bits, by| bits << by),
        ("rshift", |bits, by| bits >> by),
        ("arshift", |bits, by| {
            (bits.cast_signed() >> by).cast_unsigned()
        }),
        ("rol", u32::rotate_left),
        ("ror", u32::rotate_right),
    ];
    for (name, operation) in shifts {
        add(lua, &bit, name, move |args| {
            Ok(operation(word(args, 1)?, word(args, 2)? & 31))
        })?;
    }
    let unary: [(&str, One); 3] = [
        ("tobit", |bits| bits),
        ("bnot", |bits| !bits),
        ("bswap", u32::swap_bytes),
    ];
    for (name, operation) in unary {
        add(lua, &bit, name, move |args| Ok(operation(word(args, 1)?)))?;
    }
    bit.raw_set("tohex", lua.create_function(tohex)?)?;
    Ok(bit)
}

fn add(
    lua: &Lua,
    bit: &Table,
    name: &str,
    operation: impl Fn(&Arguments<'_>) -> Result<u32, Failure> + Send + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, values: MultiValue| {
        let bits = operation(&Arguments::new(lua, &values))?;
        Ok(f64::from(bits.cast_signed()))
    })?;
    bit.raw_set(name, function)
}

/// An argument as 32 bits: adding 2^52 + 2^51 leaves the rounded integer in the low bits of the
/// double, whatever its sign.
fn word(args: &Arguments<'_>, index: usize) -> Result<u32, Failure> {
    let number = args.number(index)? + 6_755_399_441_055_744.0;
    Ok(number.to_bits() as u32)
}

fn tohex(lua: &Lua, values: MultiValue) -> mlua::Result<Value> {
    let args = Arguments::new(lua, &values);
    let bits = word(&args, 1)?;
    let wanted = match args.get(2) {
        None => 8,
        Some(_) => word(&args, 2)?.cast_signed(),
    };
    let digits = wanted.unsigned_abs().min(8) as usize;
    let full = if wanted < 0 {
        format!("{bits:08X}")
    } else {
        format!("{bits:08x}")
    };
    let shown = &full.as_bytes()[8 - digits..];
    Ok(Value::String(lua.create_string(shown)?))
}
