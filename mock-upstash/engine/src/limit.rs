//! How large and how many: what a plan of Upstash's allows, and the errors beyond.
//!
//! An engine comes without limits; whoever embeds it sets those of a plan. They hold for each command
//! on its own, in each direction, and never for a pipeline as a whole (measured by users, 2026).

use bytes::Bytes;

use crate::command::{Command, Flags, Group};
use crate::dialect::{Dialect, Quirk};
use crate::error::ReplyError;
use crate::number;
use crate::reply::Reply;

/// Entries that a consumer may have pending (Upstash docs, troubleshooting/stream_pel_limit).
pub const PENDING_ENTRIES: u64 = 1000;

/// Milliseconds that a script may run (Upstash Developer API, the sample value of `db_lua_timeout`).
pub const SCRIPT_MS: u64 = 250;

/// Milliseconds that scripts may run in a minute (Upstash Developer API, the sample value of
/// `db_lua_credits_per_min`).
pub const SCRIPT_MS_PER_MINUTE: u64 = 10_000;

/// What a database is allowed; `None` is without limit. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A key's name (Upstash docs, troubleshooting/max_key_size_exceeded).
    pub key_bytes: Option<u64>,
    /// The arguments of one command (Upstash docs, troubleshooting/max_request_size_exceeded).
    pub request_bytes: Option<u64>,
    /// The reply of one command.
    pub reply_bytes: Option<u64>,
    /// What one key holds (Upstash docs, troubleshooting/max_record_size_exceeded).
    pub record_bytes: Option<u64>,
    /// All keys with what they hold (Upstash docs, troubleshooting/db_capacity_quota_exceeded).
    pub storage_bytes: Option<u64>,
    /// Whether keys make room for others when storage is full, in place of writes being refused
    /// (Upstash docs, features/eviction: off unless switched on).
    pub evicts: bool,
    /// Billable commands of a calendar month (Upstash docs, troubleshooting/max_requests_limit).
    pub monthly_commands: Option<u64>,
    /// Billable commands of a day, as the free plan had until 2025 (Upstash docs,
    /// troubleshooting/max_daily_request_limit).
    pub daily_commands: Option<u64>,
    /// Bytes in and out in a calendar month; beyond, the front slows down.
    pub monthly_bandwidth: Option<u64>,
    /// Commands in a second; beyond, the front makes commands wait.
    pub commands_per_second: Option<u64>,
    /// Connections over TCP; the front turns away more.
    pub connections: Option<u64>,
    /// Pending entries of a consumer, where the quirk that limits them is on.
    pub pending_entries: u64,
    /// Milliseconds that one script may run; beyond, it is ended.
    pub script_ms: Option<u64>,
    /// Milliseconds that all scripts together may run in a minute; beyond, none is begun.
    pub script_ms_per_minute: Option<u64>,
    /// What nobody knows of them, and is chosen.
    pub choices: Choices,
}

/// What no source tells of limits and billing; each is off in the likelier way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choices {
    /// Sizes of requests and replies are those of RESP, not of the arguments alone.
    pub wire_sizes: bool,
    /// When storage is full, every write but DEL, UNLINK, FLUSHDB and FLUSHALL is refused, not only
    /// what may need more.
    pub full_refuses_writes: bool,
    /// What scripts call is held to the sizes of requests and replies too.
    pub script_calls_limited: bool,
    /// AUTH, HELLO, QUIT, RESET and CLIENT are billed, and refused over a quota.
    pub connection_billed: bool,
    /// PING, ECHO, SELECT, INFO, COMMAND and CONFIG are not billed.
    pub monitoring_free: bool,
    /// Commands that are refused before they are carried out are not billed.
    pub refused_free: bool,
    /// MULTI, EXEC and DISCARD are not billed.
    pub transaction_frame_free: bool,
    /// XCLAIM and XAUTOCLAIM are held to the limit of pending entries, as XREADGROUP is.
    pub claims_limited: bool,
    /// Time that scripts have used comes back evenly, and not all at the turn of a minute.
    pub script_time_flows_back: bool,
    /// Scripts that come when there is no time left for them wait for it, in place of being refused; the
    /// front lets them.
    pub script_time_waits: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            key_bytes: None,
            request_bytes: None,
            reply_bytes: None,
            record_bytes: None,
            storage_bytes: None,
            evicts: false,
            monthly_commands: None,
            daily_commands: None,
            monthly_bandwidth: None,
            commands_per_second: None,
            connections: None,
            pending_entries: PENDING_ENTRIES,
            script_ms: None,
            script_ms_per_minute: None,
            choices: Choices::default(),
        }
    }
}

