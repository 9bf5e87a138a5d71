//! What operations cost on each plan of Upstash, and which plan fits a rate.
//!
//! Prices and limits are those of Upstash's pricing page (docs, overall/billing, August 2026).

use serde::{Deserialize, Serialize};

use super::outcome::{CaseOutcome, Outcome};

/// Seconds of a month of 30 days.
const MONTH_S: f64 = 30.0 * 24.0 * 3600.0;

/// A plan, as Upstash sells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Its name.
    pub name: &'static str,
    /// US dollars a month, whatever is used.
    pub monthly_usd: f64,
    /// US dollars for each command.
    pub command_usd: f64,
    /// The most commands a month.
    pub commands_per_month: Option<f64>,
    /// The most commands a second.
    pub commands_per_second: f64,
    /// Gigabytes of traffic a month.
    pub bandwidth_gb: f64,
    /// US dollars for a gigabyte beyond that; where there is no price, more is not to be had.
    pub gigabyte_usd: Option<f64>,
}

const fn fixed(name: &'static str, usd: f64, bandwidth_gb: f64, per_second: f64) -> Plan {
    Plan {
        name,
        monthly_usd: usd,
        command_usd: 0.0,
        commands_per_month: None,
        commands_per_second: per_second,
        bandwidth_gb,
        gigabyte_usd: None,
    }
}

/// All plans with a published price.
pub const PLANS: [Plan; 9] = [
    Plan {
        commands_per_month: Some(500_000.0),
        ..fixed("Free", 0.0, 10.0, 10_000.0)
    },
    Plan {
        command_usd: 0.2 / 100_000.0,
        gigabyte_usd: Some(0.03),
        ..fixed("Pay as you go", 0.0, 200.0, 10_000.0)
    },
    fixed("Fixed 250 MB", 10.0, 50.0, 10_000.0),
    fixed("Fixed 1 GB", 20.0, 100.0, 10_000.0),
    fixed("Fixed 5 GB", 100.0, 500.0, 10_000.0),
    fixed("Fixed 10 GB", 200.0, 1_000.0, 10_000.0),
    fixed("Fixed 50 GB", 400.0, 5_000.0, 10_000.0),
    fixed("Fixed 100 GB", 800.0, 10_000.0, 16_000.0),
    fixed("Fixed 500 GB", 1_500.0, 20_000.0, 16_000.0),
];

impl Plan {
    /// US dollars a month at this many commands and bytes a second; `None` where the plan does not
    /// allow as much.
    pub fn monthly(&self, commands: f64, bytes: f64) -> Option<f64> {
        let per_month = commands * MONTH_S;
        let gigabytes = bytes * MONTH_S / 1e9;
        let too_many = self.commands_per_month.is_some_and(|most| per_month > most);
        if too_many || commands > self.commands_per_second {
            return None;
        }
        let beyond = (gigabytes - self.bandwidth_gb).max(0.0);
        let traffic = match self.gigabyte_usd {
            Some(price) => beyond * price,
            None if beyond > 0.0 => return None,
            None => 0.0,
        };
        Some(self.monthly_usd + per_month * self.command_usd + traffic)
    }
}

/// The cheapest plan at this many commands and bytes a second, with its price a month.
pub fn cheapest(commands: f64, bytes: f64) -> Option<(Plan, f64)> {
    PLANS
        .iter()
        .filter_map(|plan| Some((*plan, plan.monthly(commands, bytes)?)))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// US dollars for a million operations, by the command, with this many read regions.
pub fn million(case: &CaseOutcome, read_regions: u64) -> f64 {
    (case.commands + case.writes * read_regions) as f64 * 1e6 * PLANS[1].command_usd
}

/// The rates that plans are named for, when no other was asked for.
pub const RATES: [f64; 4] = [0.1, 1.0, 10.0, 100.0];

/// What an operation costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostRow {
    /// The case.
    pub case: String,
    /// Billable commands of one operation.
    pub commands: u64,
    /// US dollars for a million operations by the command, without read regions.
    pub million_usd: f64,
    /// The same with one read region.
    pub million_region_usd: f64,
    /// The plans at each rate.
    pub rates: Vec<RateCost>,
}

/// What an operation costs at one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateCost {
    /// Operations per second.
    pub rate: f64,
    /// The cheapest plan that allows it; `None` where none with a published price does.
    pub fits: Option<String>,
    /// Each plan.
    pub plans: Vec<PlanCost>,
}

/// What an operation costs on one plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanCost {
    /// The plan.
    pub plan: String,
    /// US dollars a month; `None` where the plan does not allow as much.
    pub monthly_usd: Option<f64>,
    /// US dollars for a million operations, the month's price spread over what the rate makes of a
    /// month.
    pub million_usd: Option<f64>,
}

impl RateCost {
    fn of(case: &CaseOutcome, rate: f64) -> RateCost {
        let (commands, bytes) = (case.commands as f64 * rate, case.bytes as f64 * rate);
        RateCost {
            rate,
            fits: cheapest(commands, bytes).map(|(plan, _)| plan.name.to_owned()),
            plans: PLANS
                .iter()
                .map(|plan| {
                    let monthly_usd = plan.monthly(commands, bytes);
                    PlanCost {
                        plan: plan.name.to_owned(),
                        monthly_usd,
                        million_usd: monthly_usd.map(|usd| usd / (rate * MONTH_S) * 1e6),
                    }
                })
                .collect(),
        }
    }

    /// The plan that fits, with its price a month: `Fixed 250 MB, $10.00`.
    pub fn words(&self) -> String {
        let fit = self.fits.as_ref().and_then(|name| {
            let plan = self.plans.iter().find(|plan| plan.plan == *name)?;
            Some(format!("{name}, ${:.2}", plan.monthly_usd?))
        });
        fit.unwrap_or_else(|| "Enterprise".to_owned())
    }
}

/// What the cases cost, and the plans that fit the outcome's rates.
pub fn costs(outcome: &Outcome) -> Vec<CostRow> {
    let mut seen = Vec::new();
    outcome
        .cases
        .iter()
        .filter(|case| {
            let new = !seen.contains(&case.id);
            seen.push(case.id.clone());
            new
        })
        .map(|case| CostRow {
            case: case.id.clone(),
            commands: case.commands,
            million_usd: million(case, 0),
            million_region_usd: million(case, 1),
            rates: outcome
                .cost_rates
                .iter()
                .map(|rate| RateCost::of(case, *rate))
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_that_fits_is_the_cheapest_that_allows_it() {
        let name = |commands, bytes| cheapest(commands, bytes).map(|(plan, _)| plan.name);
        assert_eq!(name(0.1, 10.0), Some("Free"));
        assert_eq!(name(1.0, 100.0), Some("Pay as you go"));
        assert_eq!(name(100.0, 1_000.0), Some("Fixed 250 MB"));
        assert_eq!(name(12_000.0, 100.0), Some("Fixed 100 GB"));
        assert_eq!(name(20_000.0, 100.0), None);
        let payg = PLANS[1].monthly(1.0, 0.0).unwrap();
        assert!((payg - 5.184).abs() < 1e-9);
    }
}
