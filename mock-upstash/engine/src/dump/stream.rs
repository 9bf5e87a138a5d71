//! Streams in payloads: nodes of entries as listpacks (t_stream.c), then counters and groups (rdb.c).

use std::collections::BTreeMap;
use std::vec;

use super::listpack::{self, Item, Listpack};
use super::reader::Reader;
use super::writer::{Writer, raw_id};
use super::{Malformed, REDIS_7_0, REDIS_7_2, encoding};
use crate::value::Stream;
use crate::value::stream::{Consumer, Entry, Group, Id, Node};

/// An entry's flags: it was deleted and only its room is left; its fields are the node's own.
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// A time or count that is not known.
const UNKNOWN: i64 = -1;

pub(super) fn write(writer: &mut Writer, stream: &Stream) -> u16 {
    let mut consumers = stream.groups().flat_map(|(_, group)| group.consumers());
    // Redis 7.0 has one time for both, so streams for which that is enough go there too.
    let timed = consumers.any(|consumer| consumer.active_ms != Some(consumer.seen_ms));
    writer.byte(if timed {
        encoding::STREAM_3
    } else {
        encoding::STREAM_2
    });
    writer.count(stream.nodes());
    for node in stream.iter_nodes() {
        writer.plain_string(&raw_id(node.master));
        writer.plain_string(&write_node(&node));
    }
    writer.count(stream.len());
    writer.id(stream.last_id());
    writer.id(stream.first().map_or(Id::MIN, |entry| entry.id));
    writer.id(stream.max_deleted_id());
    writer.length(stream.entries_added());
    writer.count(stream.groups().len());
    for (name, group) in stream.groups() {
        writer.string(name);
        write_group(writer, group, timed);
    }
    if timed { REDIS_7_2 } else { REDIS_7_0 }
}

fn write_node(node: &Node) -> Vec<u8> {
    let mut pack = Listpack::new();
    pack.integer(node.entries.len() as i64);
    // The room of deleted entries is left out.
    pack.integer(0);
    pack.integer(node.fields.len() as i64);
    for field in &node.fields {
        pack.text(field);
    }
    pack.integer(0);
    for entry in &node.entries {
        let count = entry.fields.len() / 2;
        let names = entry.fields.iter().step_by(2);
        let same = names.eq(node.fields.iter());
        pack.integer(if same { SAME_FIELDS } else { 0 });
        pack.integer(entry.id.ms.wrapping_sub(node.master.ms) as i64);
        pack.integer(entry.id.sequence.wrapping_sub(node.master.sequence) as i64);
        if same {
            for value in entry.fields.iter().skip(1).step_by(2) {
                pack.text(value);
            }
            pack.integer(count as i64 + 3);
        } else {
            pack.integer(count as i64);
            for item in &entry.fields {
                pack.text(item);
            }
            pack.integer(2 * count as i64 + 4);
        }
    }
    pack.into_bytes()
}

fn write_group(writer: &mut Writer, group: &Group, timed: bool) {
    writer.id(group.last_id);
    writer.length(group.entries_read.unwrap_or(UNKNOWN as u64));
    writer.count(group.pending_len());
    for (id, pending) in group.pending_range(Id::MIN, Id::MAX) {
        writer.raw_id(id);
        writer.raw(&pending.delivered_ms.to_le_bytes());
        writer.length(pending.deliveries as u64);
    }
    writer.count(group.consumers().len());
    for consumer in group.consumers() {
        write_consumer(writer, consumer, timed);
    }
}

fn write_consumer(writer: &mut Writer, consumer: &Consumer, timed: bool) {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    writer.string(&consumer.name);
    writer.time_ms(signed(consumer.seen_ms));
    if timed {
        writer.time_ms(consumer.active_ms.map_or(UNKNOWN, signed));
    }
    writer.count(consumer.pending.len());
    for id in &consumer.pending {
        writer.raw_id(*id);
    }
}

/// How many bytes of field names a payload may stand for: a node keeps the names that its entries
/// share once, and deceiving payloads have long ones and countless entries. Nodes of Redis's own
/// sizes (100 entries) stay far below.
fn most_names(payload_bytes: usize) -> usize {
    payload_bytes.saturating_mul(128).saturating_add(64 << 20)
}

/// Reads a stream in the first to the fifth of its encodings. What the later ones have at the end,
/// on entries that are not to be added twice, is left out.
pub(super) fn read(reader: &mut Reader<'_>, version: u8) -> Result<Stream, Malformed> {
    let mut stream = Stream::default();
    let mut names_left = most_names(reader.len());
    for _ in 0..reader.size()? {
        let master = Reader::new(&reader.string()?).raw_id()?;
        let node = read_node(master, &reader.string()?, &mut names_left)?;
        if !stream.restore_node(node) {
            return Err(Malformed);
        }
    }
    let length = reader.length()?;
    let last_id = reader.id()?;
    let (max_deleted_id, entries_added) = if version >= 2 {
        // The first id is that of the first entry.
        reader.id()?;
        (reader.id()?, reader.length()?)
    } else {
        (Id::MIN, length)
    };
    let last = stream.last().map_or(Id::MIN, |entry| entry.id);
    if length != stream.len() as u64 || last_id < last || i64::try_from(entries_added).is_err() {
        return Err(Malformed);
    }
    stream.restore_counters(last_id, max_deleted_id, entries_added);
    for _ in 0..reader.size()? {
        let name = reader.string()?;
        let last_id = reader.id()?;
        let entries_read = if version >= 2 {
            let read = reader.length()?;
            i64::try_from(read).is_ok().then_some(read)
        } else {
            stream.rank(last_id)
        };
        let mut group = Group::new(last_id, entries_read);
        read_group(reader, &mut group, version)?;
        if !stream.create_group(&name, group) {
            return Err(Malformed);
        }
    }
    Ok(stream)
}

