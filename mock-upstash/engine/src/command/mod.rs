//! The command table: what every command is, in one row each.
//!
//! Everything that asks "what is this command" reads its row: arity errors, ACL, read-only tokens,
//! REST refusals, `COMMAND`, the page of supported commands.

mod flag;
mod group;

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::Bytes;

use crate::call::Call;
use crate::commands;
use crate::reply::Outcome;

pub use flag::{Categories, Flags};
pub use group::Group;

/// Carries out one command.
pub type Handler = fn(&mut Call<'_>) -> Outcome;

/// How Upstash offers a command over REST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// As any other command.
    Yes,
    /// Over TCP alone.
    No,
    /// As a stream of server-sent events under a path of its own.
    Stream,
    /// Through `/multi-exec`.
    MultiExec,
}

/// Where a command's keys stand among its arguments (index 0 is the command's name).
#[derive(Clone, Copy)]
pub enum Keys {
    /// It has none.
    None,
    /// From `first` to `last` (negative: from the end) in steps of `step`.
    Range {
        /// Index of the first key.
        first: i16,
        /// Index of the last key; -1 is the last argument.
        last: i16,
        /// Distance between keys.
        step: i16,
    },
    /// The number of keys stands at `count`; the keys begin right behind it. `fixed` is the index of
    /// a further key, a destination, or 0.
    Counted {
        /// Index of the number of keys.
        count: i16,
        /// Index of the destination key, 0 when there is none.
        fixed: i16,
    },
    /// Found by a function, for commands with a grammar of their own.
    Custom {
        /// Index of the key that is always there, 0 when there is none.
        fixed: i16,
        /// Finds the indexes of all keys.
        find: fn(&[Bytes]) -> Vec<usize>,
    },
}

/// A row of the command table.
pub struct Command {
    /// Upper-case name; a subcommand's with its container, `XGROUP CREATE`.
    pub name: &'static str,
    /// Number of arguments, the name included; negative is "at least".
    pub arity: i16,
    /// What it does to the server.
    pub flags: Flags,
    /// Where its keys are.
    pub keys: Keys,
    /// ACL categories beyond those that flags and group imply.
    pub extra: Categories,
    /// ACL categories that its flags or group imply and that it is not in.
    pub without: Categories,
    /// Redis version that introduced it (`RedisJSON` and `Upstash` for what is not of Redis's core).
    pub since: &'static str,
    /// Its group.
    pub group: Group,
    /// How Upstash offers it over REST.
    pub rest: Rest,
    /// Whether Upstash offers it at all.
    pub upstash: bool,
    /// Whether stock Redis offers it at all.
    pub redis: bool,
    /// Whether Upstash's read-only token may use it.
    pub read_only_token: bool,
    /// Subcommands; a container has no handler of its own that a client could reach without one.
    pub subcommands: &'static [Command],
    /// Carries it out.
    pub handler: Handler,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Command({})", self.name)
    }
}

impl Command {
    /// A row with the usual: available over TCP and REST, no keys, no flags.
    pub const fn new(group: Group, name: &'static str, arity: i16, handler: Handler) -> Command {
        Command {
            name,
            arity,
            flags: Flags::empty(),
            keys: Keys::None,
            extra: Categories::empty(),
            without: Categories::empty(),
            since: "1.0.0",
            group,
            rest: Rest::Yes,
            upstash: true,
            redis: true,
            read_only_token: false,
            subcommands: &[],
            handler,
        }
    }

    /// A container of subcommands such as XGROUP.
    pub const fn container(
        group: Group,
        name: &'static str,
        arity: i16,
        subcommands: &'static [Command],
    ) -> Command {
        let mut command = Command::new(group, name, arity, commands::container);
        command.subcommands = subcommands;
        command
    }

    /// Sets flags. A read-only command is open to the read-only token.
    #[must_use]
    pub const fn flags(mut self, flags: &[Flags]) -> Command {
        let mut i = 0;
        while i < flags.len() {
            self.flags = self.flags.union(flags[i]);
            i += 1;
        }
        self.read_only_token = self.flags.contains(Flags::READONLY);
        self
    }

    /// Sets a range of keys.
    #[must_use]
    pub const fn keys(mut self, first: i16, last: i16, step: i16) -> Command {
        self.keys = Keys::Range { first, last, step };
        self
    }

    /// Sets keys that a number introduces; `fixed` is the index of a destination, or 0.
    #[must_use]
    pub const fn counted_keys(mut self, count: i16, fixed: i16) -> Command {
        self.keys = Keys::Counted { count, fixed };
        self.flags = self.flags.union(Flags::MOVABLEKEYS);
        self
    }

    /// Sets a function that finds the keys; `fixed` is the index of one that is always there, or 0.
    #[must_use]
    pub const fn custom_keys(mut self, fixed: i16, find: fn(&[Bytes]) -> Vec<usize>) -> Command {
        self.keys = Keys::Custom { fixed, find };
        self.flags = self.flags.union(Flags::MOVABLEKEYS);
        self
    }

    /// Adds ACL categories.
    #[must_use]
    pub const fn categories(mut self, categories: &[Categories]) -> Command {
        let mut i = 0;
        while i < categories.len() {
            self.extra = self.extra.union(categories[i]);
            i += 1;
        }
        self
    }

    /// Takes away ACL categories that its flags or its group imply.
    #[must_use]
    pub const fn without(mut self, categories: Categories) -> Command {
        self.without = categories;
        self
    }

