//! Following the cursor of `SCAN` and its kin to the end, for steps that begin with `every`.

use std::collections::BTreeSet;

use crate::client::Command;
use crate::reply::Reply;

/// A walk gives up after this many calls; a cursor that never comes back to 0 is the server's fault.
pub const MOST_CALLS: usize = 10_000;

/// A walk in progress: what to send next, and what was found.
///
/// Redis may return an element more than once; it is kept the first time.
#[derive(Debug)]
pub struct Cursor {
    command: Command,
    index: usize,
    width: usize,
    calls: usize,
    seen: BTreeSet<Vec<u8>>,
    found: Vec<Reply>,
}

impl Cursor {
    /// Begins with a `SCAN`, `HSCAN`, `SSCAN` or `ZSCAN` as rendered.
    pub fn new(command: Command) -> Cursor {
        let name = command
            .first()
            .map(|name| name.to_ascii_uppercase())
            .unwrap_or_default();
        let novalues = command
            .iter()
            .any(|word| word.eq_ignore_ascii_case(b"NOVALUES"));
        let index = if name == b"SCAN" { 1 } else { 2 };
        // HSCAN gives fields with their values, ZSCAN members with their scores.
        let paired = (name == b"HSCAN" && !novalues) || name == b"ZSCAN";
        let width = if paired { 2 } else { 1 };
        Cursor {
            command,
            index,
            width,
            calls: 0,
            seen: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// The command to send next.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Takes a reply. `Some` is the reply of the whole walk: an array of all elements, or a reply
    /// that is not a cursor with elements (an error, say), as it came.
    pub fn take(&mut self, reply: Reply) -> Option<Reply> {
        self.calls += 1;
        let Reply::Array(parts) = &reply else {
            return Some(reply);
        };
        let [cursor, Reply::Array(elements)] = parts.as_slice() else {
            return Some(reply);
        };
        let cursor = match cursor {
            Reply::Integer(cursor) => cursor.to_string().into_bytes(),
            other => match other.as_bytes() {
                Some(cursor) => cursor.to_vec(),
                None => return Some(reply),
            },
        };
        for element in elements.chunks(self.width) {
            let key = element
                .first()
                .and_then(Reply::as_bytes)
                .unwrap_or_default()
                .to_vec();
            if self.seen.insert(key) {
                self.found.extend_from_slice(element);
            }
        }
        if cursor == b"0" {
            return Some(Reply::Array(std::mem::take(&mut self.found)));
        }
        if self.calls >= MOST_CALLS {
            let text = format!("ERR the cursor did not come back to 0 in {MOST_CALLS} calls");
            return Some(Reply::Error(text));
        }
        if let Some(slot) = self.command.get_mut(self.index) {
            *slot = cursor;
        }
        None
    }
}