impl Limits {
    /// These limits, and the times of scripts that a dialect has beside them: no plan promises any, so
    /// [`Quirk::ScriptTimeLimit`] decides whether the sample values hold.
    #[must_use]
    pub fn with_script_times_of(self, dialect: Dialect) -> Limits {
        if !dialect.has(Quirk::ScriptTimeLimit) {
            return self;
        }
        Limits {
            script_ms: Some(SCRIPT_MS),
            script_ms_per_minute: Some(SCRIPT_MS_PER_MINUTE),
            ..self
        }
    }

    /// The size of a command's arguments.
    pub fn request_size(&self, args: &[Bytes]) -> u64 {
        let size = |arg: &Bytes| self.text_size(arg.len());
        let payload: u64 = args.iter().map(size).sum();
        payload + self.header_size(args.len())
    }

    /// The size of a reply.
    pub fn reply_size(&self, reply: &Reply) -> u64 {
        let all = |replies: &[Reply]| -> u64 {
            let inner: u64 = replies.iter().map(|reply| self.reply_size(reply)).sum();
            inner + self.header_size(replies.len())
        };
        let line = |length: usize| length as u64 + if self.choices.wire_sizes { 3 } else { 0 };
        match reply {
            Reply::None => 0,
            Reply::Nil | Reply::NilArray => line(if self.choices.wire_sizes { 2 } else { 0 }),
            Reply::Status(text) => line(text.len()),
            Reply::Error(error) => line(error.as_bytes().len()),
            Reply::Integer(n) => line(digits(*n)),
            Reply::Boolean(_) => line(1),
            Reply::Bulk(text) | Reply::BigNumber(text) | Reply::Verbatim(_, text) => {
                self.text_size(text.len())
            }
            Reply::Double(n) => self.text_size(number::format_double(*n).len()),
            Reply::Array(parts) | Reply::Set(parts) | Reply::Push(parts) => all(parts),
            Reply::Map(pairs) => {
                let inner = pairs
                    .iter()
                    .map(|(key, value)| self.reply_size(key) + self.reply_size(value));
                inner.sum::<u64>() + self.header_size(pairs.len() * 2)
            }
        }
    }

    /// What answers a command whose arguments are too large.
    pub fn refuse_request(&self, args: &[Bytes]) -> Option<ReplyError> {
        let limit = self.request_bytes?;
        let actual = self.request_size(args);
        (actual > limit).then(|| Limits::too_large(limit, actual))
    }

    /// What is answered in place of a reply of this size.
    pub fn refuse_reply(&self, actual: u64) -> Option<ReplyError> {
        let limit = self.reply_bytes?;
        (actual > limit).then(|| Limits::too_large(limit, actual))
    }

    /// What answers a command that names a key which is too long.
    pub(crate) fn refuse_key(&self, command: &Command, args: &[Bytes]) -> Option<ReplyError> {
        let limit = self.key_bytes?;
        let too_long = |arg: &Bytes| arg.len() as u64 > limit;
        if !args.iter().any(too_long) {
            return None;
        }
        let keys = command.key_positions(args).into_iter();
        let key = keys
            .filter_map(|at| args.get(at))
            .find(|key| too_long(key))?;
        Some(Limits::refuse_key_of(limit, key.len() as u64))
    }

    /// What answers a command that names a key which is too long.
    pub fn refuse_key_of(limit: u64, actual: u64) -> ReplyError {
        ReplyError::new(format!(
            "ERR max key size exceeded. Limit: {limit} bytes, Actual: {actual} bytes"
        ))
    }

    /// What answers a command that leaves more at a key than it may hold.
    pub fn refuse_record(limit: u64, actual: u64) -> ReplyError {
        ReplyError::new(format!(
            "ERR max single record size exceeded. Limit: {limit} bytes, Actual: {actual} bytes. See https://upstash.com/docs/redis/troubleshooting/max_record_size_exceeded for details"
        ))
    }

