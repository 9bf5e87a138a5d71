//! What the mock has been used for, to be read and set: commands as a bill counts them, bytes,
//! storage, connections.

use std::collections::BTreeMap;

use redis_engine::Engine;
use serde::{Deserialize, Serialize};

use crate::limit::Limit;
use crate::plan::Plan;
use crate::server::MockUpstash;
use crate::shared::Shared;

/// What the mock has been used for, as Upstash counts. Months and days are those of the mock's clock,
/// in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// Everything that is billed: the next three together.
    pub billed: u64,
    /// Commands that clients sent, each member of a pipeline or transaction for itself.
    pub commands: u64,
    /// Commands that scripts and functions called.
    pub script_commands: u64,
    /// Writes once more for each read region.
    pub replicated_writes: u64,
    /// Commands that are not billed: AUTH, HELLO and their like.
    pub free_commands: u64,
    /// Of the billed commands, those that only read data.
    pub reads: u64,
    /// Of the billed commands, those that may write data.
    pub writes: u64,
    /// Billed commands by name, those of scripts included; what no command is called counts as
    /// `(unknown)`.
    pub by_command: BTreeMap<String, u64>,
    /// Billed since the month began.
    pub month_commands: u64,
    /// Billed since the day began.
    pub day_commands: u64,
    /// Bytes of arguments and replies since the month began.
    pub month_bandwidth: u64,
    /// Microseconds that scripts and functions ran.
    pub script_us: u64,
    /// Of a minute's time for scripts, the microseconds that are used.
    pub minute_script_us: u64,
    /// Bytes of arguments.
    pub bytes_in: u64,
    /// Bytes of replies.
    pub bytes_out: u64,
    /// Bytes of all keys and what they hold.
    pub storage: u64,
    /// Connections over TCP.
    pub connections: u64,
}

/// What counters are to be set to; those that are `None` stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsageChange {
    /// Billed since the month began.
    pub month_commands: Option<u64>,
    /// Billed since the day began.
    pub day_commands: Option<u64>,
    /// Bytes of arguments and replies since the month began.
    pub month_bandwidth: Option<u64>,
    /// Of a minute's time for scripts, the microseconds that are used.
    pub minute_script_us: Option<u64>,
    /// Bytes of all keys and what they hold: as if there were so many, at least those there are.
    pub storage: Option<u64>,
    /// Connections over TCP: as if there were so many, at least those there are.
    pub connections: Option<u64>,
}

impl Usage {
    fn of(engine: &mut Engine) -> Usage {
        let now_ms = engine.now_ms();
        engine.usage.roll(now_ms);
        engine.usage.roll_script_time(now_ms, &engine.limits);
        let storage = engine.data_bytes();
        let connections = connected(engine);
        let usage = &engine.usage;
        let by_command = usage.by_command.iter();
        Usage {
            billed: usage.billed(),
            commands: usage.commands,
            script_commands: usage.script_commands,
            replicated_writes: usage.replicated_writes,
            free_commands: usage.free_commands,
            reads: usage.reads,
            writes: usage.writes,
            by_command: by_command
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            month_commands: usage.month_commands,
            day_commands: usage.day_commands,
            month_bandwidth: usage.month_bandwidth,
            script_us: usage.script_us,
            minute_script_us: usage.minute_script_us,
            bytes_in: usage.bytes_in,
            bytes_out: usage.bytes_out,
            storage,
            connections: connections + usage.connections_beside,
        }
    }
}

impl UsageChange {
    fn apply(self, engine: &mut Engine) {
        let now_ms = engine.now_ms();
        engine.usage.roll(now_ms);
        engine.usage.roll_script_time(now_ms, &engine.limits);
        let stored = engine.data_bytes() - engine.usage.storage_beside;
        let connected = connected(engine);
        let usage = &mut engine.usage;
        let set = |counter: &mut u64, value: Option<u64>| {
            if let Some(value) = value {
                *counter = value;
            }
        };
        set(&mut usage.month_commands, self.month_commands);
        set(&mut usage.day_commands, self.day_commands);
        set(&mut usage.month_bandwidth, self.month_bandwidth);
        set(&mut usage.minute_script_us, self.minute_script_us);
        let beside =
            |value: Option<u64>, there: u64| value.map(|value| value.saturating_sub(there));
        set(&mut usage.storage_beside, beside(self.storage, stored));
        set(
            &mut usage.connections_beside,
            beside(self.connections, connected),
        );
    }
}

fn connected(engine: &Engine) -> u64 {
    let sessions = engine.sessions();
    sessions.iter().filter(|session| !session.rest).count() as u64
}

/// Every limit with its value, by name; `null` for none.
pub(crate) type LimitTable = BTreeMap<Limit, Option<u64>>;

impl Shared {
    /// What it has been used for.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(&mut self.engine.lock())
    }

    /// Sets counters.
    pub(crate) fn set_usage(&self, change: UsageChange) {
        change.apply(&mut self.engine.lock());
    }

    /// The limits that hold.
    pub(crate) fn limit_table(&self) -> LimitTable {
        let engine = self.engine.lock();
        let all = Limit::ALL.iter();
        all.map(|limit| (*limit, limit.of(&engine.limits)))
            .collect()
    }

    /// Sets limits.
    pub(crate) fn set_limits(&self, changes: impl IntoIterator<Item = (Limit, Option<u64>)>) {
        let mut engine = self.engine.lock();
        for (limit, value) in changes {
            limit.set(&mut engine.limits, value);
        }
        self.pace.note(&engine.limits);
    }

    /// Puts a plan's limits into the place of those that hold.
    pub(crate) fn set_plan(&self, plan: Plan) {
        let limits = plan.limits();
        let limits = limits.with_script_times_of(self.engine.lock().dialect);
        self.set_limits(Limit::ALL.iter().map(|limit| (*limit, limit.of(&limits))));
    }
}

impl MockUpstash {
    /// What it has been used for so far, or since [`MockUpstash::reset`].
    pub fn usage(&self) -> Usage {
        self.shared.usage()
    }

    /// Sets counters, to come to a limit without the way there.
    pub fn set_usage(&self, change: UsageChange) {
        self.shared.set_usage(change);
    }

    /// Puts a plan's limits into the place of those that hold.
    pub fn set_plan(&self, plan: Plan) {
        self.shared.set_plan(plan);
    }

    /// Sets one limit; `None` lifts it.
    pub fn set_limit(&self, limit: Limit, value: Option<u64>) {
        self.shared.set_limits([(limit, value)]);
    }

    /// What a limit is set to; `None` for no limit.
    pub fn limit(&self, limit: Limit) -> Option<u64> {
        limit.of(&self.shared.engine.lock().limits)
    }
}
