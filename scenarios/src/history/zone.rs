//! Whether a history of a register is linearizable, without a search.
//!
//! Where every value is written once, a read tells which write it saw, and a swap that worked which
//! value it replaced. All operations on one value then form a block, blocks that a swap joins one
//! larger block, and a history is right if the blocks can be put in an order that no operation
//! contradicts, which two of them alone can prevent (Gibbons and Korach, 1997). Swaps that did not
//! work say only what was *not* in the register: what is wrong without them is wrong, and if they fit
//! into the order that was found all is right. Where they do not, another order is left to the search.

use std::collections::{HashMap, HashSet};

use super::linearizable::Shortcut;
use super::operation::{Operation, Value};

/// The value that a write wrote, and the one that it replaced if it was a swap.
#[derive(Clone, Copy)]
struct Write<'h> {
    operation: &'h Operation,
    new: &'h Value,
    expected: Option<&'h Value>,
}

/// All operations on values that swaps join, by when the first ended and when the last began.
struct Block<'h> {
    /// The values in their order, each with what has to come after another: its write, its reads.
    parts: Vec<(&'h Value, Vec<&'h Operation>)>,
    first_end: u64,
    last_begin: u64,
}

/// Decides about a register; not where one value was written twice, or where all depends on swaps
/// that did not work.
pub(super) fn decide(operations: &[Operation]) -> Option<Shortcut> {
    let mut writes: HashMap<&Value, Write<'_>> = HashMap::new();
    let mut reads: HashMap<&Value, Vec<&Operation>> = HashMap::new();
    let mut refused: Vec<&Operation> = Vec::new();
    for operation in operations.iter().filter(|one| !one.is_failed()) {
        let (new, expected) = match (operation.name, operation.output()) {
            ("read", None) => continue,
            ("read", Some(seen)) => {
                reads.entry(seen).or_default().push(operation);
                continue;
            }
            ("write", _) => (&operation.input, None),
            ("swap", Some(Value::Bool(false))) => {
                refused.push(operation);
                continue;
            }
            ("swap", _) => (operation.input.at(1)?, Some(operation.input.at(0)?)),
            _ => return None,
        };
        let write = Write {
            operation,
            new,
            expected,
        };
        if *new == Value::Nil || writes.insert(new, write).is_some() {
            return None;
        }
    }
    let blocks = match blocks(&writes, &reads) {
        Ok(blocks) => blocks,
        Err(why) => return Some(Shortcut::Wrong(why)),
    };
    if let Err(why) = apart(&blocks) {
        return Some(Shortcut::Wrong(why));
    }
    fits(&refused, blocks).then_some(Shortcut::Right)
}

/// Whether there is a moment for every swap that did not work, in one order of the blocks, in which
/// everything takes place as soon as it can.
fn fits(refused: &[&Operation], mut blocks: Vec<Block<'_>>) -> bool {
    if refused.is_empty() {
        return true;
    }
    // A block that has to come before another ends its first and begins its last operation before it.
    blocks[1..].sort_by_key(|block| u128::from(block.first_end) + u128::from(block.last_begin));
    let mut now = 0;
    let mut values: Vec<(&Value, u64)> = Vec::new();
    for (value, operations) in blocks.iter().flat_map(|block| &block.parts) {
        let begins = operations.first().map_or(0, |one| one.invoked_us).max(now);
        values.push((value, begins));
        let last = operations.iter().map(|one| one.invoked_us).max();
        now = begins.max(last.unwrap_or(0));
    }
    let ends = values.iter().skip(1).map(|(_, from)| *from);
    let spans: HashMap<&Value, (u64, u64)> = values
        .iter()
        .zip(ends.chain([u64::MAX]))
        .map(|((value, from), until)| (*value, (*from, until)))
        .collect();
    refused.iter().all(|swap| {
        let Some((expected, (from, until))) = swap
            .input
            .at(0)
            .and_then(|expected| spans.get_key_value(expected))
        else {
            return true;
        };
        // Before the first write the register is empty, and nothing comes before that.
        let before = **expected != Value::Nil && swap.invoked_us <= *from;
        before || swap.ended_us >= *until
    })
}

/// The values that were certainly in the register: written by what returned, read, or replaced.
fn certain<'h>(
    writes: &HashMap<&'h Value, Write<'h>>,
    reads: &HashMap<&'h Value, Vec<&'h Operation>>,
) -> HashSet<&'h Value> {
    let returned = writes
        .values()
        .filter(|write| !write.operation.is_unknown());
    let mut open: Vec<&Value> = returned.map(|write| write.new).collect();
    open.extend(reads.keys().copied());
    let mut certain = HashSet::new();
    while let Some(value) = open.pop() {
        if certain.insert(value) {
            open.extend(writes.get(value).and_then(|write| write.expected));
        }
    }
    certain
}

