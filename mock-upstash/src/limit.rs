//! Single limits: their names, the values they may be set to, and what a mock starts with.

use std::str::FromStr;

use hyper::StatusCode;
use redis_engine::limit::{Choices, SCRIPT_MS, SCRIPT_MS_PER_MINUTE};
use redis_engine::{Dialect, Limits, Reply, ReplyError};
use serde::{Deserialize, Serialize};

use crate::assumption::{Assumption, Assumptions};
use crate::plan::Plan;
use crate::server::Builder;

/// Something that a plan limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Bytes of a key's name.
    MaxKeySize,
    /// Bytes of one command's arguments.
    MaxRequestSize,
    /// Bytes of one command's reply.
    MaxReplySize,
    /// Bytes that one key holds.
    MaxRecordSize,
    /// Bytes that all keys hold.
    MaxStorage,
    /// Billable commands in a month.
    MonthlyCommands,
    /// Billable commands in a day.
    DailyCommands,
    /// Bytes in and out in a month; beyond, commands are slowed down.
    MonthlyBandwidth,
    /// Commands in a second; beyond, they wait.
    CommandsPerSecond,
    /// Connections over TCP.
    MaxConnections,
    /// Pending entries of a stream's consumer.
    PendingEntries,
    /// Milliseconds that one script may run.
    ScriptMs,
    /// Milliseconds that all scripts together may run in a minute.
    ScriptMsPerMinute,
}

impl Limit {
    /// Every limit.
    pub const ALL: &[Limit] = &[
        Limit::MaxKeySize,
        Limit::MaxRequestSize,
        Limit::MaxReplySize,
        Limit::MaxRecordSize,
        Limit::MaxStorage,
        Limit::MonthlyCommands,
        Limit::DailyCommands,
        Limit::MonthlyBandwidth,
        Limit::CommandsPerSecond,
        Limit::MaxConnections,
        Limit::PendingEntries,
        Limit::ScriptMs,
        Limit::ScriptMsPerMinute,
    ];

