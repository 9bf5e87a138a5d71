//! The ids of a stream's entries.

use std::fmt;

use crate::number;

/// Longest text that can be an id, in bytes.
const LONGEST_TEXT: usize = 127;

/// An entry's id: a time and a sequence number within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id {
    /// Milliseconds since the Unix epoch, usually.
    pub ms: u64,
    /// Tells ids of one millisecond apart.
    pub sequence: u64,
}

impl Id {
    /// The lowest id, which no entry has.
    pub const MIN: Id = Id { ms: 0, sequence: 0 };

    /// The highest id.
    pub const MAX: Id = Id {
        ms: u64::MAX,
        sequence: u64::MAX,
    };

    /// Reads `ms` or `ms-sequence`; a sequence number that is not given is `sequence`.
    pub fn parse(text: &[u8], sequence: u64) -> Option<Id> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let (ms, sequence) = match text.iter().position(|byte| *byte == b'-') {
            Some(dash) => (&text[..dash], number::unsigned(&text[dash + 1..])?),
            None => (text, sequence),
        };
        let ms = number::unsigned(ms)?;
        Some(Id { ms, sequence })
    }

    /// The id behind this one.
    pub fn next(self) -> Option<Id> {
        match self.sequence.checked_add(1) {
            Some(sequence) => Some(Id { sequence, ..self }),
            None => self.ms.checked_add(1).map(|ms| Id { ms, sequence: 0 }),
        }
    }

    /// The id before this one.
    pub fn previous(self) -> Option<Id> {
        match self.sequence.checked_sub(1) {
            Some(sequence) => Some(Id { sequence, ..self }),
            None => self.ms.checked_sub(1).map(|ms| Id {
                ms,
                sequence: u64::MAX,
            }),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.sequence)
    }
}

/// The id that XADD asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewId {
    /// `*`: from the clock.
    Auto,
    /// `ms-*`: the next sequence number of this time.
    At(u64),
    /// This one.
    Exactly(Id),
}
