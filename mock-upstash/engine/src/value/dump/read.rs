//! Reading values, in the forms that Redis has written since 7.0 and in the plain older ones.

use super::{kind, listpack};
use crate::number;
use crate::value::list::End;
use crate::value::{Hash, List, Set, SortedSet, Value};

/// Longest string that is unpacked: what a payload says of lengths is not believed beyond it.
const LONGEST: usize = 512 * 1024 * 1024;

/// What a payload holds.
#[derive(Debug)]
pub enum Restored {
    /// A value.
    Value(Value),
    /// A hash whose fields have all expired.
    Nothing,
}

/// The rest of a payload.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// A length, or the number of a special form of string.
    fn length_or_form(&mut self) -> Option<Result<u64, u8>> {
        let first = self.byte()?;
        Some(match first >> 6 {
            0 => Ok(u64::from(first)),
            1 => Ok(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            2 if first == 0x80 => Ok(u64::from(u32::from_be_bytes(self.array()?))),
            2 if first == 0x81 => Ok(u64::from_be_bytes(self.array()?)),
            2 => return None,
            _ => Err(first & 0x3f),
        })
    }

    fn length(&mut self) -> Option<u64> {
        self.length_or_form()?.ok()
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.length()?).ok()
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        let integer = |n: i64| Some(n.to_string().into_bytes());
        match self.length_or_form()? {
            Ok(length) => self.take(usize::try_from(length).ok()?).map(<[u8]>::to_vec),
            Err(0) => integer(i64::from(i8::from_le_bytes(self.array()?))),
            Err(1) => integer(i64::from(i16::from_le_bytes(self.array()?))),
            Err(2) => integer(i64::from(i32::from_le_bytes(self.array()?))),
            Err(3) => {
                let (packed, length) = (self.count()?, self.count()?);
                unpack(self.take(packed)?, length)
            }
            Err(_) => None,
        }
    }

    fn listpack(&mut self) -> Option<Vec<Vec<u8>>> {
        listpack::elements(&self.string()?)
    }
}

