//! Jobs: none lost, none taken twice, none early.

use std::collections::BTreeMap;

use super::operation::{History, Operation, Value, Violation};

/// What a queue promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// A job is taken once, and lost with the consumer that took it.
    Once,
    /// A job is taken again after its consumer crashed, until it is finished.
    UntilFinished,
}

/// Checks a queue's jobs. `push` (job, and when it is due in µs), `take` returns a job or nothing,
/// `crash` (job) is a consumer that took a job and will not finish it, `reclaim` (least idle time in
/// µs) returns a job that another consumer left, `finish` (job) returns whether it was taken off the
/// list of unfinished ones. `drain` returns whether the queue was seen empty when all was over: what
/// is missing then is lost.
///
/// # Errors
/// When a job was lost, doubled, early, or never pushed.
pub fn check(promise: Promise, history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        queue(promise, &history.of(object))?;
    }
    Ok(())
}

#[derive(Default)]
struct Job<'h> {
    push: Option<&'h Operation>,
    takes: Vec<&'h Operation>,
    reclaims: Vec<&'h Operation>,
    crashes: Vec<&'h Operation>,
    finishes: Vec<&'h Operation>,
}

impl<'h> Job<'h> {
    fn all(&self) -> impl Iterator<Item = &'h Operation> {
        let lists = [&self.takes, &self.reclaims, &self.crashes, &self.finishes];
        let rest: Vec<&'h Operation> = lists.into_iter().flatten().copied().collect();
        self.push.into_iter().chain(rest)
    }
}

fn queue(promise: Promise, history: &History) -> Result<(), Violation> {
    let mut jobs: BTreeMap<&str, Job<'_>> = BTreeMap::new();
    for operation in history.operations().iter().filter(|one| !one.is_failed()) {
        let subject = match operation.name {
            "take" | "reclaim" => operation.output(),
            _ => operation.input.at(0),
        };
        let Some(name) = subject.and_then(Value::text) else {
            continue;
        };
        let job = jobs.entry(name).or_default();
        match operation.name {
            "push" => job.push = Some(operation),
            "take" => job.takes.push(operation),
            "reclaim" => job.reclaims.push(operation),
            "crash" => job.crashes.push(operation),
            "finish" if operation.returned(true) => job.finishes.push(operation),
            _ => {}
        }
    }
    let drained = history.named("drain").any(|drain| drain.returned(true));
    let uncertain = history
        .operations()
        .iter()
        .filter(|operation| operation.is_unknown() && operation.name != "push")
        .count();
    let mut missing = Vec::new();
    for (name, job) in &jobs {
        let wrong = |what: String| Err(Violation::new(what, job.all()));
        let Some(push) = job.push else {
            return wrong(format!("job {name} was taken and never pushed"));
        };
        if let Some(early) = job.takes.iter().find(|take| is_early(push, take)) {
            return Err(Violation::new(
                format!("job {name} was taken before it was due"),
                [push, *early],
            ));
        }
        if job.takes.len() > 1 {
            return wrong(format!("job {name} was taken twice"));
        }
        if job.finishes.len() > 1 {
            return wrong(format!("job {name} was finished twice"));
        }
        if let Some(reclaim) = job.reclaims.iter().find(|reclaim| is_hasty(job, reclaim)) {
            return Err(Violation::new(
                format!(
                    "job {name} was taken from a consumer that had not been idle for long enough"
                ),
                job.takes.iter().copied().chain([*reclaim]),
            ));
        }
        let gone = match promise {
            Promise::Once => job.takes.is_empty(),
            Promise::UntilFinished => job.finishes.is_empty(),
        };
        if gone && drained && push.output().is_some() {
            missing.push((name, job));
        }
    }
    // A take whose answer was lost may have taken a job with it.
    if missing.len() > uncertain
        && let Some((name, job)) = missing.first()
    {
        let end = history.named("drain");
        let what = format!("job {name} was pushed and is lost: the queue was empty at the end");
        return Err(Violation::new(what, job.all().chain(end)));
    }
    Ok(())
}

fn is_early(push: &Operation, take: &Operation) -> bool {
    let due_us = push.input.at(1).and_then(Value::integer);
    due_us.is_some_and(|due_us| i64::try_from(take.ended_us).is_ok_and(|at| at < due_us))
}

fn is_hasty(job: &Job<'_>, reclaim: &Operation) -> bool {
    let idle_us = reclaim
        .input
        .integer()
        .and_then(|us| u64::try_from(us).ok());
    let last = job
        .takes
        .iter()
        .chain(&job.reclaims)
        .filter(|other| other.precedes(reclaim))
        .max_by_key(|other| other.invoked_us);
    match (idle_us, last) {
        // Servers count idle time in whole milliseconds.
        (Some(idle_us), Some(last)) => reclaim.ended_us + 1_000 < last.invoked_us + idle_us,
        _ => false,
    }
}
