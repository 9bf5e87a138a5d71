//! The keys of a scenario on a target: under a prefix of their own while they travel, `{name}` in
//! everything that is compared or shown.

use scenarios::Reply;
use scenarios::client::Command;

/// The prefix of one scenario's keys on one target in one run.
///
/// The prefixes of all targets have the same length, so that no reply depends on it.
#[derive(Debug, Clone)]
pub struct Prefix {
    bytes: Vec<u8>,
    /// The names of the scenario's keys, longest first: `{lock2}` must not be read as `{lock}2`.
    names: Vec<String>,
}

impl Prefix {
    /// The prefix for the given run, scenario and attempt at it.
    pub fn new<'a>(
        run: &str,
        scenario: usize,
        attempt: usize,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Prefix {
            bytes: format!("swapcheck:{run}:{scenario:04}.{attempt:03}:").into_bytes(),
            names,
        }
    }

    /// The prefix itself.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key that `{name}` stands for.
    pub fn key(&self, name: &str) -> Vec<u8> {
        [self.bytes.as_slice(), name.as_bytes()].concat()
    }

    /// The command with its keys written as the document writes them.
    pub fn neutral_command(&self, command: &Command) -> Command {
        command
            .iter()
            .map(|argument| self.neutral(argument))
            .collect()
    }

    /// The reply with its keys written as the document writes them.
    pub fn neutral_reply(&self, reply: &Reply) -> Reply {
        let all = |items: &[Reply]| items.iter().map(|item| self.neutral_reply(item)).collect();
        match reply {
            Reply::Bulk(bytes) => Reply::Bulk(self.neutral(bytes)),
            Reply::Status(text) => Reply::Status(self.neutral_text(text)),
            Reply::Error(text) => Reply::Error(self.neutral_text(text)),
            Reply::Array(items) => Reply::Array(all(items)),
            Reply::Set(items) => Reply::Set(all(items)),
            Reply::Map(pairs) => Reply::Map(
                pairs
                    .iter()
                    .map(|(key, value)| (self.neutral_reply(key), self.neutral_reply(value)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// A text with its keys written as the document writes them.
    pub fn neutral_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.neutral(text.as_bytes())).into_owned()
    }

    fn neutral(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(mut at) = find(bytes, &self.bytes) else {
            return bytes.to_vec();
        };
        let mut rest = bytes;
        let mut neutral = Vec::with_capacity(bytes.len());
        loop {
            neutral.extend_from_slice(&rest[..at]);
            rest = &rest[at + self.bytes.len()..];
            if let Some(name) = self
                .names
                .iter()
                .find(|name| rest.starts_with(name.as_bytes()))
            {
                neutral.push(b'{');
                neutral.extend_from_slice(name.as_bytes());
                neutral.push(b'}');
                rest = &rest[name.len()..];
            }
            match find(rest, &self.bytes) {
                Some(next) => at = next,
                None => break,
            }
        }
        neutral.extend_from_slice(rest);
        neutral
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    // The first byte decides in nearly every place; a megabyte of another letter is skipped fast.
    let first = *part.first()?;
    let mut from = 0;
    while let Some(offset) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + offset;
        if bytes[at..].starts_with(part) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_as_the_document_writes_them() {
        let prefix = Prefix::new("1f", 7, 0, ["lock", "lock2"]);
        let one = prefix.key("lock2");
        let text = [
            b"held: ".as_slice(),
            &one,
            b", ",
            &prefix.key("lock"),
            b":x",
        ]
        .concat();
        assert_eq!(prefix.neutral(&text), b"held: {lock2}, {lock}:x");
        assert_eq!(
            prefix.neutral(b"swapcheck: is a word"),
            b"swapcheck: is a word"
        );
    }

    #[test]
    fn a_key_without_a_known_name_loses_only_its_prefix() {
        let prefix = Prefix::new("1f", 7, 0, []);
        assert_eq!(prefix.neutral(&prefix.key("other")), b"other");
    }
}
