//! Keyspace notifications: which classes are switched on, and what is published for an event.

use bitflags::bitflags;
use bytes::Bytes;

use crate::engine::Engine;

bitflags! {
    /// Classes of keyspace events, as `notify-keyspace-events` spells them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Class: u32 {
        /// `K`: publish to `__keyspace@<db>__:<key>`.
        const KEYSPACE = 1;
        /// `E`: publish to `__keyevent@<db>__:<event>`.
        const KEYEVENT = 1 << 1;
        /// `g`: commands of no one type, DEL, EXPIRE, RENAME.
        const GENERIC = 1 << 2;
        /// `$`: strings.
        const STRING = 1 << 3;
        /// `l`: lists.
        const LIST = 1 << 4;
        /// `s`: sets.
        const SET = 1 << 5;
        /// `h`: hashes.
        const HASH = 1 << 6;
        /// `z`: sorted sets.
        const SORTED_SET = 1 << 7;
        /// `x`: a key expired.
        const EXPIRED = 1 << 8;
        /// `e`: a key was evicted.
        const EVICTED = 1 << 9;
        /// `t`: streams.
        const STREAM = 1 << 10;
        /// `m`: a key was looked for and not there.
        const KEY_MISS = 1 << 11;
        /// `d`: module types, JSON among them.
        const MODULE = 1 << 12;
        /// `n`: a key was made.
        const NEW = 1 << 13;
        /// `A`: all but `m` and `n`.
        const ALL = Self::GENERIC.bits() | Self::STRING.bits() | Self::LIST.bits()
            | Self::SET.bits() | Self::HASH.bits() | Self::SORTED_SET.bits()
            | Self::EXPIRED.bits() | Self::EVICTED.bits() | Self::STREAM.bits()
            | Self::MODULE.bits();
    }
}

const LETTERS: &[(u8, Class)] = &[
    (b'A', Class::ALL),
    (b'g', Class::GENERIC),
    (b'$', Class::STRING),
    (b'l', Class::LIST),
    (b's', Class::SET),
    (b'h', Class::HASH),
    (b'z', Class::SORTED_SET),
    (b'x', Class::EXPIRED),
    (b'e', Class::EVICTED),
    (b't', Class::STREAM),
    (b'd', Class::MODULE),
    (b'K', Class::KEYSPACE),
    (b'E', Class::KEYEVENT),
    (b'm', Class::KEY_MISS),
    (b'n', Class::NEW),
];

impl Class {
    /// Reads the letters of `notify-keyspace-events`; `None` when one is unknown.
    pub fn parse(letters: &[u8]) -> Option<Class> {
        letters.iter().try_fold(Class::empty(), |all, letter| {
            let (_, class) = LETTERS.iter().find(|(known, _)| known == letter)?;
            Some(all | *class)
        })
    }

    /// Writes the letters as CONFIG GET shows them.
    pub fn letters(self) -> String {
        let mut shown = Class::empty();
        let mut text = String::new();
        for (letter, class) in LETTERS {
            if self.contains(*class) && !shown.contains(*class) {
                text.push(char::from(*letter));
                shown |= *class;
            }
        }
        text
    }
}

impl Engine {
    /// Publishes a keyspace notification, if its class is switched on.
    pub fn notify(&mut self, class: Class, event: &str, key: &[u8], db: usize) {
        let on = self.config.notifications;
        if !on.intersects(class) || !on.intersects(Class::KEYSPACE | Class::KEYEVENT) {
            return;
        }
        if on.contains(Class::KEYSPACE) {
            let mut channel = format!("__keyspace@{db}__:").into_bytes();
            channel.extend_from_slice(key);
            self.publish(&channel.into(), &Bytes::copy_from_slice(event.as_bytes()));
        }
        if on.contains(Class::KEYEVENT) {
            let channel = format!("__keyevent@{db}__:{event}");
            self.publish(&channel.into(), &Bytes::copy_from_slice(key));
        }
    }
}
