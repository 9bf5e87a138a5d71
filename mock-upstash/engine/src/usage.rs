//! What a database has been used for: commands as a bill counts them, reads, writes, bytes.

use std::collections::HashMap;

use crate::command::{Command, Flags};
use crate::error::ReplyError;
use crate::limit::Limits;

/// Counters since the start, since the month began and since the day began, all in the engine's time.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// How often each command was billed, by its name in the command table; those within scripts
    /// included. What no command is called counts as `(unknown)`.
    pub by_command: HashMap<&'static str, u64, foldhash::fast::RandomState>,
    /// Commands that clients sent, but for those that are free.
    pub commands: u64,
    /// Commands that scripts and functions called; each is billed as one that a client sends.
    pub script_commands: u64,
    /// Commands that are free.
    pub free_commands: u64,
    /// Of the billed commands, those that only read.
    pub reads: u64,
    /// Of the billed commands, those that may write.
    pub writes: u64,
    /// Billed once more for each region that a write is replicated to.
    pub replicated_writes: u64,
    /// Bytes of arguments.
    pub bytes_in: u64,
    /// Bytes of replies.
    pub bytes_out: u64,
    /// Billed since the month began.
    pub month_commands: u64,
    /// Bytes in and out since the month began.
    pub month_bandwidth: u64,
    /// Billed since the day began.
    pub day_commands: u64,
    /// Microseconds that scripts and functions ran.
    pub script_us: u64,
    /// Of a minute's time for scripts, the microseconds that are used.
    pub minute_script_us: u64,
    /// Counts as stored beside what is.
    pub storage_beside: u64,
    /// Count as connected beside those that are.
    pub connections_beside: u64,
    /// Read regions that writes are replicated to.
    pub read_regions: u64,
    /// Months since the year 0.
    month: u64,
    /// Days since the Unix epoch.
    day: u64,
    /// When the use of scripts' time was last looked at, in milliseconds since the Unix epoch.
    scripts_seen_ms: u64,
}

impl Usage {
    /// What a database of as many read regions begins with.
    #[must_use]
    pub fn anew(&self) -> Usage {
        Usage {
            read_regions: self.read_regions,
            ..Usage::default()
        }
    }

    /// Everything that is billed.
    pub fn billed(&self) -> u64 {
        self.commands + self.script_commands + self.replicated_writes
    }

    /// Bytes in and out.
    pub fn bandwidth(&self) -> u64 {
        self.bytes_in + self.bytes_out
    }

    /// Lets go what belongs to a month or a day that is over. Months and days are those of UTC.
    pub fn roll(&mut self, now_ms: u64) {
        let day = now_ms / 86_400_000;
        if day == self.day {
            return;
        }
        self.day = day;
        self.day_commands = 0;
        let month = month_of(day);
        if month != self.month {
            self.month = month;
            self.month_commands = 0;
            self.month_bandwidth = 0;
        }
    }

    /// What answers a command when a quota is used up.
    pub(crate) fn refuse(&self, limits: &Limits) -> Option<ReplyError> {
        if let Some(limit) = limits.monthly_commands
            && self.month_commands >= limit
        {
            return Some(Limits::month_used_up(limit, self.month_commands));
        }
        if let Some(limit) = limits.daily_commands
            && self.day_commands >= limit
        {
            return Some(Limits::day_used_up(limit, self.day_commands));
        }
        None
    }

    /// Counts a command; `None` is one that no command is called.
    pub(crate) fn count(
        &mut self,
        command: Option<&'static Command>,
        limits: &Limits,
        script: bool,
    ) {
        if command.is_some_and(|command| limits.is_free(command)) {
            self.free_commands += 1;
            return;
        }
        let name = command.map_or("(unknown)", |command| command.name);
        *self.by_command.entry(name).or_default() += 1;
        if script {
            self.script_commands += 1;
        } else {
            self.commands += 1;
        }
        let mut billed = 1;
        let flags = command.map_or(Flags::empty(), |command| command.flags);
        if flags.contains(Flags::WRITE) {
            self.writes += 1;
            self.replicated_writes += self.read_regions;
            billed += self.read_regions;
        } else if flags.contains(Flags::READONLY) {
            self.reads += 1;
        }
        self.month_commands += billed;
        self.day_commands += billed;
    }

    /// Counts the time of a script that has ended.
    pub(crate) fn count_script(&mut self, us: u64) {
        self.script_us += us;
        self.minute_script_us = self.minute_script_us.saturating_add(us);
    }

