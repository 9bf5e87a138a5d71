//! Counters that lose no update, and sums that stay the same.

use std::collections::BTreeMap;

use super::operation::{History, Value, Violation};

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
        let mut by_end: Vec<_> = seen.iter().collect();
        by_end.sort_by_key(|(_, add)| add.ended_us);
        for (count, add) in &seen {
            let before = by_end.partition_point(|(_, other)| other.ended_us < add.invoked_us);
            let greatest = by_end[..before].iter().max_by_key(|(count, _)| **count);
            if let Some((greater, earlier)) = greatest
                && *greater > count
            {
                let what = format!("{object} went back from {greater} to {count}");
                return Err(Violation::new(what, [**earlier, *add]));
            }
        }
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

/// `total` (the sum there has to be) returns the sum of all accounts; `transfer` moves some of it.
///
/// # Errors
/// When the sum is another.
pub fn sum(history: &History) -> Result<(), Violation> {
    for total in history.named("total") {
        let Some(seen) = total.output() else { continue };
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
    Ok(())
}