    /// The name by which it is set: `--limit max-key-size=1KB`.
    pub fn id(self) -> &'static str {
        match self {
            Limit::MaxKeySize => "max-key-size",
            Limit::MaxRequestSize => "max-request-size",
            Limit::MaxReplySize => "max-reply-size",
            Limit::MaxRecordSize => "max-record-size",
            Limit::MaxStorage => "max-storage",
            Limit::MonthlyCommands => "monthly-commands",
            Limit::DailyCommands => "daily-commands",
            Limit::MonthlyBandwidth => "monthly-bandwidth",
            Limit::CommandsPerSecond => "commands-per-second",
            Limit::MaxConnections => "max-connections",
            Limit::PendingEntries => "pending-entries",
            Limit::ScriptMs => "script-ms",
            Limit::ScriptMsPerMinute => "script-ms-per-minute",
        }
    }

    /// What it is set to; `None` for no limit.
    pub fn of(self, limits: &Limits) -> Option<u64> {
        match self {
            Limit::MaxKeySize => limits.key_bytes,
            Limit::MaxRequestSize => limits.request_bytes,
            Limit::MaxReplySize => limits.reply_bytes,
            Limit::MaxRecordSize => limits.record_bytes,
            Limit::MaxStorage => limits.storage_bytes,
            Limit::MonthlyCommands => limits.monthly_commands,
            Limit::DailyCommands => limits.daily_commands,
            Limit::MonthlyBandwidth => limits.monthly_bandwidth,
            Limit::CommandsPerSecond => limits.commands_per_second,
            Limit::MaxConnections => limits.connections,
            Limit::PendingEntries => {
                Some(limits.pending_entries).filter(|entries| *entries != u64::MAX)
            }
            Limit::ScriptMs => limits.script_ms,
            Limit::ScriptMsPerMinute => limits.script_ms_per_minute,
        }
    }

    pub(crate) fn set(self, limits: &mut Limits, value: Option<u64>) {
        match self {
            Limit::MaxKeySize => limits.key_bytes = value,
            Limit::MaxRequestSize => limits.request_bytes = value,
            Limit::MaxReplySize => limits.reply_bytes = value,
            Limit::MaxRecordSize => limits.record_bytes = value,
            Limit::MaxStorage => limits.storage_bytes = value,
            Limit::MonthlyCommands => limits.monthly_commands = value,
            Limit::DailyCommands => limits.daily_commands = value,
            Limit::MonthlyBandwidth => limits.monthly_bandwidth = value,
            Limit::CommandsPerSecond => limits.commands_per_second = value,
            Limit::MaxConnections => limits.connections = value,
            Limit::PendingEntries => limits.pending_entries = value.unwrap_or(u64::MAX),
            Limit::ScriptMs => limits.script_ms = value,
            Limit::ScriptMsPerMinute => limits.script_ms_per_minute = value,
        }
    }

    /// What answers a command that meets this limit, for a fault that feigns it; `None` for the
    /// limits that make commands wait.
    pub(crate) fn error(self, limits: &Limits) -> Option<ReplyError> {
        // A limit that is not set shows the free plan's figure, or that of older free databases; of
        // scripts' times, the sample values.
        let value = self.of(limits).or_else(|| self.of(&Plan::Free.limits()));
        let limit = value.unwrap_or(match self {
            Limit::ScriptMs => SCRIPT_MS,
            Limit::ScriptMsPerMinute => SCRIPT_MS_PER_MINUTE,
            _ => 10_000,
        });
        let beyond = limit.saturating_add(1);
        Some(match self {
            Limit::MaxKeySize => Limits::refuse_key_of(limit, beyond),
            Limit::MaxRequestSize | Limit::MaxReplySize => Limits::too_large(limit, beyond),
            Limit::MaxRecordSize => Limits::refuse_record(limit, beyond),
            Limit::MaxStorage => Limits::refuse_storage(limit, beyond),
            Limit::MonthlyCommands => Limits::month_used_up(limit, limit),
            Limit::DailyCommands => Limits::day_used_up(limit, beyond),
            Limit::MaxConnections => TOO_MANY_CONNECTIONS,
            Limit::PendingEntries => ReplyError::new(format!(
                "ERR XReadGroup is cancelled. Pending Entries List limit per consumer is about to be reached. Limit: {limit}, Current PEL size: {limit}, Requested Read: 1, Key: , Group: , Consumer: ."
            )),
            Limit::ScriptMs => ReplyError::new(format!("ERR {}", Limits::script_ended(limit))),
            Limit::ScriptMsPerMinute if limits.choices.script_time_waits => return None,
            Limit::ScriptMsPerMinute => Limits::script_time_used_up(limit, limit),
            Limit::MonthlyBandwidth | Limit::CommandsPerSecond => return None,
        })
    }

    /// The HTTP status of an answer that meets this limit.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Limit::MaxRequestSize => StatusCode::PAYLOAD_TOO_LARGE,
            Limit::MaxReplySize => StatusCode::OK,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// What a client is told that comes when there are as many as there may be (Upstash docs,
/// troubleshooting/max_concurrent_connections).
pub(crate) const TOO_MANY_CONNECTIONS: ReplyError =
    ReplyError::fixed("ERR max concurrent connections exceeded");

/// The HTTP status of an error about sizes, where it is not that of other errors: 413 when the request
/// is too large, 200 when the reply is. The texts are the same (measured by users, 2026).
pub(crate) fn status(
    limits: &Limits,
    command: &[bytes::Bytes],
    reply: &Reply,
) -> Option<StatusCode> {
    match reply {
        Reply::Error(error)
            if error
                .as_bytes()
                .starts_with(b"ERR max request size exceeded") =>
        {
            Some(if limits.refuse_request(command).is_some() {
                Limit::MaxRequestSize.status()
            } else {
                Limit::MaxReplySize.status()
            })
        }
        _ => None,
    }
}

/// One limit set to a value: `max-request-size=1MB`, `monthly-commands=1000`, `max-storage=none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSetting {
    /// Which.
    pub limit: Limit,
    /// To what; `None` for no limit.
    pub value: Option<u64>,
}

