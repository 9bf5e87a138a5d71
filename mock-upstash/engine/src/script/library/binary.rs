//! `struct`: numbers and strings in binary layouts, as Roberto Ierusalimschy's library has it.

use mlua::{Lua, MultiValue, Table, Value};

use super::argument::Arguments;
use crate::script::failure::Failure;

/// The largest integer, in bytes.
const LARGEST_INTEGER: usize = 32;
/// The alignment that `!` alone sets.
const NATIVE_ALIGNMENT: usize = 8;

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    library.raw_set("pack", lua.create_function(pack)?)?;
    library.raw_set("unpack", lua.create_function(unpack)?)?;
    library.raw_set("size", lua.create_function(size)?)?;
    Ok(library)
}

/// A format as it is read, with the settings it has made so far.
struct Format<'a> {
    args: &'a Arguments<'a>,
    text: Vec<u8>,
    at: usize,
    big_endian: bool,
    alignment: usize,
}

impl<'a> Format<'a> {
    fn new(args: &'a Arguments<'a>) -> Result<Self, Failure> {
        let text = args.text(1)?.as_bytes().to_vec();
        // The format is a C string.
        let end = memchr::memchr(0, &text).unwrap_or(text.len());
        Ok(Format {
            args,
            text: text[..end].to_vec(),
            at: 0,
            big_endian: cfg!(target_endian = "big"),
            alignment: 1,
        })
    }

    /// The next option and the number of bytes it takes.
    fn next(&mut self) -> Result<Option<(u8, usize)>, Failure> {
        let Some(&option) = self.text.get(self.at) else {
            return Ok(None);
        };
        self.at += 1;
        let size = match option {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'f' => 4,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'c' => self.number(1)?,
            b'i' | b'I' => {
                let size = self.number(4)?;
                if size > LARGEST_INTEGER {
                    return Err(self.args.error(format!(
                        "integral size {size} is larger than limit of {LARGEST_INTEGER}"
                    )));
                }
                size
            }
            _ => 0,
        };
        Ok(Some((option, size)))
    }

    fn number(&mut self, default: usize) -> Result<usize, Failure> {
        let mut number: Option<i32> = None;
        while let Some(digit) = self.text.get(self.at).filter(|b| b.is_ascii_digit()) {
            number = number
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|n| n.checked_add(i32::from(digit - b'0')));
            if number.is_none() {
                return Err(self.args.error("integral size overflow"));
            }
            self.at += 1;
        }
        Ok(number.map_or(default, |n| n.unsigned_abs() as usize))
    }

    /// How many bytes go before an option so that it is aligned.
    fn padding(&self, position: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let size = size.min(self.alignment);
        size.wrapping_sub(position & size.wrapping_sub(1)) & size.wrapping_sub(1)
    }

    /// Carries out an option that only sets something.
    fn control(&mut self, option: u8) -> Result<(), Failure> {
        match option {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let alignment = self.number(NATIVE_ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    return Err(self
                        .args
                        .error(format!("alignment {alignment} is not a power of 2")));
                }
                self.alignment = alignment;
            }
            other => {
                let why = [&b"invalid format option '"[..], &[other], b"'"].concat();
                return Err(self.args.refuse(1, why));
            }
        }
        Ok(())
    }
}

fn is_integer(option: u8) -> bool {
    matches!(
        option,
        b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I'
    )
}

fn pack(lua: &Lua, mut values: MultiValue) -> mlua::Result<Value> {
    // The original marks the end of its arguments with a nil, which error texts then speak of.
    if !values.is_empty() {
        values.push_back(Value::Nil);
    }
    let args = Arguments::new(lua, &values);
    let mut format = Format::new(&args)?;
    let mut packed: Vec<u8> = Vec::new();
    let mut total = 0usize;
    let mut next_argument = 2;
    while let Some((option, mut size)) = format.next()? {
        let padding = format.padding(total, option, size);
        packed.resize(packed.len() + padding, 0);
        total += padding;
        match option {
            option if is_integer(option) => {
                let number = args.number(next_argument)?;
                next_argument += 1;
                put_integer(&mut packed, number, size, format.big_endian);
            }
            b'x' => packed.push(0),
            b'f' | b'd' => {
                let number = args.number(next_argument)?;
                next_argument += 1;
                put_float(&mut packed, number, option, format.big_endian);
            }
            b'c' | b's' => {
                let text = args.text(next_argument)?;
                let text = text.as_bytes();
                next_argument += 1;
                if size == 0 {
                    size = text.len();
                }
                let Some(part) = text.get(..size) else {
                    return Err(args.refuse(next_argument, "string too short").into());
                };
                packed.extend_from_slice(part);
                if option == b's' {
                    packed.push(0);
                    size += 1;
                }
            }
            other => format.control(other)?,
        }
        total += size;
    }
    Ok(Value::String(lua.create_string(packed)?))
}

