//! Keyspace notifications: which classes are switched on, and what is published for an event.

use bitflags::bitflags;
use bytes::Bytes;

use crate::command::{Command, Flags, Group};
use crate::engine::Engine;
use crate::error::{NO_SUCH_KEY, ReplyError, WRONG_TYPE};
use crate::keyspace::Database;
use crate::value::Kind;

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
        /// `o`: a key's value was set over another.
        const OVERWRITTEN = 1 << 14;
        /// `c`: a key's value was set over one of another type.
        const TYPE_CHANGED = 1 << 15;
        /// What is told before a command's own events: how a key came by its value, that it had none.
        const ARRIVALS = Self::NEW.bits() | Self::OVERWRITTEN.bits() | Self::TYPE_CHANGED.bits()
            | Self::KEY_MISS.bits();
        /// `A`: all but `m`, `n`, `o` and `c`.
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
    (b'n', Class::NEW),
    (b'o', Class::OVERWRITTEN),
    (b'c', Class::TYPE_CHANGED),
    (b'K', Class::KEYSPACE),
    (b'E', Class::KEYEVENT),
    (b'm', Class::KEY_MISS),
];

impl Class {
    /// Reads the letters of `notify-keyspace-events`; `None` when one is unknown.
    pub fn parse(letters: &[u8]) -> Option<Class> {
        letters.iter().try_fold(Class::empty(), |all, letter| {
            let (_, class) = LETTERS.iter().find(|(known, _)| known == letter)?;
            Some(all | *class)
        })
    }

    /// Writes the letters as CONFIG GET shows them. `A` stands for `n`, `o` and `c` as well there,
    /// although it does not switch them on.
    pub fn letters(self) -> String {
        let mut shown = Class::empty();
        let mut text = String::new();
        for (letter, class) in LETTERS {
            if self.contains(*class) && !shown.contains(*class) {
                text.push(char::from(*letter));
                shown |= *class;
                if *class == Class::ALL {
                    shown |= Class::NEW | Class::OVERWRITTEN | Class::TYPE_CHANGED;
                }
            }
        }
        text
    }
}

impl Engine {
    /// Switches classes of keyspace notifications on, and all others off.
    pub fn set_notifications(&mut self, classes: Class) {
        self.config.notifications = classes;
        for database in &mut self.databases {
            database.note_arrivals(classes.intersects(Class::ARRIVALS));
        }
    }

    /// Publishes a keyspace notification, if its class is switched on. How keys came by their values
    /// goes out before what happened to them.
    pub fn notify(&mut self, class: Class, event: &str, key: &[u8], db: usize) {
        for (class, event, key) in self.databases[db].take_arrivals() {
            self.publish_event(class, event, &key, db);
        }
        self.publish_event(class, event, key, db);
    }

    /// Publishes that a key holds something in the place of another value, of the kind `before` if
    /// there was one, for commands that say so last.
    pub(crate) fn notify_replaced(&mut self, before: Option<Kind>, key: &[u8], db: usize) {
        let Some(before) = before else {
            return;
        };
        self.publish_event(Class::OVERWRITTEN, "overwritten", key, db);
        if self.databases[db].kind(key) != Some(before) {
            self.publish_event(Class::TYPE_CHANGED, "type_changed", key, db);
        }
    }

    /// Publishes what keys a command did not find, when it has published nothing else; of one that
    /// failed, those that it came to look up before.
    pub(crate) fn notify_reads(&mut self, db: usize, failed_after: Option<&[&Bytes]>) {
        for (class, event, key) in self.databases[db].take_arrivals() {
            let is_told = failed_after.is_none_or(|looked_up| {
                class == Class::KEY_MISS && looked_up.iter().any(|known| **known == *key)
            });
            if is_told {
                self.publish_event(class, event, &key, db);
            }
        }
    }

    fn publish_event(&mut self, class: Class, event: &str, key: &[u8], db: usize) {
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

/// How many of the keys that a command reads it came to look up before it failed: those up to the one
/// that is of the wrong type, or all where what it looks for is not there. Other errors come first.
pub(crate) fn looked_up(
    database: &Database,
    command: &Command,
    keys: &[&Bytes],
    error: &ReplyError,
) -> usize {
    let text = error.as_bytes();
    if text.starts_with(b"NOGROUP ") || *error == NO_SUCH_KEY {
        return keys.len();
    }
    if *error != WRONG_TYPE {
        return 0;
    }
    let fits = |kind: Kind| match command.group {
        Group::Set => kind == Kind::Set,
        Group::SortedSet => matches!(kind, Kind::SortedSet | Kind::Set),
        Group::Bitmap | Group::HyperLogLog => kind == Kind::String,
        Group::Stream => kind == Kind::Stream,
        _ => false,
    };
    let fails = |key: &&Bytes| database.kind(key).is_some_and(|kind| !fits(kind));
    keys.iter().position(fails).unwrap_or(0)
}

/// The keys among `args` that a command reads before it does anything else, if it looks for them at
/// all: those are the ones that can be missed.
pub(crate) fn keys_read<'a>(command: &Command, args: &'a [Bytes]) -> Vec<&'a Bytes> {
    let keys = || {
        let positions = command.key_positions(args).into_iter();
        positions.filter_map(|at| args.get(at))
    };
    let gets = |arg: &Bytes| arg.eq_ignore_ascii_case(b"GET");
    match command.name {
        "MEMORY USAGE" | "EVAL_RO" | "EVALSHA_RO" | "FCALL_RO" => Vec::new(),
        "GETEX" | "GETDEL" | "GETSET" | "PFMERGE" | "XREADGROUP" => keys().collect(),
        "SET" if args.iter().skip(3).any(gets) => keys().collect(),
        "COPY" | "GEORADIUS" | "GEORADIUSBYMEMBER" => keys().take(1).collect(),
        "BITOP" | "SDIFFSTORE" | "SINTERSTORE" | "SUNIONSTORE" | "ZDIFFSTORE" | "ZINTERSTORE"
        | "ZUNIONSTORE" | "ZRANGESTORE" | "GEOSEARCHSTORE" => keys().skip(1).collect(),
        _ if command.flags.contains(Flags::READONLY) => keys().collect(),
        _ => Vec::new(),
    }
}