impl FromStr for LimitSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<LimitSetting, String> {
        let (id, value) = text.split_once('=').ok_or("write LIMIT=VALUE")?;
        let limit = Limit::ALL.iter().find(|limit| limit.id() == id);
        let limit = *limit.ok_or_else(|| {
            let all: Vec<&str> = Limit::ALL.iter().map(|limit| limit.id()).collect();
            format!("no limit is called '{id}'; there are {}", all.join(", "))
        })?;
        let value = match value {
            "none" => None,
            value => Some(amount(value).ok_or_else(|| {
                format!("'{value}' is no amount; write a number, with KB, MB or GB behind it for bytes, or none")
            })?),
        };
        Ok(LimitSetting { limit, value })
    }
}

/// `1000`, `32KB`, `10MB`.
fn amount(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// What a mock is allowed from the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowance {
    plan: Option<Plan>,
    settings: Vec<LimitSetting>,
    read_regions: u64,
    evicts: bool,
}

impl Allowance {
    /// The limits to start with. Without a plan of one's own they are those of pay as you go, but
    /// nobody is slowed down; as stock Redis there are none.
    pub(crate) fn limits(&self, dialect: Dialect, assumptions: Assumptions) -> Limits {
        let limits = match self.plan {
            Some(plan) => plan.limits(),
            None if dialect.is_upstash() => Limits {
                commands_per_second: None,
                ..Plan::Payg.limits()
            },
            None => Plan::Unlimited.limits(),
        };
        let mut limits = limits.with_script_times_of(dialect);
        for setting in &self.settings {
            setting.limit.set(&mut limits, setting.value);
        }
        limits.evicts = self.evicts;
        limits.choices = choices(assumptions);
        limits
    }

    pub(crate) fn read_regions(&self) -> u64 {
        self.read_regions
    }
}

/// What is assumed of limits and billing.
fn choices(assumptions: Assumptions) -> Choices {
    Choices {
        wire_sizes: assumptions.has(Assumption::WireSizes),
        full_refuses_writes: assumptions.has(Assumption::FullRefusesWrites),
        script_calls_limited: assumptions.has(Assumption::ScriptCallsLimited),
        connection_billed: assumptions.has(Assumption::ConnectionBilled),
        monitoring_free: assumptions.has(Assumption::MonitoringFree),
        refused_free: assumptions.has(Assumption::RefusedFree),
        transaction_frame_free: assumptions.has(Assumption::TransactionFrameFree),
        claims_limited: assumptions.has(Assumption::ClaimsLimited),
        script_time_flows_back: assumptions.has(Assumption::ScriptTimeFlowsBack),
        script_time_waits: assumptions.has(Assumption::ScriptTimeWaits),
    }
}

impl Builder {
    /// The plan whose limits hold. Without it they are those of pay as you go, except that nobody is
    /// slowed down; with [`redis_engine::Dialect::REDIS`] there are none.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.allowance.plan = Some(plan);
        self
    }

    /// Sets one limit in the plan's place; `None` lifts it.
    #[must_use]
    pub fn limit(mut self, limit: Limit, value: Option<u64>) -> Self {
        self.allowance.settings.push(LimitSetting { limit, value });
        self
    }

    /// Whether keys make room for others when storage is full, those that expire first, as with
    /// eviction switched on in Upstash's console; by default writes are refused then.
    #[must_use]
    pub fn eviction(mut self, on: bool) -> Self {
        self.allowance.evicts = on;
        self
    }

    /// How many read regions the database has: each write is billed once more for each.
    #[must_use]
    pub fn read_regions(mut self, regions: u64) -> Self {
        self.allowance.read_regions = regions;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_by_name() {
        let setting = |text: &str| text.parse::<LimitSetting>();
        let value = |text: &str| setting(text).map(|setting| setting.value);
        assert_eq!(value("max-request-size=1MB"), Ok(Some(1_048_576)));
        assert_eq!(value("monthly-commands=1000"), Ok(Some(1000)));
        assert_eq!(value("max-storage=none"), Ok(None));
        for mistake in [
            "max-size=1",
            "max-storage",
            "max-storage=1XB",
            "max-storage=-1",
        ] {
            assert!(setting(mistake).is_err(), "{mistake}");
        }
        let mut limits = Plan::Free.limits();
        for limit in Limit::ALL {
            limit.set(&mut limits, Some(7));
            assert_eq!(limit.of(&limits), Some(7), "{}", limit.id());
            limit.set(&mut limits, None);
            assert_eq!(limit.of(&limits), None, "{}", limit.id());
        }
    }
}