fn put_integer(packed: &mut Vec<u8>, number: f64, size: usize, big_endian: bool) {
    // As the C casts make it on x86-64: negative numbers through the signed type, and what does not
    // fit becomes 0.
    let value = if number < 0.0 {
        (number as i64).cast_unsigned()
    } else if number.is_nan() {
        1 << 63
    } else if number >= 18_446_744_073_709_551_616.0 {
        0
    } else {
        number as u64
    };
    let byte = |index: usize| match u32::try_from(index * 8) {
        Ok(shift) if shift < 64 => (value >> shift) as u8,
        _ => 0,
    };
    if big_endian {
        packed.extend((0..size).rev().map(byte));
    } else {
        packed.extend((0..size).map(byte));
    }
}

fn put_float(packed: &mut Vec<u8>, number: f64, option: u8, big_endian: bool) {
    let mut bytes = match option {
        b'f' => (number as f32).to_le_bytes().to_vec(),
        _ => number.to_le_bytes().to_vec(),
    };
    if big_endian {
        bytes.reverse();
    }
    packed.extend_from_slice(&bytes);
}

fn unpack(lua: &Lua, values: MultiValue) -> mlua::Result<MultiValue> {
    let args = Arguments::new(lua, &values);
    let mut format = Format::new(&args)?;
    let data = args.text(2)?;
    let data = data.as_bytes();
    // A negative offset passes for a large one; the data is too short for it then.
    let Some(mut position) = args.integer_or(3, 1)?.cast_unsigned().checked_sub(1) else {
        return Err(args.refuse(3, "offset must be 1 or greater").into());
    };
    let part = |position: u64, size: usize| {
        let start = usize::try_from(position).ok()?;
        data.get(start..start.checked_add(size)?)
    };
    let too_short = || args.refuse(2, "data string too short");
    let mut results: Vec<Value> = Vec::new();
    while let Some((option, mut size)) = format.next()? {
        position = position.saturating_add(format.padding(position as usize, option, size) as u64);
        let bytes = part(position, size).ok_or_else(too_short)?;
        match option {
            option if is_integer(option) => {
                let signed = option.is_ascii_lowercase();
                results.push(Value::Number(integer(bytes, signed, format.big_endian)));
            }
            b'x' => {}
            b'f' | b'd' => results.push(Value::Number(float(bytes, format.big_endian))),
            b'c' => {
                let mut text = bytes;
                if size == 0 {
                    let previous = results
                        .pop()
                        .and_then(|previous| lua.coerce_number(previous).ok().flatten())
                        .ok_or_else(|| args.error("format 'c0' needs a previous size"))?;
                    size = previous as usize;
                    text = part(position, size).ok_or_else(too_short)?;
                }
                results.push(Value::String(lua.create_string(text)?));
            }
            b's' => {
                let rest = data.get(position as usize..).unwrap_or_default();
                let end = memchr::memchr(0, rest)
                    .ok_or_else(|| args.error("unfinished string in data"))?;
                results.push(Value::String(lua.create_string(&rest[..end])?));
                size = end + 1;
            }
            other => format.control(other)?,
        }
        position = position.saturating_add(size as u64);
    }
    let next = position.wrapping_add(1).cast_signed();
    results.push(Value::Number(next as f64));
    Ok(MultiValue::from_vec(results))
}

fn integer(bytes: &[u8], signed: bool, big_endian: bool) -> f64 {
    let add = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
    let mut value = if big_endian {
        bytes.iter().fold(0, add)
    } else {
        bytes.iter().rev().fold(0, add)
    };
    if !signed {
        return value as f64;
    }
    // The shift wraps around for integers of no or more than eight bytes, as it does in C on x86.
    let shift = (bytes.len() as u32).wrapping_mul(8).wrapping_sub(1);
    let mask = u64::MAX.wrapping_shl(shift);
    if value & mask != 0 {
        value |= mask;
    }
    value.cast_signed() as f64
}

fn float(bytes: &[u8], big_endian: bool) -> f64 {
    let mut bytes = bytes.to_vec();
    if big_endian {
        bytes.reverse();
    }
    match (
        <[u8; 4]>::try_from(&bytes[..]),
        <[u8; 8]>::try_from(&bytes[..]),
    ) {
        (Ok(four), _) => f64::from(f32::from_le_bytes(four)),
        (_, Ok(eight)) => f64::from_le_bytes(eight),
        _ => 0.0,
    }
}

fn size(lua: &Lua, values: MultiValue) -> mlua::Result<f64> {
    let args = Arguments::new(lua, &values);
    let mut format = Format::new(&args)?;
    let mut position = 0usize;
    while let Some((option, size)) = format.next()? {
        position += format.padding(position, option, size);
        if option == b's' {
            return Err(args.refuse(1, "option 's' has no fixed size").into());
        }
        if option == b'c' && size == 0 {
            return Err(args.refuse(1, "option 'c0' has no fixed size").into());
        }
        if !option.is_ascii_alphanumeric() {
            format.control(option)?;
        }
        position += size;
    }
    Ok(position as f64)
}
