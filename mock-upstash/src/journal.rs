//! The journal: what was asked of the mock, by whom, and how it was answered.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use serde::Serialize;

/// Most bytes of arguments that are kept, over all requests.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Most memory that a request leaves for the next one, in bytes.
const MAX_SPARE: usize = 1024;

/// One request that the mock was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Request {
    /// How it came.
    pub kind: RequestKind,
    /// The user whose token or password it came with: `default`, `default_ro`, or one that
    /// ACL SETUSER made. Empty before authentication.
    pub user: String,
    /// Its commands; one unless it was a pipeline or a transaction. Passwords and tokens in them are
    /// replaced by `(redacted)`.
    #[serde(serialize_with = "as_text")]
    pub commands: Vec<Vec<Bytes>>,
    /// The HTTP status it was answered with; `None` over TCP, and when a fault ended the connection.
    pub status: Option<u16>,
}

/// How a request came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RequestKind {
    /// REST, one command, in the path or as a JSON array.
    #[default]
    Command,
    /// REST, `/pipeline`.
    Pipeline,
    /// REST, `/multi-exec`.
    Transaction,
    /// REST, `/subscribe`, `/psubscribe` or `/monitor`.
    Stream,
    /// The Redis protocol, one command.
    Redis,
}

impl Request {
    /// Whether its first command is this one, in any case.
    pub fn is(&self, command: &str) -> bool {
        self.commands
            .first()
            .and_then(|args| args.first())
            .is_some_and(|name| name.eq_ignore_ascii_case(command.as_bytes()))
    }

    /// Its commands as text, arguments joined by spaces. What is no UTF-8 shows as U+FFFD.
    pub fn lines(&self) -> Vec<String> {
        let line = |args: &Vec<Bytes>| {
            let words: Vec<_> = args
                .iter()
                .map(|arg| String::from_utf8_lossy(arg))
                .collect();
            words.join(" ")
        };
        self.commands.iter().map(line).collect()
    }
}

