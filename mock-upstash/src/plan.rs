//! Upstash's plans, with what each allows (Upstash docs, overall/billing, August 2026).

use redis_engine::Limits;
use redis_engine::limit::PENDING_ENTRIES;

const KB: u64 = 1024;
const MB: u64 = 1024 * KB;
const GB: u64 = 1024 * MB;
const TB: u64 = 1024 * GB;

/// Longest key on every plan (Upstash docs, troubleshooting/max_key_size_exceeded).
const KEY: u64 = 32 * KB;

/// A plan. The documentation counts in MB and GB; error texts of live databases show that they are
/// those of 1024 (256 MB is 268,435,456 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plan {
    /// No plan of Upstash's: nothing is limited.
    Unlimited,
    /// Free: 256 MB and 500,000 commands a month.
    Free,
    /// Pay as you go.
    Payg,
    /// Fixed, 250 MB.
    Fixed250Mb,
    /// Fixed, 1 GB.
    Fixed1Gb,
    /// Fixed, 5 GB.
    Fixed5Gb,
    /// Fixed, 10 GB.
    Fixed10Gb,
    /// Fixed, 50 GB.
    Fixed50Gb,
    /// Fixed, 100 GB.
    Fixed100Gb,
    /// Fixed, 500 GB.
    Fixed500Gb,
}

/// One row of the table of plans: what differs from plan to plan.
struct Row {
    plan: Plan,
    id: &'static str,
    storage: u64,
    /// `None` where more costs more.
    bandwidth: Option<u64>,
    commands_per_second: u64,
    request: u64,
    record: u64,
    monthly_commands: Option<u64>,
    /// The column was dropped in December 2025; until then 10,000, and 100,000 on the largest.
    connections: u64,
}

const fn fixed(plan: Plan, id: &'static str, storage: u64, bandwidth: u64) -> Row {
    Row {
        plan,
        id,
        storage,
        bandwidth: Some(bandwidth),
        commands_per_second: 10_000,
        request: 10 * MB,
        record: 100 * MB,
        monthly_commands: None,
        connections: 10_000,
    }
}

const ROWS: &[Row] = &[
    Row {
        monthly_commands: Some(500_000),
        ..fixed(Plan::Free, "free", 256 * MB, 10 * GB)
    },
    Row {
        bandwidth: None,
        ..fixed(Plan::Payg, "payg", 100 * GB, 0)
    },
    fixed(Plan::Fixed250Mb, "fixed-250mb", 250 * MB, 50 * GB),
    Row {
        record: 200 * MB,
        ..fixed(Plan::Fixed1Gb, "fixed-1gb", GB, 100 * GB)
    },
    Row {
        request: 20 * MB,
        record: 300 * MB,
        ..fixed(Plan::Fixed5Gb, "fixed-5gb", 5 * GB, 500 * GB)
    },
    Row {
        request: 30 * MB,
        record: 400 * MB,
        ..fixed(Plan::Fixed10Gb, "fixed-10gb", 10 * GB, TB)
    },
    Row {
        request: 50 * MB,
        record: 500 * MB,
        ..fixed(Plan::Fixed50Gb, "fixed-50gb", 50 * GB, 5 * TB)
    },
    Row {
        commands_per_second: 16_000,
        request: 75 * MB,
        record: GB,
        ..fixed(Plan::Fixed100Gb, "fixed-100gb", 100 * GB, 10 * TB)
    },
    Row {
        commands_per_second: 16_000,
        request: 100 * MB,
        record: 5 * GB,
        connections: 100_000,
        ..fixed(Plan::Fixed500Gb, "fixed-500gb", 500 * GB, 20 * TB)
    },
];

impl Plan {
    /// Upstash's plans, the smallest first, and the lack of one.
    pub const ALL: &[Plan] = &[
        Plan::Free,
        Plan::Payg,
        Plan::Fixed250Mb,
        Plan::Fixed1Gb,
        Plan::Fixed5Gb,
        Plan::Fixed10Gb,
        Plan::Fixed50Gb,
        Plan::Fixed100Gb,
        Plan::Fixed500Gb,
        Plan::Unlimited,
    ];

    /// The name by which it is chosen: `--plan free`.
    pub fn id(self) -> &'static str {
        self.row().map_or("unlimited", |row| row.id)
    }

    /// What it allows.
    pub fn limits(self) -> Limits {
        let Some(row) = self.row() else {
            return Limits::default();
        };
        Limits {
            key_bytes: Some(KEY),
            request_bytes: Some(row.request),
            reply_bytes: Some(row.request),
            record_bytes: Some(row.record),
            storage_bytes: Some(row.storage),
            evicts: false,
            monthly_commands: row.monthly_commands,
            daily_commands: None,
            monthly_bandwidth: row.bandwidth,
            commands_per_second: Some(row.commands_per_second),
            connections: Some(row.connections),
            pending_entries: PENDING_ENTRIES,
            // The Developer API shows sample values, which no plan promises: see the quirk
            // `script-time-limit`.
            script_ms: None,
            script_ms_per_minute: None,
            choices: redis_engine::limit::Choices::default(),
        }
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.plan == self)
    }
}

/// There is no plan of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no plan is called '{0}'; there are {all}", all = names())]
pub struct UnknownPlan(String);

fn names() -> String {
    let all: Vec<&str> = Plan::ALL.iter().map(|plan| plan.id()).collect();
    all.join(", ")
}

impl std::str::FromStr for Plan {
    type Err = UnknownPlan;

    fn from_str(text: &str) -> Result<Plan, UnknownPlan> {
        let named = |plan: &&Plan| plan.id().eq_ignore_ascii_case(text);
        let found = Plan::ALL.iter().find(named);
        found.copied().ok_or_else(|| UnknownPlan(text.to_owned()))
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_is_found_by_its_name() {
        for plan in Plan::ALL {
            assert_eq!(plan.id().parse(), Ok(*plan));
        }
        let error = "pro".parse::<Plan>().expect_err("no such plan").to_string();
        assert!(
            error.contains("'pro'") && error.contains("fixed-5gb"),
            "{error}"
        );
    }

    #[test]
    fn the_documented_figures_are_kept() {
        let free = Plan::Free.limits();
        assert_eq!(free.storage_bytes, Some(268_435_456));
        assert_eq!(free.monthly_commands, Some(500_000));
        assert_eq!(free.request_bytes, Some(10_485_760));
        assert_eq!(Plan::Payg.limits().monthly_bandwidth, None);
        assert_eq!(Plan::Fixed50Gb.limits().request_bytes, Some(50 * MB));
        assert_eq!(Plan::Unlimited.limits(), Limits::default());
    }
}