/// The elements of a node, one after the other.
struct Items<'a>(vec::IntoIter<Item<'a>>);

impl<'a> Items<'a> {
    fn next(&mut self) -> Result<Item<'a>, Malformed> {
        self.0.next().ok_or(Malformed)
    }

    fn text(&mut self) -> Result<Box<[u8]>, Malformed> {
        Ok(self.next()?.text().into())
    }

    fn integer(&mut self) -> Result<i64, Malformed> {
        self.next()?.integer()
    }

    /// A number of elements, no more than there are.
    fn count(&mut self) -> Result<usize, Malformed> {
        let count = usize::try_from(self.integer()?).map_err(|_| Malformed)?;
        if count > self.0.len() {
            Err(Malformed)
        } else {
            Ok(count)
        }
    }
}

fn read_node(master: Id, packed: &[u8], names_left: &mut usize) -> Result<Node, Malformed> {
    let mut items = Items(listpack::read(packed)?.into_iter());
    let live = items.count()?;
    let deleted = items.count()?;
    let fields = (0..items.count()?)
        .map(|_| items.text())
        .collect::<Result<Vec<_>, _>>()?;
    if items.integer()? != 0 {
        return Err(Malformed);
    }
    let mut node = Node {
        master,
        fields,
        entries: Vec::new(),
        deleted,
        bytes: packed.len(),
    };
    for _ in 0..live.saturating_add(deleted) {
        let flags = items.integer()?;
        let before = items.0.len();
        let same = flags & SAME_FIELDS != 0;
        if same {
            let names = node.fields.iter().map(|name| name.len()).sum();
            *names_left = names_left.checked_sub(names).ok_or(Malformed)?;
        }
        let entry = read_entry(&mut items, &node, same)?;
        let used = before - items.0.len();
        // How many elements the entry has, its flags counted, is for reading backwards.
        if usize::try_from(items.integer()?) != Ok(used + 1) {
            return Err(Malformed);
        }
        if flags & DELETED == 0 {
            node.entries.push(entry);
        }
    }
    if node.entries.len() != live || items.0.len() != 0 {
        return Err(Malformed);
    }
    Ok(node)
}

fn read_entry(items: &mut Items<'_>, node: &Node, same: bool) -> Result<Entry, Malformed> {
    let id = Id {
        ms: node.master.ms.wrapping_add(items.integer()? as u64),
        sequence: node.master.sequence.wrapping_add(items.integer()? as u64),
    };
    let mut fields = Vec::new();
    if same {
        for field in &node.fields {
            fields.push(field.clone());
            fields.push(items.text()?);
        }
    } else {
        for _ in 0..items.count()? {
            fields.push(items.text()?);
            fields.push(items.text()?);
        }
    }
    let fields = fields.into();
    Ok(Entry { id, fields })
}

/// Reads the rest of a group: what is pending, and for whom.
fn read_group(reader: &mut Reader<'_>, group: &mut Group, version: u8) -> Result<(), Malformed> {
    let mut pending = BTreeMap::new();
    for _ in 0..reader.size()? {
        let id = reader.raw_id()?;
        let delivered_ms = read_time(reader)?;
        let deliveries = i64::try_from(reader.length()?).map_err(|_| Malformed)?;
        if pending.insert(id, (delivered_ms, deliveries)).is_some() {
            return Err(Malformed);
        }
    }
    for _ in 0..reader.size()? {
        let name = reader.string()?;
        let seen_ms = read_time(reader)?;
        // Before encodings told them apart, one time stood for both.
        let active_ms = if version >= 3 {
            u64::try_from(reader.time_ms()?).ok()
        } else {
            Some(seen_ms)
        };
        if group.consumer(&name).is_some() {
            return Err(Malformed);
        }
        group.restore_consumer(&name, seen_ms, active_ms);
        read_owned(reader, group, &name, &mut pending)?;
    }
    if version >= 5 {
        read_released(reader, group, &mut pending)?;
    }
    // Everything pending is pending for somebody.
    if pending.is_empty() {
        Ok(())
    } else {
        Err(Malformed)
    }
}

type Deliveries = BTreeMap<Id, (u64, i64)>;

/// The ids that are pending for one consumer.
fn read_owned(
    reader: &mut Reader<'_>,
    group: &mut Group,
    name: &[u8],
    pending: &mut Deliveries,
) -> Result<(), Malformed> {
    for _ in 0..reader.size()? {
        let id = reader.raw_id()?;
        let (delivered_ms, deliveries) = pending.remove(&id).ok_or(Malformed)?;
        group.assign(id, name, delivered_ms, deliveries);
    }
    Ok(())
}

/// The ids that consumers gave back (XNACK, Redis 8.10), which are pending for nobody. Here a
/// consumer without a name has them: XPENDING shows them as Redis does, and others can claim them.
fn read_released(
    reader: &mut Reader<'_>,
    group: &mut Group,
    pending: &mut Deliveries,
) -> Result<(), Malformed> {
    if reader.peek().is_some_and(|count| count > 0) && group.consumer(b"").is_none() {
        group.restore_consumer(b"", 0, None);
    }
    read_owned(reader, group, b"", pending)
}

/// A time; one before 1970 counts as that.
fn read_time(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    Ok(u64::try_from(reader.time_ms()?).unwrap_or(0))
}