    /// Lets go what scripts used in a minute that is over. Minutes are those of UTC, unless what was
    /// used comes back evenly.
    pub fn roll_script_time(&mut self, now_ms: u64, limits: &Limits) {
        let before_ms = std::mem::replace(&mut self.scripts_seen_ms, now_ms);
        if !limits.choices.script_time_flows_back {
            if before_ms / MINUTE_MS != now_ms / MINUTE_MS {
                self.minute_script_us = 0;
            }
        } else if let Some(limit_ms) = limits.script_ms_per_minute {
            // So many milliseconds in a minute are as many microseconds in 60 of them.
            let back_us = limit_ms.saturating_mul(now_ms.saturating_sub(before_ms)) / 60;
            self.minute_script_us = self.minute_script_us.saturating_sub(back_us);
        }
    }

    /// When a script may begin, in milliseconds since the Unix epoch, if not now.
    pub fn script_due_ms(&mut self, now_ms: u64, limits: &Limits) -> Option<u64> {
        let limit_ms = limits.script_ms_per_minute?;
        self.roll_script_time(now_ms, limits);
        let limit_us = limit_ms.saturating_mul(1000);
        if self.minute_script_us < limit_us {
            return None;
        }
        if limits.choices.script_time_flows_back && limit_ms > 0 {
            let beyond_us = self.minute_script_us - limit_us + 1;
            return Some(now_ms.saturating_add((beyond_us * 60).div_ceil(limit_ms)));
        }
        Some((now_ms / MINUTE_MS + 1) * MINUTE_MS)
    }

    /// Counts bytes of arguments.
    pub(crate) fn count_in(&mut self, bytes: u64) {
        self.bytes_in += bytes;
        self.month_bandwidth += bytes;
    }

    /// Counts bytes of replies.
    pub fn count_out(&mut self, bytes: u64) {
        self.bytes_out += bytes;
        self.month_bandwidth += bytes;
    }
}

const MINUTE_MS: u64 = 60_000;

/// Months since the year 0 of a day since the Unix epoch, in the Gregorian calendar: years begin in
/// March here, so that a leap day is a year's last.
fn month_of(day: u64) -> u64 {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    /// From 1 March of the year 0 to the Unix epoch.
    const BEFORE_EPOCH: u64 = 719_468;
    let days = day + BEFORE_EPOCH;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    (era * 400 + year) * 12 + (5 * day_of_year + 2) / 153
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_first_day() {
        // 2024-02-29, 2024-03-01, 2024-03-31, 2024-04-01, 2026-12-31, 2027-01-01.
        let days = [19_782, 19_783, 19_813, 19_814, 20_818, 20_819];
        let months = days.map(month_of);
        assert_eq!(months[0] + 1, months[1]);
        assert_eq!(months[1], months[2]);
        assert_eq!(months[2] + 1, months[3]);
        assert_eq!(months[4] + 1, months[5]);
        assert_eq!(months[5] - months[1], 34);
    }

    #[test]
    fn the_time_of_scripts_comes_back() {
        let mut limits = Limits {
            script_ms_per_minute: Some(10_000),
            ..Limits::default()
        };
        let used = |us| Usage {
            minute_script_us: us,
            ..Usage::default()
        };
        let now_ms = 5_000;
        assert_eq!(used(9_999_999).script_due_ms(now_ms, &limits), None);
        let mut usage = used(10_000_000);
        assert_eq!(usage.script_due_ms(now_ms, &limits), Some(60_000));
        assert_eq!(usage.script_due_ms(60_000, &limits), None);
        assert_eq!(usage.minute_script_us, 0);
        // 10 s a minute are 1 s in six seconds, which leave all of the 10 s used; a bit more is needed.
        limits.choices.script_time_flows_back = true;
        let mut usage = used(11_000_000);
        usage.scripts_seen_ms = now_ms;
        let due_ms = usage.script_due_ms(now_ms, &limits);
        assert_eq!(due_ms, Some(11_001));
        assert_eq!(usage.script_due_ms(11_000, &limits), Some(11_001));
        assert_eq!(usage.script_due_ms(11_001, &limits), None);
    }

    #[test]
    fn a_day_ends_before_its_month() {
        let mut usage = Usage::default();
        usage.roll(20_817 * 86_400_000);
        (usage.month_commands, usage.day_commands) = (5, 5);
        usage.roll(20_818 * 86_400_000);
        assert_eq!((usage.month_commands, usage.day_commands), (5, 0));
        usage.roll(20_819 * 86_400_000);
        assert_eq!(usage.month_commands, 0);
    }
}