    /// What answers a command that may need storage when there is none left.
    pub fn refuse_storage(threshold: u64, usage: u64) -> ReplyError {
        ReplyError::new(format!(
            "ERR DB capacity quota exceeded. Threshold: {threshold} bytes, Usage: {usage} bytes. See https://upstash.com/docs/redis/troubleshooting/db_capacity_quota_exceeded for details"
        ))
    }

    /// What answers a request that is too large, or stands in for such a reply: the text is the same
    /// (reports of users, 2025-2026).
    pub fn too_large(limit: u64, actual: u64) -> ReplyError {
        ReplyError::new(format!(
            "ERR max request size exceeded. Limit: {limit} bytes, Actual: {actual} bytes. See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details"
        ))
    }

    /// What answers every command once a month's are used up.
    pub fn month_used_up(limit: u64, usage: u64) -> ReplyError {
        ReplyError::new(format!(
            "ERR max requests limit exceeded. Limit: {limit}, Usage: {usage}. See https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details"
        ))
    }

    /// What answers every command once a day's are used up.
    pub fn day_used_up(limit: u64, usage: u64) -> ReplyError {
        ReplyError::new(format!(
            "ERR max daily request limit exceeded. Limit: {limit}, Usage: {usage}. See https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit for details"
        ))
    }

    /// What ends a script that has run for as long as it may. No text of Upstash's is known.
    pub fn script_ended(limit_ms: u64) -> String {
        format!("Script ended after {limit_ms} ms, the longest a script may run")
    }

    /// What answers a script once a minute's time for scripts is used up. No text of Upstash's is known.
    pub fn script_time_used_up(limit_ms: u64, usage_ms: u64) -> ReplyError {
        ReplyError::new(format!(
            "ERR max script time exceeded. Limit: {limit_ms} ms per minute, Usage: {usage_ms} ms"
        ))
    }

    /// Whether a command waits for storage when there is none left. Reads and deletions pass, EVAL
    /// does not (reports of users, 2025-2026).
    pub(crate) fn needs_storage(&self, command: &Command) -> bool {
        if self.choices.full_refuses_writes && command.flags.contains(Flags::WRITE) {
            let deletes = ["DEL", "UNLINK", "FLUSHDB", "FLUSHALL"];
            return !deletes.contains(&command.name);
        }
        command.flags.contains(Flags::DENYOOM)
            || matches!(command.name, "EVAL" | "EVALSHA" | "FCALL")
    }

    /// Whether a command runs a script or a function.
    pub fn runs_script(command: &Command) -> bool {
        matches!(
            command.name,
            "EVAL" | "EVAL_RO" | "EVALSHA" | "EVALSHA_RO" | "FCALL" | "FCALL_RO"
        )
    }

    /// Whether a command is not billed.
    pub(crate) fn is_free(&self, command: &Command) -> bool {
        let choices = self.choices;
        match command.name {
            "PING" | "ECHO" | "SELECT" | "INFO" | "COMMAND" => choices.monitoring_free,
            "MULTI" | "EXEC" | "DISCARD" => choices.transaction_frame_free,
            name if name.starts_with("CONFIG") => choices.monitoring_free,
            _ => command.group == Group::Connection && !choices.connection_billed,
        }
    }

    fn text_size(&self, length: usize) -> u64 {
        let extra = if self.choices.wire_sizes { 2 } else { 0 };
        self.header_size(length) + length as u64 + extra
    }

    /// `$12` or `*3` with its line end.
    fn header_size(&self, count: usize) -> u64 {
        if self.choices.wire_sizes {
            u64::from(count.checked_ilog10().unwrap_or(0)) + 4
        } else {
            0
        }
    }
}

/// How many characters an integer is written with.
fn digits(n: i64) -> usize {
    let digits = n.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
    digits + usize::from(n < 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_of_what_is_said_or_of_the_wire() {
        let args = [Bytes::from_static(b"SET"), Bytes::from_static(b"k")];
        let reply = Reply::Array(vec![Reply::bulk("abc"), Reply::Integer(-12), Reply::Nil]);
        let mut limits = Limits::default();
        assert_eq!(limits.request_size(&args), 4);
        assert_eq!(limits.reply_size(&reply), 6);
        limits.choices.wire_sizes = true;
        // *2 $3 SET $1 k, each with its line end.
        assert_eq!(limits.request_size(&args), 4 + 4 + 5 + 4 + 3);
        // *3 $3 abc :-12 $-1
        assert_eq!(limits.reply_size(&reply), 4 + 4 + 5 + 6 + 5);
    }
}