/// The blocks, the one of the empty register first, or why one of them is wrong in itself.
fn blocks<'h>(
    writes: &HashMap<&'h Value, Write<'h>>,
    reads: &HashMap<&'h Value, Vec<&'h Operation>>,
) -> Result<Vec<Block<'h>>, String> {
    let mut values: Vec<&Value> = certain(writes, reads).into_iter().collect();
    values.retain(|value| **value != Value::Nil);
    values.sort_unstable();
    let mut next: HashMap<&Value, &Value> = HashMap::new();
    for value in &values {
        let Some(write) = writes.get(value) else {
            return Err(format!("{value} was in it and was never written"));
        };
        if let Some(expected) = write.expected
            && let Some(other) = next.insert(expected, write.new)
        {
            return Err(format!(
                "two swaps replaced {expected}, one by {other} and one by {}",
                write.new
            ));
        }
    }
    let begins = |value: &&&Value| {
        writes
            .get(**value)
            .is_none_or(|write| write.expected.is_none())
    };
    let mut blocks = Vec::new();
    let mut met = 0;
    for first in std::iter::once(&&Value::Nil).chain(values.iter().filter(begins)) {
        let mut block = Block {
            parts: Vec::new(),
            first_end: u64::MAX,
            last_begin: 0,
        };
        let mut value = Some(*first);
        while let Some(current) = value {
            met += usize::from(*current != Value::Nil);
            let write = writes.get(current).map(|write| write.operation);
            let reads = reads.get(current).map_or(&[][..], Vec::as_slice);
            block.add(current, write, reads)?;
            value = next.get(current).copied();
        }
        blocks.push(block);
    }
    match met == values.len() {
        true => Ok(blocks),
        false => Err("swaps replaced one another's values in a circle".to_owned()),
    }
}

impl<'h> Block<'h> {
    /// Adds a value after all that is in the block: its write, then its reads in any order.
    fn add(
        &mut self,
        value: &'h Value,
        write: Option<&'h Operation>,
        reads: &[&'h Operation],
    ) -> Result<(), String> {
        let ended = |one: &&Operation| match one.is_unknown() {
            true => u64::MAX,
            false => one.ended_us,
        };
        let write: Vec<&Operation> = write.into_iter().collect();
        for operations in [write.as_slice(), reads] {
            let first_end = operations.iter().map(ended).min().unwrap_or(u64::MAX);
            if first_end < self.last_begin {
                return Err(format!(
                    "{value} was in it before it was written, or before what it replaced"
                ));
            }
            let last_begin = operations.iter().map(|one| one.invoked_us).max();
            self.first_end = self.first_end.min(first_end);
            self.last_begin = self.last_begin.max(last_begin.unwrap_or(0));
        }
        self.parts.push((value, [write.as_slice(), reads].concat()));
        Ok(())
    }

    /// The value that it is called by in a sentence.
    fn value(&self) -> &'h Value {
        self.parts.last().map_or(&Value::Nil, |(value, _)| value)
    }
}

/// Whether no two blocks contradict each other. One comes before another if one of its operations was
/// over before one of the other's began; two that both come first cannot be put in order.
fn apart(blocks: &[Block<'_>]) -> Result<(), String> {
    let Some((empty, written)) = blocks.split_first() else {
        return Ok(());
    };
    if let Some(block) = written
        .iter()
        .find(|block| block.first_end < empty.last_begin)
    {
        return Err(format!(
            "it was found empty after {} was in it",
            block.value()
        ));
    }
    let mut by_end: Vec<&Block<'_>> = written.iter().collect();
    by_end.sort_by_key(|block| block.first_end);
    // Of the blocks up to each place, the two whose last operations began last.
    let mut latest: Vec<[Option<&Block<'_>>; 2]> = Vec::with_capacity(by_end.len());
    let mut top: [Option<&Block<'_>>; 2] = [None, None];
    for block in &by_end {
        let later = |other: Option<&Block<'_>>| {
            other.is_none_or(|other| block.last_begin > other.last_begin)
        };
        if later(top[0]) {
            top = [Some(block), top[0]];
        } else if later(top[1]) {
            top[1] = Some(block);
        }
        latest.push(top);
    }
    for block in &by_end {
        let before = by_end.partition_point(|other| other.first_end < block.last_begin);
        let Some(candidates) = before.checked_sub(1).map(|at| latest[at]) else {
            continue;
        };
        let other = candidates
            .into_iter()
            .flatten()
            .find(|other| !std::ptr::eq(*other, *block));
        if let Some(other) = other
            && block.first_end < other.last_begin
        {
            let (back, by) = match block.last_begin > other.last_begin {
                true => (*block, other),
                false => (other, *block),
            };
            return Err(format!(
                "{} was in it again after {} had replaced it",
                back.value(),
                by.value()
            ));
        }
    }
    Ok(())
}
