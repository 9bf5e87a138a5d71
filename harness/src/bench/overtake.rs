//! From which batch on REST is quicker than single commands over TCP.

use super::operation::Way;
use super::outcome::{CaseOutcome, Outcome};
use super::processor::KEPT_WAITING;

/// The smallest batch by which a REST target is quicker than the same operations one by one over TCP.
#[derive(Debug, Clone, PartialEq)]
pub struct Overtake {
    /// What is done, alone and in batches: `get`.
    pub operation: String,
    /// How many bytes a value has.
    pub size: usize,
    /// The distance, in microseconds.
    pub rtt_us: u64,
    /// The TCP target.
    pub tcp: String,
    /// The REST target.
    pub rest: String,
    /// The median of one of them over TCP, in microseconds.
    pub single_us: f64,
    /// Batches and their medians over REST, in microseconds.
    pub batches: Vec<(usize, f64)>,
    /// Whether the generator was kept from working meanwhile, so that it may be otherwise.
    pub unsure: bool,
    /// The batch; `None` where REST does not overtake, however large the batch.
    pub batch: Option<u64>,
}

/// Every pair of a TCP and a REST target at every distance, for everything that was
/// measured alone and in pipelines.
pub fn overtakes(outcome: &Outcome) -> Vec<Overtake> {
    let (rest, tcp): (Vec<_>, Vec<_>) = outcome.targets.iter().partition(|target| target.rest);
    let mut found = Vec::new();
    for single in outcome.cases.iter().filter(|case| case.way == Way::Single) {
        for tcp in &tcp {
            for rest in &rest {
                found.extend(overtake(outcome, single, &tcp.name, &rest.name));
            }
        }
    }
    found.sort_by_key(|one| one.rtt_us);
    found
}

fn overtake(outcome: &Outcome, single: &CaseOutcome, tcp: &str, rest: &str) -> Option<Overtake> {
    let median = |case: &CaseOutcome, target: &str| {
        let result = case.results.iter().find(|one| one.target == target)?;
        Some(result.figures?.p50_us)
    };
    let starved = |case: &CaseOutcome, target: &str| {
        let result = case.results.iter().find(|one| one.target == target);
        result.is_some_and(|one| one.waiting.is_some_and(|share| share > KEPT_WAITING))
    };
    let single_us = median(single, tcp)?;
    let alike = |case: &&CaseOutcome| {
        case.way == Way::Pipeline
            && (&case.operation, case.size, case.rtt_us)
                == (&single.operation, single.size, single.rtt_us)
    };
    let pipelines = || outcome.cases.iter().filter(alike);
    let unsure = starved(single, tcp) || pipelines().any(|case| starved(case, rest));
    let mut batches: Vec<(usize, f64)> = pipelines()
        .filter_map(|case| Some((case.batch, median(case, rest)?)))
        .collect();
    batches.sort_by_key(|(batch, _)| *batch);
    (batches.len() >= 2).then(|| Overtake {
        operation: single.operation.clone(),
        size: single.size,
        rtt_us: single.rtt_us,
        tcp: tcp.to_owned(),
        rest: rest.to_owned(),
        single_us,
        batch: crossing(single_us, &batches),
        batches,
        unsure,
    })
}

/// Where the line through neighbouring batches falls below so many single commands. Beyond the
/// largest batch the last line is drawn on.
fn crossing(single_us: f64, batches: &[(usize, f64)]) -> Option<u64> {
    let (first, first_us) = batches.first()?;
    if *first_us <= single_us * *first as f64 {
        return Some(*first as u64);
    }
    for (index, pair) in batches.windows(2).enumerate() {
        let ((from, from_us), (to, to_us)) = (pair[0], pair[1]);
        let each = (to_us - from_us) / (to - from).max(1) as f64;
        let start = from_us - each * from as f64;
        if each >= single_us {
            continue;
        }
        let batch = (start / (single_us - each)).ceil().max(from as f64);
        let last = index + 2 == batches.len();
        if batch <= to as f64 || last {
            return Some(batch as u64);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::crossing;

    #[test]
    fn the_crossing_is_where_both_cost_the_same() {
        // 1000 µs and 10 µs more for each, against 110 µs a command.
        assert_eq!(
            crossing(110.0, &[(1, 1010.0), (10, 1100.0), (100, 2000.0)]),
            Some(10)
        );
        assert_eq!(
            crossing(11.0, &[(1, 1010.0), (10, 1100.0), (100, 2000.0)]),
            Some(1000)
        );
        assert_eq!(crossing(9.0, &[(1, 1010.0), (10, 1100.0)]), None);
        assert_eq!(crossing(9.0, &[(1, 8.0), (10, 1100.0)]), Some(1));
    }
}
