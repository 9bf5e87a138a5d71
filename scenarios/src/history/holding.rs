//! Who certainly held what, and when: mutual exclusion, semaphores, fencing tokens, single flights.

use std::collections::{HashMap, HashSet};

use super::operation::{History, Operation, Value, Violation};

/// The part of a lease that is relied on: two clocks may run at different speeds.
const RELIED_ON_PERCENT: u64 = 90;
/// The part of a lease after which it must have run out, and what a server may take to notice, which
/// counts in whole milliseconds.
const OVER_PERCENT: u64 = 110;
const NOTICED_US: u64 = 5_000;
/// A moment that never comes.
const NEVER: u64 = u64::MAX;

/// No more than `limit` clients hold an object at once, and nobody is refused while there is room.
/// `acquire` (token, lease in µs) returns whether it was granted, `release` (token) whether the token
/// still held it.
///
/// A client certainly holds from when `acquire` returned to when it invoked `release` or, if that is
/// sooner, until a lease that began when `acquire` was invoked may have run out. It may hold from when
/// it invoked `acquire` to when `release` returned or, if that is sooner, until a lease that began when
/// `acquire` returned must have run out.
///
/// # Errors
/// When more held at once, one lost what it held before its lease had run out, or one was refused
/// although fewer can have held.
pub fn at_most(limit: usize, history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        let part = history.of(object);
        let tenures = tenures(&part);
        shared(limit, object, &tenures)?;
        robbed(object, &part, &tenures)?;
        kept_out(limit, object, &part, &tenures)?;
    }
    Ok(())
}

/// What a client held, or may have held when nobody knows whether it got it.
struct Tenure<'h> {
    acquire: &'h Operation,
    /// The first attempt to give it back.
    release: Option<&'h Operation>,
    /// When it is certainly held; at no time where that is not known.
    from: u64,
    until: u64,
    lease_ends: u64,
    /// When it is certainly over.
    over: u64,
}

impl Tenure<'_> {
    fn is_certain(&self) -> bool {
        self.from < self.until
    }

    fn is_robbed(&self) -> bool {
        self.release
            .is_some_and(|release| release.returned(false) && release.ended_us < self.lease_ends)
    }
}

fn tenures<'h>(part: &'h History) -> Vec<Tenure<'h>> {
    let mut releases: HashMap<&Value, Vec<&Operation>> = HashMap::new();
    for release in part.named("release").filter(|one| !one.is_failed()) {
        if let Some(token) = release.input.at(0) {
            releases.entry(token).or_default().push(release);
        }
    }
    let tenure = |acquire: &'h Operation| {
        let token = acquire.input.at(0)?;
        let lease = acquire.input.at(1).and_then(Value::integer);
        let lease_us = u64::try_from(lease?).ok()?;
        let releases = releases.get(token).map_or(&[][..], Vec::as_slice);
        Some(of(acquire, lease_us, releases))
    };
    part.named("acquire")
        .filter(|acquire| acquire.returned(true) || acquire.is_unknown())
        .filter_map(tenure)
        .collect()
}

fn of<'h>(acquire: &'h Operation, lease_us: u64, releases: &[&'h Operation]) -> Tenure<'h> {
    let release = releases
        .iter()
        .copied()
        .find(|release| release.invoked_us >= acquire.ended_us);
    if acquire.is_unknown() {
        // It may take effect late, and then the lease begins.
        return Tenure {
            acquire,
            release,
            from: NEVER,
            until: NEVER,
            lease_ends: 0,
            over: NEVER,
        };
    }
    let lease_ends = acquire.invoked_us + lease_us * RELIED_ON_PERCENT / 100;
    let lease_over = acquire.ended_us + lease_us * OVER_PERCENT / 100 + NOTICED_US;
    let given_back = releases
        .iter()
        .filter(|release| release.output().is_some())
        .map(|release| release.ended_us)
        .min();
    Tenure {
        acquire,
        release,
        from: acquire.ended_us,
        until: release.map_or(lease_ends, |release| release.invoked_us.min(lease_ends)),
        lease_ends,
        over: lease_over.min(given_back.unwrap_or(NEVER)),
    }
}

/// More than may hold did so at one moment: at the beginning of one of their tenures.
fn shared(limit: usize, object: &str, tenures: &[Tenure<'_>]) -> Result<(), Violation> {
    let mut certain: Vec<&Tenure<'_>> = tenures.iter().filter(|one| one.is_certain()).collect();
    certain.sort_by_key(|tenure| tenure.from);
    let mut holding: Vec<&Tenure<'_>> = Vec::new();
    for tenure in certain {
        holding.retain(|other| tenure.from < other.until);
        holding.push(tenure);
        if holding.len() > limit {
            let what = match limit {
                1 => format!("two clients held {object} at the same time"),
                _ => format!(
                    "{} clients held {object} at the same time, {limit} may",
                    holding.len()
                ),
            };
            return Err(Violation::new(what, holding.into_iter().flat_map(evidence)));
        }
    }
    Ok(())
}

/// The operations that show a tenure.
fn evidence<'h>(tenure: &Tenure<'h>) -> impl Iterator<Item = &'h Operation> {
    [Some(tenure.acquire), tenure.release].into_iter().flatten()
}

