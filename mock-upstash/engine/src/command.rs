//! The command table: what every command is, in one row each.
//!
//! Everything that asks "what is this command" reads its row: arity errors, ACL, read-only tokens,
//! REST refusals, `COMMAND`, the page of supported commands.

use std::collections::HashMap;
use std::sync::LazyLock;

use bitflags::bitflags;
use bytes::Bytes;

use crate::call::Call;
use crate::commands;
use crate::reply::Outcome;

/// Carries out one command.
pub type Handler = fn(&mut Call<'_>) -> Outcome;

bitflags! {
    /// What a command does to the server, as `COMMAND INFO` names it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Flags: u32 {
        /// May change data.
        const WRITE = 1;
        /// Reads data and never changes it.
        const READONLY = 1 << 1;
        /// Refused when memory is full.
        const DENYOOM = 1 << 2;
        /// For administrators.
        const ADMIN = 1 << 3;
        /// Concerns pub/sub.
        const PUBSUB = 1 << 4;
        /// Not allowed in scripts.
        const NOSCRIPT = 1 << 5;
        /// May block its client.
        const BLOCKING = 1 << 6;
        /// Allowed while the server loads its data.
        const LOADING = 1 << 7;
        /// Allowed on a stale replica.
        const STALE = 1 << 8;
        /// Not shown by MONITOR.
        const SKIP_MONITOR = 1 << 9;
        /// Not recorded in the slow log.
        const SKIP_SLOWLOG = 1 << 10;
        /// Accepted by a cluster node that imports the slot.
        const ASKING = 1 << 11;
        /// Takes constant or logarithmic time.
        const FAST = 1 << 12;
        /// Allowed without authentication.
        const NO_AUTH = 1 << 13;
        /// May be sent to replicas although it is not a write (PUBLISH, scripts).
        const MAY_REPLICATE = 1 << 14;
        /// Not allowed between MULTI and EXEC.
        const NO_MULTI = 1 << 15;
        /// Its keys depend on its arguments.
        const MOVABLEKEYS = 1 << 16;
        /// Its keys need not be given.
        const NO_MANDATORY_KEYS = 1 << 17;
        /// May be run by a transaction that is refused writes.
        const ALLOW_BUSY = 1 << 18;
        /// Not run asynchronously while loading.
        const NO_ASYNC_LOADING = 1 << 19;
        /// Touches no data that is protected by sentinel mode.
        const SENTINEL = 1 << 20;
    }
}

bitflags! {
    /// ACL categories, `@read` and so on.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Categories: u32 {
        /// `@keyspace`
        const KEYSPACE = 1;
        /// `@read`
        const READ = 1 << 1;
        /// `@write`
        const WRITE = 1 << 2;
        /// `@set`
        const SET = 1 << 3;
        /// `@sortedset`
        const SORTEDSET = 1 << 4;
        /// `@list`
        const LIST = 1 << 5;
        /// `@hash`
        const HASH = 1 << 6;
        /// `@string`
        const STRING = 1 << 7;
        /// `@bitmap`
        const BITMAP = 1 << 8;
        /// `@hyperloglog`
        const HYPERLOGLOG = 1 << 9;
        /// `@geo`
        const GEO = 1 << 10;
        /// `@stream`
        const STREAM = 1 << 11;
        /// `@pubsub`
        const PUBSUB = 1 << 12;
        /// `@admin`
        const ADMIN = 1 << 13;
        /// `@fast`
        const FAST = 1 << 14;
        /// `@slow`
        const SLOW = 1 << 15;
        /// `@blocking`
        const BLOCKING = 1 << 16;
        /// `@dangerous`
        const DANGEROUS = 1 << 17;
        /// `@connection`
        const CONNECTION = 1 << 18;
        /// `@transaction`
        const TRANSACTION = 1 << 19;
        /// `@scripting`
        const SCRIPTING = 1 << 20;
        /// `@json`
        const JSON = 1 << 21;
        /// `@search`
        const SEARCH = 1 << 22;
    }
}

/// A command's group, as Upstash's documentation sorts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Group {
    Bitmap,
    Connection,
    Function,
    Generic,
    Geo,
    Hash,
    HyperLogLog,
    Json,
    List,
    PubSub,
    Scripting,
    Server,
    Set,
    SortedSet,
    Stream,
    String,
    Transaction,
}

impl Group {
    /// The ACL category that every command of the group belongs to.
    const fn category(self) -> Categories {
        match self {
            Group::Bitmap => Categories::BITMAP,
            Group::Connection => Categories::CONNECTION,
            Group::Function | Group::Scripting => Categories::SCRIPTING,
            Group::Generic => Categories::KEYSPACE,
            Group::Geo => Categories::GEO,
            Group::Hash => Categories::HASH,
            Group::HyperLogLog => Categories::HYPERLOGLOG,
            Group::Json => Categories::JSON,
            Group::List => Categories::LIST,
            Group::PubSub => Categories::PUBSUB,
            Group::Server => Categories::empty(),
            Group::Set => Categories::SET,
            Group::SortedSet => Categories::SORTEDSET,
            Group::Stream => Categories::STREAM,
            Group::String => Categories::STRING,
            Group::Transaction => Categories::TRANSACTION,
        }
    }
}

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
    Custom(fn(&[Bytes]) -> Vec<usize>),
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

    /// Sets a function that finds the keys.
    #[must_use]
    pub const fn custom_keys(mut self, find: fn(&[Bytes]) -> Vec<usize>) -> Command {
        self.keys = Keys::Custom(find);
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

    /// All its ACL categories: those that its flags and its group imply, and the extra ones.
    pub fn all_categories(&self) -> Categories {
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
            Keys::Custom(find) => find(args),
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
