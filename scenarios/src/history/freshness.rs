//! Whether reads see what was written: read-your-writes, monotonic reads, and reads by others.

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
/// When a read returned an older version than it had to.
pub fn check(audience: Audience, history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        let part = history.of(object);
        for read in part.named("read") {
            let Some(seen) = read.output() else { continue };
            let seen = seen.integer().unwrap_or(0);
            let newest = part
                .operations()
                .iter()
                .filter(|earlier| earlier.output().is_some() && earlier.precedes(read))
                .filter(|earlier| audience == Audience::Everybody || earlier.client == read.client)
                .max_by_key(|earlier| version(earlier));
            if let Some(newest) = newest
                && version(newest) > seen
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
