//! Counters that lose no update, and sums that stay the same.

use std::collections::BTreeMap;

use super::operation::{History, Operation, Value, Violation};

/// `add` counts up by one and returns the new count; `read` returns the count.
///
/// # Errors
/// When two got the same count, a later one a smaller, or the last read misses some.
pub fn counter(history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        let part = history.of(object);
        let mut seen = BTreeMap::new();
        for add in part.named("add") {
            let Some(count) = add.output().and_then(Value::integer) else {
                continue;
            };
            if let Some(other) = seen.insert(count, add) {
                let what = format!("two increments of {object} returned {count}: one is lost");
                return Err(Violation::new(what, [other, add]));
            }
        }
        went_back(object, &seen)?;
        counted_twice(object, &part)?;
        if part.named("add").next().is_none() {
            continue;
        }
        let unknown = part.named("add").filter(|add| add.is_unknown()).count();
        let (least, most) = (seen.len() as i64, (seen.len() + unknown) as i64);
        for read in part.named("read") {
            let after_all = part
                .named("add")
                .all(|add| add.ended_us < read.invoked_us || add.is_failed());
            let count = read.output().map(|count| count.integer().unwrap_or(0));
            if let Some(count) = count
                && after_all
                && !(least..=most).contains(&count)
            {
                let what = format!("{object} is {count} after {least} increments");
                let last = seen.iter().next_back().map(|(_, add)| *add);
                return Err(Violation::new(what, last.into_iter().chain([read])));
            }
        }
    }
    Ok(())
}

/// An increment that began after another was over has the greater count.
fn went_back(object: &str, seen: &BTreeMap<i64, &Operation>) -> Result<(), Violation> {
    let mut by_end: Vec<(i64, &Operation)> =
        seen.iter().map(|(count, add)| (*count, *add)).collect();
    by_end.sort_by_key(|(_, add)| add.ended_us);
    // Of those that were over up to each place, the one with the greatest count.
    let mut greatest = by_end.clone();
    for at in 1..greatest.len() {
        if greatest[at - 1].0 > greatest[at].0 {
            greatest[at] = greatest[at - 1];
        }
    }
    for (count, add) in seen {
        let before = by_end.partition_point(|(_, other)| other.ended_us < add.invoked_us);
        let Some((greater, earlier)) = before.checked_sub(1).map(|at| greatest[at]) else {
            continue;
        };
        if greater > *count {
            let what = format!("{object} went back from {greater} to {count}");
            return Err(Violation::new(what, [earlier, *add]));
        }
    }
    Ok(())
}

/// A count is no greater than the number of increments that had begun when it was returned.
fn counted_twice(object: &str, part: &History) -> Result<(), Violation> {
    let begun: Vec<u64> = part
        .named("add")
        .filter(|add| !add.is_failed())
        .map(|add| add.invoked_us)
        .collect();
    for add in part.named("add") {
        let most = begun.partition_point(|invoked| *invoked <= add.ended_us) as i64;
        if let Some(count) = add.output().and_then(Value::integer)
            && count > most
        {
            let what =
                format!("{object} was {count} when no more than {most} increments had begun");
            return Err(Violation::new(what, [add]));
        }
    }
    Ok(())
}

/// `total` (the sum there has to be) returns the sum of all accounts, or nothing where it did not find
/// all of them. `transfer` (amount, from whom to
/// whom) moves some of it, and returns no where it was called off. `balance` (what was there at first)
/// returns what is in one account.
///
/// # Errors
/// When the sum is another, or an account does not have what the transfers come to.
pub fn sum(history: &History) -> Result<(), Violation> {
    for total in history.named("total") {
        let Some(seen) = total.output().filter(|seen| **seen != Value::Nil) else {
            continue;
        };
        if *seen != total.input {
            let meanwhile = history.named("transfer").filter(|transfer| {
                transfer.object == total.object
                    && transfer.invoked_us < total.ended_us
                    && total.invoked_us < transfer.ended_us
            });
            let what = format!(
                "the accounts held {seen} together instead of {}: a transfer was half done or got lost",
                total.input
            );
            return Err(Violation::new(what, meanwhile.chain([total])));
        }
    }
    // What nobody knows of may have moved something, or not.
    if history.named("transfer").any(Operation::is_unknown) {
        return Ok(());
    }
    let mut moved: BTreeMap<&str, i64> = BTreeMap::new();
    for transfer in history.named("transfer") {
        let parts = transfer.input.at(0).and_then(Value::integer);
        let between = transfer.input.at(1).and_then(Value::text);
        let Some((amount, (from, to))) =
            parts.zip(between.and_then(|text| text.split_once(" to ")))
        else {
            continue;
        };
        if transfer.output().is_some() && !transfer.returned(false) {
            *moved.entry(from).or_default() -= amount;
            *moved.entry(to).or_default() += amount;
        }
    }
    for balance in history.named("balance") {
        let (Some(seen), Some(opening)) = (balance.output(), balance.input.integer()) else {
            continue;
        };
        let after_all = history
            .named("transfer")
            .all(|transfer| transfer.precedes(balance));
        let due = opening + moved.get(balance.object.as_str()).copied().unwrap_or(0);
        if after_all && seen.integer() != Some(due) {
            let what = format!(
                "{} has {seen} where the transfers come to {due}: one was lost, or done twice",
                balance.object
            );
            return Err(Violation::new(what, [balance]));
        }
    }
    Ok(())
}
