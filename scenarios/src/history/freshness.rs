//! Whether reads see what was written: read-your-writes, monotonic reads, and reads by others.

use std::collections::BTreeMap;

use super::operation::{History, Operation, Value, Violation};

/// Whose writes a read has to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The reader's own, and it never goes back behind what it has read.
    Oneself,
    /// Everybody's that were over before the read began.
    Everybody,
}

/// Every object has one writer, whose `write` (version) counts up; `read` returns a version or
/// nothing.
///
/// # Errors
/// When a read returned an older version than it had to, or one that nobody had written.
pub fn check(audience: Audience, history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        let part = history.of(object);
        from_nowhere(object, &part)?;
        let mut circles: BTreeMap<usize, Vec<&Operation>> = BTreeMap::new();
        for operation in part.operations() {
            let circle = match audience {
                Audience::Oneself => operation.client,
                Audience::Everybody => 0,
            };
            circles.entry(circle).or_default().push(operation);
        }
        circles
            .values()
            .try_for_each(|operations| fresh(object, operations))?;
    }
    Ok(())
}

/// Reads see the newest version that one of these operations wrote or saw before.
fn fresh(object: &str, operations: &[&Operation]) -> Result<(), Violation> {
    let over = operations.iter().filter(|one| one.output().is_some());
    let mut over: Vec<&Operation> = over.copied().collect();
    over.sort_by_key(|one| one.ended_us);
    let mut over = over.into_iter().peekable();
    let mut newest: Option<&Operation> = None;
    // In the order in which they were invoked.
    for read in operations.iter().filter(|one| one.name == "read") {
        while let Some(earlier) = over.next_if(|one| one.precedes(read)) {
            if newest.is_none_or(|newest| version(earlier) > version(newest)) {
                newest = Some(earlier);
            }
        }
        if let Some(newest) = newest
            && read.output().is_some()
            && version(newest) > version(read)
        {
            let what = match (newest.name, newest.client == read.client) {
                ("write", true) => "a client did not see its own write",
                ("write", false) => "a client did not see a write that was over before it read",
                (_, true) => "a client read an older value than it had read before",
                (_, false) => "a client read an older value than another had read before",
            };
            return Err(Violation::new(format!("{what}: {object}"), [newest, read]));
        }
    }
    Ok(())
}

/// A version is read only once somebody has begun to write it.
fn from_nowhere(object: &str, part: &History) -> Result<(), Violation> {
    let mut written = BTreeMap::new();
    for write in part.named("write").filter(|one| !one.is_failed()) {
        written.entry(version(write)).or_insert(write);
    }
    if written.is_empty() {
        return Ok(());
    }
    for read in part.named("read") {
        let Some(seen) = read.output().filter(|seen| **seen != Value::Nil) else {
            continue;
        };
        let write = seen.integer().and_then(|seen| written.get(&seen));
        if write.is_none_or(|write| write.invoked_us > read.ended_us) {
            let what = format!("a client read what nobody had written: {object}");
            return Err(Violation::new(
                what,
                write.copied().into_iter().chain([read]),
            ));
        }
    }
    Ok(())
}

fn version(operation: &Operation) -> i64 {
    let value = match operation.name {
        "write" => Some(&operation.input),
        "read" => operation.output(),
        _ => None,
    };
    value.and_then(Value::integer).unwrap_or(0)
}
