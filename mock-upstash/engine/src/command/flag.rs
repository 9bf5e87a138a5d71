//! What a command does to the server, and the ACL categories it is in.

use bitflags::bitflags;

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
        /// Reaches replicas although it is no write (PUBLISH). `COMMAND INFO` does not show it.
        const MAY_REPLICATE = 1 << 14;
        /// Not allowed between MULTI and EXEC.
        const NO_MULTI = 1 << 15;
        /// Its keys depend on its arguments.
        const MOVABLEKEYS = 1 << 16;
        /// Its keys need not be given.
        const NO_MANDATORY_KEYS = 1 << 17;
        /// Allowed while a script has run for too long.
        const ALLOW_BUSY = 1 << 18;
        /// Not allowed while the server loads data beside the data it has.
        const NO_ASYNC_LOADING = 1 << 19;
        /// Runs a script or a function.
        const SCRIPT_RUNNER = 1 << 20;
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

impl Flags {
    /// The names that `COMMAND INFO` shows, `skip_slowlog`.
    pub fn shown(self) -> impl Iterator<Item = String> {
        (self - Flags::MAY_REPLICATE)
            .iter_names()
            .map(|(name, _)| name.to_ascii_lowercase())
    }
}

impl Categories {
    /// The names that `COMMAND INFO` shows, `@sortedset`.
    pub fn shown(self) -> impl Iterator<Item = String> {
        self.iter_names()
            .map(|(name, _)| format!("@{}", name.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_spelt_as_redis_spells_them() {
        let names: Vec<String> = Flags::all().shown().collect();
        assert!(names.contains(&"skip_slowlog".to_owned()), "{names:?}");
        assert!(names.contains(&"movablekeys".to_owned()), "{names:?}");
    }
}
