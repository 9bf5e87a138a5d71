//! Who certainly held what, and when: mutual exclusion, semaphores, fencing tokens, single flights.

use super::operation::{History, Operation, Value, Violation};

/// The part of a lease that is relied on: two clocks may run at different speeds.
const RELIED_ON_PERCENT: u64 = 90;

/// No more than `limit` clients hold an object at once. `acquire` (token, lease in µs) returns
/// whether it was granted, `release` (token) whether the token still held it.
///
/// A client certainly holds from when `acquire` returned to when it invoked `release` or, if that is
/// sooner, until a lease that began when `acquire` was invoked may have run out.
///
/// # Errors
/// When more held at once, or one lost what it held before its lease had run out.
pub fn at_most(limit: usize, history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        let part = history.of(object);
        let tenures: Vec<Tenure<'_>> = part
            .named("acquire")
            .filter_map(|acquire| Tenure::of(acquire, &part))
            .collect();
        for tenure in &tenures {
            let held: Vec<&Tenure<'_>> = tenures
                .iter()
                .filter(|other| other.from <= tenure.from && tenure.from < other.until)
                .collect();
            if tenure.from < tenure.until && held.len() > limit {
                let what = match limit {
                    1 => format!("two clients held {object} at the same time"),
                    _ => format!(
                        "{} clients held {object} at the same time, {limit} may",
                        held.len()
                    ),
                };
                let slice = held
                    .iter()
                    .flat_map(|one| [Some(one.acquire), one.release])
                    .flatten();
                return Err(Violation::new(what, slice));
            }
        }
        if let Some(tenure) = tenures.iter().find(|tenure| tenure.is_robbed()) {
            let what = format!("a client lost {object} although its lease had not run out");
            let others = part.operations().iter().filter(|other| {
                other.ended_us >= tenure.acquire.ended_us
                    && tenure
                        .release
                        .is_some_and(|release| other.invoked_us <= release.ended_us)
                    && !other.returned(false)
            });
            let own = [Some(tenure.acquire), tenure.release];
            return Err(Violation::new(
                what,
                others.chain(own.into_iter().flatten()),
            ));
        }
    }
    Ok(())
}

struct Tenure<'h> {
    acquire: &'h Operation,
    release: Option<&'h Operation>,
    from: u64,
    until: u64,
    lease_ends: u64,
}

impl<'h> Tenure<'h> {
    fn of(acquire: &'h Operation, history: &'h History) -> Option<Self> {
        if !acquire.returned(true) {
            return None;
        }
        let token = acquire.input.at(0)?;
        let lease_us = u64::try_from(acquire.input.at(1)?.integer()?).ok()?;
        let release = history.named("release").find(|release| {
            release.input.at(0) == Some(token) && release.invoked_us >= acquire.ended_us
        });
        let lease_ends = acquire.invoked_us + lease_us * RELIED_ON_PERCENT / 100;
        Some(Tenure {
            acquire,
            release,
            from: acquire.ended_us,
            until: release.map_or(lease_ends, |release| release.invoked_us.min(lease_ends)),
            lease_ends,
        })
    }

    fn is_robbed(&self) -> bool {
        self.release
            .is_some_and(|release| release.returned(false) && release.ended_us < self.lease_ends)
    }
}

/// Fencing tokens rise: `grant` returns a token, and one that was granted after another was returned
/// is greater. `store` (token) returns whether the storage took it: never an older one after a newer.
///
/// # Errors
/// When a token came twice or too low, or an old one was let in.
pub fn fenced(history: &History) -> Result<(), Violation> {
    let token = |operation: &Operation| operation.output().and_then(Value::integer);
    let grants: Vec<&Operation> = history
        .named("grant")
        .filter(|grant| token(grant).is_some())
        .collect();
    for (at, grant) in grants.iter().enumerate() {
        for earlier in &grants[..at] {
            let late = earlier.precedes(grant) && token(earlier) > token(grant);
            if earlier.object == grant.object && (late || token(earlier) == token(grant)) {
                let what = "a later holder got a fencing token that is not greater";
                return Err(Violation::new(what, [*earlier, *grant]));
            }
        }
    }
    let stored: Vec<&Operation> = history
        .named("store")
        .filter(|store| store.returned(true))
        .collect();
    for (at, store) in stored.iter().enumerate() {
        for earlier in &stored[..at] {
            let older = store.input.integer() < earlier.input.integer();
            if earlier.object == store.object && earlier.precedes(store) && older {
                let what = "a holder whose lease was over wrote after the next one did";
                return Err(Violation::new(what, [*earlier, *store]));
            }
        }
    }
    Ok(())
}

/// A value is computed once: `compute` is invoked where a client begins to, and ends where the value
/// is stored. An object on which something has no known outcome says nothing.
///
/// # Errors
/// When two clients computed it.
pub fn once(history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        let part = history.of(object);
        let computed: Vec<&Operation> = part.named("compute").collect();
        if part.unknown() == 0
            && let [first, second, ..] = computed.as_slice()
        {
            let what = format!("{object} was computed twice: the second caller did not wait");
            return Err(Violation::new(what, [*first, *second]));
        }
    }
    Ok(())
}