/// Unpacks LZF: runs of literal bytes, and references back into what is unpacked already.
fn unpack(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    if length > LONGEST {
        return None;
    }
    let mut out = Vec::new();
    let mut rest = Reader(packed);
    while let Some(control) = rest.byte() {
        let control = usize::from(control);
        if control < 32 {
            out.extend_from_slice(rest.take(control + 1)?);
        } else {
            let mut count = control >> 5;
            if count == 7 {
                count += usize::from(rest.byte()?);
            }
            let back = ((control & 0x1f) << 8 | usize::from(rest.byte()?)) + 1;
            let start = out.len().checked_sub(back)?;
            for index in 0..count + 2 {
                // The reference may reach into what it brings itself.
                out.push(out[start + index]);
            }
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

/// Reads a type and a value, all of the bytes.
pub(super) fn value(body: &[u8], now_ms: u64) -> Option<Restored> {
    let mut reader = Reader(body);
    let value = match reader.byte()? {
        kind::STRING => Value::String(reader.string()?),
        kind::LIST => list(&mut reader)?,
        kind::LIST_QUICKLIST => quicklist(&mut reader)?,
        kind::SET => {
            let count = reader.count()?;
            set((0..count).map(|_| reader.string()))?
        }
        kind::SET_LISTPACK => set(reader.listpack()?.into_iter().map(Some))?,
        kind::SET_INTEGERS => set(integers(&reader.string()?)?.into_iter().map(Some))?,
        form @ (kind::SORTED_SET | kind::SORTED_SET_TEXT) => {
            let count = reader.count()?;
            sorted_set(
                SortedSet::large(),
                (0..count).map(|_| {
                    let member = reader.string()?;
                    let score = if form == kind::SORTED_SET {
                        f64::from_le_bytes(reader.array()?)
                    } else {
                        score_text(&mut reader)?
                    };
                    Some((member, score))
                }),
            )?
        }
        kind::SORTED_SET_LISTPACK => {
            let elements = reader.listpack()?;
            sorted_set(
                SortedSet::default(),
                elements.chunks(2).map(|pair| match pair {
                    [member, score] => Some((member.clone(), number::double(score)?)),
                    _ => None,
                }),
            )?
        }
        form @ (kind::HASH
        | kind::HASH_LISTPACK
        | kind::HASH_EXPIRING
        | kind::HASH_LISTPACK_EXPIRING) => {
            let fields = fields(form, &mut reader)?;
            return reader.0.is_empty().then(|| hash(fields, now_ms)).flatten();
        }
        _ => return None,
    };
    let complete = reader.0.is_empty() && !value.is_empty_collection();
    complete.then_some(Restored::Value(value))
}

fn list(reader: &mut Reader<'_>) -> Option<Value> {
    let mut list = List::default();
    for _ in 0..reader.count()? {
        list.push(End::Right, reader.string()?);
    }
    Some(Value::List(list))
}

/// Nodes that are one long string or a listpack each.
fn quicklist(reader: &mut Reader<'_>) -> Option<Value> {
    let mut list = List::default();
    for _ in 0..reader.count()? {
        match reader.length()? {
            1 => list.push(End::Right, reader.string()?),
            2 => {
                for element in reader.listpack()? {
                    list.push(End::Right, element);
                }
            }
            _ => return None,
        }
    }
    Some(Value::List(list))
}

fn set(members: impl Iterator<Item = Option<Vec<u8>>>) -> Option<Value> {
    let mut set = Set::default();
    for member in members {
        if !set.insert(&member?) {
            return None;
        }
    }
    Some(Value::Set(set))
}

/// A set of integers: their width in bytes, how many there are, and they themselves.
fn integers(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader(bytes);
    let width = u32::from_le_bytes(reader.array()?);
    let count = usize::try_from(u32::from_le_bytes(reader.array()?)).ok()?;
    let mut numbers = Vec::new();
    for _ in 0..count {
        let number = match width {
            2 => i64::from(i16::from_le_bytes(reader.array()?)),
            4 => i64::from(i32::from_le_bytes(reader.array()?)),
            8 => i64::from_le_bytes(reader.array()?),
            _ => return None,
        };
        numbers.push(number.to_string().into_bytes());
    }
    reader.0.is_empty().then_some(numbers)
}

fn sorted_set(
    mut set: SortedSet,
    members: impl Iterator<Item = Option<(Vec<u8>, f64)>>,
) -> Option<Value> {
    for member in members {
        let (member, score) = member?;
        if score.is_nan() || set.insert(&member, score).is_some() {
            return None;
        }
    }
    Some(Value::SortedSet(Box::new(set.compacted())))
}

/// A score as text behind its length, which also says what is no number.
fn score_text(reader: &mut Reader<'_>) -> Option<f64> {
    match reader.byte()? {
        253 => None,
        254 => Some(f64::INFINITY),
        255 => Some(f64::NEG_INFINITY),
        length => number::double(reader.take(usize::from(length))?),
    }
}

/// A field, its value and when it goes.
type Field = (Vec<u8>, Vec<u8>, Option<u64>);

fn fields(form: u8, reader: &mut Reader<'_>) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    match form {
        kind::HASH => {
            for _ in 0..reader.count()? {
                fields.push((reader.string()?, reader.string()?, None));
            }
        }
        kind::HASH_EXPIRING => {
            let soonest = u64::from_le_bytes(reader.array()?);
            for _ in 0..reader.count()? {
                let at = match reader.length()? {
                    0 => None,
                    distance => Some(soonest.checked_add(distance - 1)?),
                };
                fields.push((reader.string()?, reader.string()?, at));
            }
        }
        kind::HASH_LISTPACK => {
            for pair in reader.listpack()?.chunks(2) {
                let [field, value] = pair else { return None };
                fields.push((field.clone(), value.clone(), None));
            }
        }
        _ => {
            // The soonest expiry, which the elements say once more.
            reader.take(8)?;
            for triple in reader.listpack()?.chunks(3) {
                let [field, value, at] = triple else {
                    return None;
                };
                let at = number::unsigned(at)?;
                fields.push((field.clone(), value.clone(), (at > 0).then_some(at)));
            }
        }
    }
    Some(fields)
}

fn hash(fields: Vec<Field>, now_ms: u64) -> Option<Restored> {
    if fields.is_empty() {
        return None;
    }
    let mut hash = Hash::default();
    for (field, value, at) in fields {
        if hash.contains(&field) {
            return None;
        }
        if at.is_none_or(|at| at >= now_ms) {
            hash.set(&field, &value);
            hash.set_expiry(&field, at);
        }
    }
    Some(if hash.is_empty() {
        Restored::Nothing
    } else {
        Restored::Value(Value::Hash(Box::new(hash)))
    })
}