fn as_text<S: serde::Serializer>(
    commands: &[Vec<Bytes>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(commands.iter().map(|args| {
        args.iter()
            .map(|arg| String::from_utf8_lossy(arg))
            .collect::<Vec<_>>()
    }))
}

const REDACTED: &[u8] = b"(redacted)";

/// Where a command has secrets: AUTH, HELLO … AUTH, ACL SETUSER's passwords, ACL RESTTOKEN's, MIGRATE's.
fn secrets(args: &[Bytes]) -> Vec<usize> {
    let is = |at: usize, word: &str| {
        args.get(at)
            .is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    let behind =
        |word: &str| -> Vec<usize> { (1..args.len()).filter(|&at| is(at, word)).collect() };
    match args.first().map(|name| name.len()) {
        // The user's name may stay when there is one; a single argument is the password.
        Some(4) if is(0, "AUTH") => (if args.len() == 2 { 1 } else { 2 }..args.len()).collect(),
        Some(5) if is(0, "HELLO") => behind("AUTH").iter().map(|at| at + 2).collect(),
        Some(3) if is(0, "ACL") && is(1, "SETUSER") => {
            let secret = |at: &usize| matches!(args[*at].first(), Some(b'>' | b'<' | b'#' | b'!'));
            (3..args.len()).filter(secret).collect()
        }
        Some(3) if is(0, "ACL") && is(1, "RESTTOKEN") => (3..args.len()).collect(),
        Some(7) if is(0, "MIGRATE") => [behind("AUTH"), behind("AUTH2")]
            .concat()
            .iter()
            .flat_map(|at| [at + 1, at + 2])
            .collect(),
        _ => Vec::new(),
    }
}

/// The latest requests, oldest first.
#[derive(Debug)]
pub(crate) struct Journal {
    length: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    bytes: usize,
}

/// A request as it is kept: in one piece of memory of its own, so that it does not hold on to the buffer
/// that it was read into, and so that the memory of a request let go serves the next one.
#[derive(Debug, Default)]
struct Entry {
    kind: RequestKind,
    user: Bytes,
    status: Option<u16>,
    /// Each command as the number of its arguments, then each argument as its length and its bytes.
    /// Numbers are of four bytes: what is read of a client is bounded far below that.
    kept: Vec<u8>,
}

/// Takes a number off the beginning of what an entry keeps.
fn take_number(kept: &mut Bytes) -> Option<usize> {
    (kept.len() >= 4).then(|| kept.get_u32_ne() as usize)
}

impl Entry {
    fn keep_number(&mut self, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.kept.extend_from_slice(&number.to_ne_bytes());
    }

    fn request(&self) -> Request {
        let mut kept = Bytes::copy_from_slice(&self.kept);
        let mut commands = Vec::new();
        while let Some(count) = take_number(&mut kept) {
            let argument = |_| {
                let length = take_number(&mut kept)?;
                (length <= kept.len()).then(|| kept.split_to(length))
            };
            commands.push((0..count).map_while(argument).collect());
        }
        Request {
            kind: self.kind,
            user: String::from_utf8_lossy(&self.user).into_owned(),
            commands,
            status: self.status,
        }
    }
}

impl State {
    /// Lets the oldest request go; answers its memory, emptied.
    fn let_go(&mut self) -> Entry {
        let Some(mut oldest) = self.entries.pop_front() else {
            return Entry::default();
        };
        self.bytes -= oldest.kept.len();
        oldest.kept.clear();
        oldest.kept.shrink_to(MAX_SPARE);
        oldest
    }
}

impl Journal {
    /// A journal of at most so many requests; 0 keeps none.
    pub(crate) fn new(length: usize) -> Self {
        Journal {
            length,
            state: Mutex::default(),
        }
    }

    /// Whether requests are kept at all.
    pub(crate) fn is_on(&self) -> bool {
        self.length > 0
    }

    /// Notes a request; the oldest are let go when there are too many.
    pub(crate) fn note<'a>(
        &self,
        kind: RequestKind,
        user: &Bytes,
        commands: impl Iterator<Item = &'a [Bytes]>,
        status: Option<u16>,
    ) {
        if !self.is_on() {
            return;
        }
        let mut state = self.state.lock();
        let mut entry = match state.entries.len() < self.length {
            true => Entry::default(),
            false => state.let_go(),
        };
        entry.kind = kind;
        entry.user.clone_from(user);
        entry.status = status;
        for command in commands {
            entry.keep_number(command.len());
            let secrets = secrets(command);
            for (at, argument) in command.iter().enumerate() {
                let kept = match secrets.contains(&at) {
                    true => REDACTED,
                    false => argument,
                };
                entry.keep_number(kept.len());
                entry.kept.extend_from_slice(kept);
            }
        }
        state.bytes += entry.kept.len();
        state.entries.push_back(entry);
        while state.bytes > MAX_BYTES && state.entries.len() > 1 {
            state.let_go();
        }
    }

    /// What was noted, oldest first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state
            .lock()
            .entries
            .iter()
            .map(Entry::request)
            .collect()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.state.lock() = State::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(journal: &Journal, words: &[&str]) {
        let args: Vec<Bytes> = words
            .iter()
            .map(|word| Bytes::copy_from_slice(word.as_bytes()))
            .collect();
        journal.note(
            RequestKind::Command,
            &Bytes::from_static(b"default"),
            std::iter::once(&args[..]),
            Some(200),
        );
    }

    #[test]
    fn the_oldest_requests_are_let_go() {
        let journal = Journal::new(2);
        for key in ["a", "b", "c"] {
            note(&journal, &["GET", key]);
        }
        let lines: Vec<_> = journal.requests().iter().flat_map(Request::lines).collect();
        assert_eq!(lines, ["GET b", "GET c"]);
        assert!(journal.requests()[0].is("get"));
        journal.clear();
        assert_eq!(journal.requests(), []);
    }

    #[test]
    fn secrets_are_not_kept() {
        let journal = Journal::new(100);
        for line in [
            "AUTH secret",
            "auth bob secret",
            "HELLO 3 AUTH bob secret SETNAME me",
            "ACL SETUSER bob on >secret #secret ~* +get",
            "ACL RESTTOKEN bob secret",
            "AUTH",
            "HELLO 3 AUTH",
        ] {
            note(&journal, &line.split(' ').collect::<Vec<_>>());
        }
        let lines: Vec<_> = journal.requests().iter().flat_map(Request::lines).collect();
        assert_eq!(
            lines,
            [
                "AUTH (redacted)",
                "auth bob (redacted)",
                "HELLO 3 AUTH bob (redacted) SETNAME me",
                "ACL SETUSER bob on (redacted) (redacted) ~* +get",
                "ACL RESTTOKEN bob (redacted)",
                "AUTH",
                "HELLO 3 AUTH",
            ]
        );
    }

    #[test]
    fn large_requests_are_let_go_sooner() {
        let journal = Journal::new(100);
        let large = "x".repeat(MAX_BYTES / 2);
        for key in ["a", "b", "c"] {
            note(&journal, &["SET", key, &large]);
        }
        assert_eq!(journal.requests().len(), 1);
    }

    #[test]
    fn a_journal_of_no_length_keeps_nothing() {
        let journal = Journal::new(0);
        note(&journal, &["PING"]);
        assert_eq!(journal.requests(), []);
    }
}