    /// Sets the version that introduced it.
    #[must_use]
    pub const fn since(mut self, since: &'static str) -> Command {
        self.since = since;
        self
    }

    /// Upstash offers it over TCP alone.
    #[must_use]
    pub const fn tcp_only(mut self) -> Command {
        self.rest = Rest::No;
        self
    }

    /// How Upstash offers it over REST.
    #[must_use]
    pub const fn rest(mut self, rest: Rest) -> Command {
        self.rest = rest;
        self
    }

    /// The read-only token may, or may not, use it, whatever its flags say.
    #[must_use]
    pub const fn read_only_token(mut self, allowed: bool) -> Command {
        self.read_only_token = allowed;
        self
    }

    /// Upstash alone has it.
    #[must_use]
    pub const fn upstash_only(mut self) -> Command {
        self.redis = false;
        self
    }

    /// Stock Redis alone has it.
    #[must_use]
    pub const fn redis_only(mut self) -> Command {
        self.upstash = false;
        self
    }

    /// All its ACL categories: those that its flags and its group imply, and the extra ones. A
    /// container's say nothing of its subcommands'.
    pub fn all_categories(&self) -> Categories {
        if !self.subcommands.is_empty() {
            return Categories::SLOW;
        }
        let mut all = self.extra | self.group.category();
        let implied = [
            (Flags::WRITE, Categories::WRITE),
            (Flags::READONLY, Categories::READ),
            (Flags::ADMIN, Categories::ADMIN | Categories::DANGEROUS),
            (Flags::PUBSUB, Categories::PUBSUB),
            (Flags::BLOCKING, Categories::BLOCKING),
        ];
        for (flag, category) in implied {
            if self.flags.contains(flag) {
                all |= category;
            }
        }
        // Redis leaves @read off scripting commands although some carry the flag.
        if all.contains(Categories::SCRIPTING) {
            all -= Categories::READ;
        }
        all |= if self.flags.contains(Flags::FAST) {
            Categories::FAST
        } else {
            Categories::SLOW
        };
        all - self.without
    }

    /// Whether `count` arguments, the name included, are as many as it takes.
    pub fn accepts(&self, count: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity >= 0 {
            count == wanted
        } else {
            count >= wanted
        }
    }

    /// Name as error texts and ACL rules write it: `get`, `xgroup|create`.
    pub fn full_name(&self) -> String {
        self.name.to_ascii_lowercase().replace(' ', "|")
    }

    /// First key, last key and step as `COMMAND INFO` shows them: zeros for keys that are found
    /// otherwise.
    pub fn key_range(&self) -> [i16; 3] {
        match self.keys {
            Keys::Range { first, last, step } => [first, last, step],
            Keys::Counted { fixed, .. } | Keys::Custom { fixed, .. } if fixed > 0 => {
                [fixed, fixed, 1]
            }
            Keys::None | Keys::Counted { .. } | Keys::Custom { .. } => [0; 3],
        }
    }

    /// The index of the key of a command that has exactly one, at a place of its own.
    pub(crate) fn single_key(&self) -> Option<usize> {
        match self.keys {
            Keys::Range { first, last, .. } if first == last => usize::try_from(first).ok(),
            _ => None,
        }
    }

    /// Indexes of the keys among `args`. A malformed command yields those that can be found.
    pub fn key_positions(&self, args: &[Bytes]) -> Vec<usize> {
        match self.keys {
            Keys::None => Vec::new(),
            Keys::Range { first, last, step } => {
                let first = first.unsigned_abs() as usize;
                let last = if last < 0 {
                    args.len().checked_sub(last.unsigned_abs() as usize)
                } else {
                    Some(last as usize)
                };
                match last {
                    Some(last) if first < args.len() => (first..=last.min(args.len() - 1))
                        .step_by(step.max(1) as usize)
                        .collect(),
                    _ => Vec::new(),
                }
            }
            Keys::Counted { count, fixed } => {
                let mut found = Vec::new();
                let at = count as usize;
                if fixed > 0 && (fixed as usize) < args.len() {
                    found.push(fixed as usize);
                }
                let number = args
                    .get(at)
                    .and_then(|n| std::str::from_utf8(n).ok())
                    .and_then(|n| n.parse::<usize>().ok())
                    .unwrap_or(0);
                found.extend((at + 1..args.len()).take(number));
                found
            }
            Keys::Custom { find, .. } => find(args),
        }
    }
}

/// Longest name in the table, with room to spare: longer words are no command.
const LONGEST_NAME: usize = 32;

static TABLE: LazyLock<HashMap<&'static [u8], &'static Command, foldhash::fast::FixedState>> =
    LazyLock::new(|| {
        commands::GROUPS
            .iter()
            .flat_map(|group| group.iter())
            .map(|command| (command.name.as_bytes(), command))
            .collect()
    });

/// The row of a top-level command, by its name in any case.
pub fn find(name: &[u8]) -> Option<&'static Command> {
    let mut upper = [0u8; LONGEST_NAME];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    TABLE.get(&*upper).copied()
}

/// Every top-level row.
pub fn all() -> impl Iterator<Item = &'static Command> {
    commands::GROUPS.iter().flat_map(|group| group.iter())
}

impl Command {
    /// The subcommand row with a name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Command> {
        self.subcommands.iter().find(|row| {
            row.name.len() == self.name.len() + 1 + name.len()
                && row.name.as_bytes()[self.name.len() + 1..].eq_ignore_ascii_case(name)
        })
    }
}