fn robbed(object: &str, part: &History, tenures: &[Tenure<'_>]) -> Result<(), Violation> {
    let Some(tenure) = tenures.iter().find(|tenure| tenure.is_robbed()) else {
        return Ok(());
    };
    let what = format!("a client lost {object} although its lease had not run out");
    let others = part.operations().iter().filter(|other| {
        other.ended_us >= tenure.acquire.ended_us
            && tenure
                .release
                .is_some_and(|release| other.invoked_us <= release.ended_us)
            && !other.returned(false)
    });
    Err(Violation::new(what, others.chain(evidence(tenure))))
}

/// One was refused, and so few can have held then that there was room.
fn kept_out(
    limit: usize,
    object: &str,
    part: &History,
    tenures: &[Tenure<'_>],
) -> Result<(), Violation> {
    // Of tenures that begin one after the other, those up to a refusal; most of them are over.
    let mut possible: Vec<&Tenure<'_>> = Vec::new();
    let mut next = 0;
    for refused in part.named("acquire").filter(|one| one.returned(false)) {
        while let Some(tenure) = tenures.get(next)
            && tenure.acquire.invoked_us <= refused.ended_us
        {
            possible.push(tenure);
            next += 1;
        }
        // Refusals come in the order in which they were invoked.
        possible.retain(|tenure| tenure.over >= refused.invoked_us);
        let holders = possible
            .iter()
            .filter(|tenure| tenure.acquire.invoked_us <= refused.ended_us);
        if holders.clone().count() >= limit {
            continue;
        }
        let last = tenures
            .iter()
            .filter(|tenure| tenure.over < refused.invoked_us)
            .max_by_key(|tenure| tenure.over);
        let what = match last {
            Some(last) if last.release.is_none_or(|one| one.invoked_us > last.over) => format!(
                "a client was refused {object} although the last holder's lease had run out"
            ),
            _ => format!("a client was refused {object} although there was room"),
        };
        let shown = holders.copied().chain(last).flat_map(evidence);
        return Err(Violation::new(what, shown.chain([refused])));
    }
    Ok(())
}

/// Fencing tokens rise: `grant` returns a token, and one that was granted after another was returned
/// is greater. `store` (token) returns whether the storage took it: never an older one after a newer,
/// and always one that is not older.
///
/// # Errors
/// When a token came twice or too low, an old one was let in, or a new one kept out.
pub fn fenced(history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        let part = history.of(object);
        rising(&part)?;
        stored(&part)?;
    }
    Ok(())
}

/// Of operations with a number each, in the order of their ends: the greatest up to each place.
struct Greatest<'h> {
    ends: Vec<u64>,
    greatest: Vec<(i64, &'h Operation)>,
}

impl<'h> Greatest<'h> {
    fn new(mut numbered: Vec<(i64, &'h Operation)>) -> Self {
        numbered.sort_by_key(|(_, operation)| operation.ended_us);
        let ends = numbered.iter().map(|(_, one)| one.ended_us).collect();
        let mut greatest = numbered;
        for at in 1..greatest.len() {
            if greatest[at - 1].0 > greatest[at].0 {
                greatest[at] = greatest[at - 1];
            }
        }
        Greatest { ends, greatest }
    }

    /// The greatest that was over before an operation began.
    fn before(&self, operation: &Operation) -> Option<(i64, &'h Operation)> {
        let over = self.ends.partition_point(|end| *end < operation.invoked_us);
        self.greatest.get(over.checked_sub(1)?).copied()
    }
}

fn rising(part: &History) -> Result<(), Violation> {
    let grants: Vec<(i64, &Operation)> = part
        .named("grant")
        .filter_map(|grant| Some((grant.output()?.integer()?, grant)))
        .collect();
    let what = "a later holder got a fencing token that is not greater";
    let mut seen = HashMap::new();
    for (token, grant) in &grants {
        if let Some(earlier) = seen.insert(*token, *grant) {
            return Err(Violation::new(what, [earlier, *grant]));
        }
    }
    let greatest = Greatest::new(grants.clone());
    for (token, grant) in grants {
        if let Some((greater, earlier)) = greatest.before(grant)
            && greater > token
        {
            return Err(Violation::new(what, [earlier, grant]));
        }
    }
    Ok(())
}

fn stored(part: &History) -> Result<(), Violation> {
    let stores: Vec<(i64, &Operation)> = part
        .named("store")
        .filter_map(|store| Some((store.input.integer()?, store)))
        .collect();
    let took = stores.iter().copied().filter(|(_, one)| one.returned(true));
    let greatest = Greatest::new(took.collect());
    // The greatest that may have been stored by the end of a refusal.
    let mut refusals: Vec<(i64, &Operation)> = stores
        .iter()
        .copied()
        .filter(|(_, one)| one.returned(false))
        .collect();
    refusals.sort_by_key(|(_, one)| one.ended_us);
    let mut begun = stores
        .iter()
        .filter(|(_, one)| !one.is_failed() && !one.returned(false))
        .peekable();
    let mut most = i64::MIN;
    for (token, store) in &refusals {
        while let Some((begins, _)) = begun.next_if(|(_, one)| one.invoked_us <= store.ended_us) {
            most = most.max(*begins);
        }
        if most <= *token {
            let what = "a holder was refused although nobody with a greater token had written";
            let before = greatest.before(store).map(|(_, earlier)| earlier);
            return Err(Violation::new(what, before.into_iter().chain([*store])));
        }
    }
    for (token, store) in stores {
        if store.returned(true)
            && let Some((greater, earlier)) = greatest.before(store)
            && greater > token
        {
            let what = "a holder whose lease was over wrote after the next one did";
            return Err(Violation::new(what, [earlier, store]));
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
    let mut computed: HashMap<&str, &Operation> = HashMap::new();
    let unknown: HashSet<&str> = history
        .operations()
        .iter()
        .filter(|one| one.is_unknown())
        .map(|one| one.object.as_str())
        .collect();
    for compute in history.named("compute") {
        let object = compute.object.as_str();
        if let Some(first) = computed.insert(object, compute)
            && !unknown.contains(object)
        {
            let what = format!("{object} was computed twice: the second caller did not wait");
            return Err(Violation::new(what, [first, compute]));
        }
    }
    Ok(())
}
