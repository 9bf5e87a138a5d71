//! Lists in payloads.

use super::reader::Reader;
use super::writer::Writer;
use super::{Malformed, REDIS_7_0, encoding, listpack, ziplist};
use crate::value::List;
use crate::value::list::End;

/// A node of a quicklist that is one long element.
const PLAIN: u64 = 1;
/// A node of a quicklist that is a listpack.
const PACKED: u64 = 2;

pub(super) fn write(writer: &mut Writer, list: &List) -> u16 {
    writer.byte(encoding::LIST);
    writer.count(list.len());
    for element in list.iter() {
        writer.string(element);
    }
    REDIS_7_0
}

pub(super) fn read_plain(reader: &mut Reader<'_>) -> Result<List, Malformed> {
    let count = reader.count()?;
    let mut list = List::default();
    for _ in 0..count {
        list.push(End::Right, &*reader.string()?);
    }
    Ok(list)
}

pub(super) fn read_ziplist(reader: &mut Reader<'_>) -> Result<List, Malformed> {
    let mut list = List::default();
    push_all(&mut list, ziplist::read(&reader.string()?)?);
    non_empty(list)
}

pub(super) fn read_ziplists(reader: &mut Reader<'_>) -> Result<List, Malformed> {
    let count = reader.count()?;
    let mut list = List::default();
    for _ in 0..count {
        push_all(&mut list, ziplist::read(&reader.string()?)?);
    }
    non_empty(list)
}

pub(super) fn read_listpacks(reader: &mut Reader<'_>) -> Result<List, Malformed> {
    let count = reader.count()?;
    let mut list = List::default();
    for _ in 0..count {
        let form = reader.length()?;
        let node = reader.string()?;
        match form {
            PLAIN => list.push(End::Right, &*node),
            PACKED => push_all(&mut list, listpack::read(&node)?),
            _ => return Err(Malformed),
        }
    }
    non_empty(list)
}

fn push_all(list: &mut List, items: Vec<listpack::Item<'_>>) {
    for item in items {
        list.push(End::Right, &*item.text());
    }
}

fn non_empty(list: List) -> Result<List, Malformed> {
    if list.is_empty() {
        Err(Malformed)
    } else {
        Ok(list)
    }
}
