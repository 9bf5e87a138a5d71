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
/// list of unfinished ones. `drain` returns whether nothing was left when all was over, neither to take
/// nor to finish: what is missing then is lost.
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
    /// Whether one of its finishes has no known outcome.
    perhaps_finished: bool,
}

impl<'h> Job<'h> {
    fn all(&self) -> impl Iterator<Item = &'h Operation> {
        let lists = [&self.takes, &self.reclaims, &self.crashes, &self.finishes];
        let rest: Vec<&'h Operation> = lists.into_iter().flatten().copied().collect();
        self.push.into_iter().chain(rest)
    }

    /// A finish, and a time that it was handed out after that.
    fn again(&self) -> Option<(&'h Operation, &'h Operation)> {
        let finish = self.finishes.first()?;
        let out = self.takes.iter().chain(&self.reclaims);
        let again = out.copied().find(|again| finish.precedes(again))?;
        Some((finish, again))
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
            "finish" => job.perhaps_finished |= operation.is_unknown(),
            _ => {}
        }
    }
    let drained = history.named("drain").any(|drain| drain.returned(true));
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
        if let Some((before, reclaim)) = hasty(job) {
            return Err(Violation::new(
                format!(
                    "job {name} was taken from a consumer that had not been idle for long enough"
                ),
                [before, reclaim],
            ));
        }
        if let Some((finish, again)) = job.again() {
            let what = format!("job {name} was handed out again after it was finished");
            return Err(Violation::new(what, [push, finish, again]));
        }
        let gone = match promise {
            Promise::Once => job.takes.is_empty(),
            Promise::UntilFinished => job.finishes.is_empty() && !job.perhaps_finished,
        };
        if gone && drained && push.output().is_some() {
            missing.push((name, job));
        }
    }
    if let Some(stranded) = history.named("stranded").next() {
        let left = stranded.output().and_then(Value::integer).unwrap_or(0);
        let crashed = history.named("crash").filter(|crash| {
            let job = crash.input.at(0).and_then(Value::text);
            job.and_then(|job| jobs.get(job))
                .is_some_and(|job| job.finishes.is_empty() && !job.perhaps_finished)
        });
        let what =
            format!("{left} jobs stay with consumers that crashed: nobody else is given them");
        return Err(Violation::new(what, crashed.take(3).chain([stranded])));
    }
    // A take whose answer was lost may have taken a job with it, where it is not kept until finished.
    let excused = match promise {
        Promise::Once => history.named("take").filter(|one| one.is_unknown()).count(),
        Promise::UntilFinished => 0,
    };
    if missing.len() > excused
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

/// Two times that a job was handed out, of which the later, a reclaim, came too soon after the other,
/// whichever that was.
fn hasty<'h>(job: &Job<'h>) -> Option<(&'h Operation, &'h Operation)> {
    let out = || job.takes.iter().chain(&job.reclaims).copied();
    let pairs = job
        .reclaims
        .iter()
        .flat_map(|reclaim| out().map(move |other| (other, *reclaim)));
    pairs
        .filter(|(other, reclaim)| !std::ptr::eq(*other, *reclaim))
        .find(|(other, reclaim)| !may_follow(other, reclaim) && !may_follow(reclaim, other))
}

/// Whether a reclaim can have come so long after a job was handed out as it says.
fn may_follow(out: &Operation, reclaim: &Operation) -> bool {
    let idle_us = reclaim.input.integer().unwrap_or(0);
    let idle_us = u64::try_from(idle_us).unwrap_or(0);
    // Servers count idle time in whole milliseconds.
    reclaim.name == "reclaim" && reclaim.ended_us + 1_000 >= out.invoked_us + idle_us
}
