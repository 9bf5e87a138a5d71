//! Whether a history of a queue is linearizable, without a search.
//!
//! Where every job is told apart, a history of a queue is right unless it has one of four faults
//! (Henzinger, Sezgin and Vafeiadis, 2013): a job came from nowhere, one was taken twice, one overtook
//! another, or the queue was called empty while something was certainly in it. Each is found by
//! sorting. A take whose answer was lost may have taken any job: which one is tried where a fault
//! would go away by it, and only there.

use std::collections::HashMap;

use super::linearizable::Shortcut;
use super::operation::{Operation, Value};

/// How many guesses are made about what takes without an answer took.
const GUESSES: usize = 5_000;
/// A moment that never comes.
const NEVER: u64 = u64::MAX;

/// A job: when its push was invoked and over, and when its take was.
#[derive(Debug, Clone, Copy)]
struct Job<'h> {
    name: &'h Value,
    push: (u64, u64),
    /// Of a job that nobody took it is at no time.
    take: (u64, u64),
}

/// An overtaken job, or one that was there when the queue was called empty.
struct Fault {
    why: String,
    /// The job that somebody has to have taken, if nobody is known to have.
    job: usize,
    /// The latest moment at which that take may have been invoked.
    until: u64,
}

/// Decides about a queue; not where jobs of one name were pushed twice, or too much is unknown.
pub(super) fn decide(operations: &[Operation]) -> Option<Shortcut> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    let mut place = HashMap::new();
    for push in operations
        .iter()
        .filter(|one| one.name == "push" && !one.is_failed())
    {
        let name = push.input.at(0)?;
        let over = if push.is_unknown() {
            NEVER
        } else {
            push.ended_us
        };
        if place.insert(name, jobs.len()).is_some() {
            return None;
        }
        jobs.push(Job {
            name,
            push: (push.invoked_us, over),
            take: (NEVER, NEVER),
        });
    }
    let (mut empty, mut unknown) = (Vec::new(), Vec::new());
    for take in operations
        .iter()
        .filter(|one| one.name == "take" && !one.is_failed())
    {
        let time = (take.invoked_us, take.ended_us);
        match take.output() {
            None => unknown.push(take.invoked_us),
            Some(Value::Nil) => empty.push(time),
            Some(name) => {
                let Some(job) = place.get(name).map(|at| &mut jobs[*at]) else {
                    return Some(Shortcut::Wrong(format!(
                        "{name} was taken and never pushed"
                    )));
                };
                if job.take != (NEVER, NEVER) {
                    return Some(Shortcut::Wrong(format!("{name} was taken twice")));
                }
                if time.1 < job.push.0 {
                    return Some(Shortcut::Wrong(format!(
                        "{name} was taken before it was pushed"
                    )));
                }
                job.take = time;
            }
        }
    }
    // A push without an answer, of a job that nobody saw, need not have happened.
    jobs.retain(|job| job.push.1 != NEVER || job.take.0 != NEVER);
    unknown.sort_unstable();
    let mut guesses = GUESSES;
    guess(&mut jobs, &empty, &mut unknown, &mut guesses)
}

/// Looks for faults, and lets takes without an answer take what would be a fault if they had not.
/// `None` when that was tried too often.
fn guess(
    jobs: &mut [Job<'_>],
    empty: &[(u64, u64)],
    unknown: &mut Vec<u64>,
    guesses: &mut usize,
) -> Option<Shortcut> {
    let mut faults = overtaken(jobs);
    let times = occupied(jobs);
    faults.extend(
        empty
            .iter()
            .filter_map(|time| not_empty(jobs, &times, *time)),
    );
    let Some(first) = faults.iter().min_by_key(|fault| fault.until) else {
        return Some(Shortcut::Right);
    };
    let certain = faults.iter().find(|fault| jobs[fault.job].take.0 != NEVER);
    if let Some(fault) = certain {
        return Some(Shortcut::Wrong(fault.why.clone()));
    }
    let in_time = unknown.partition_point(|invoked| *invoked <= first.until);
    for at in 0..in_time {
        *guesses = guesses.checked_sub(1)?;
        let invoked = unknown.remove(at);
        jobs[first.job].take = (invoked, NEVER);
        let found = guess(jobs, empty, unknown, guesses);
        jobs[first.job].take = (NEVER, NEVER);
        unknown.insert(at, invoked);
        match found {
            Some(Shortcut::Wrong(_)) => {}
            other => return other,
        }
    }
    Some(Shortcut::Wrong(first.why.clone()))
}

/// Jobs whose push was over before another's began, and whose take began after the other's was over.
fn overtaken(jobs: &[Job<'_>]) -> Vec<Fault> {
    let mut by_push: Vec<usize> = (0..jobs.len()).collect();
    by_push.sort_unstable_by_key(|at| jobs[*at].push.0);
    // Of those that were pushed from here on, the one that was the first to be gone.
    let mut soonest: Vec<usize> = by_push.clone();
    for at in (0..soonest.len().saturating_sub(1)).rev() {
        if jobs[soonest[at + 1]].take.1 < jobs[soonest[at]].take.1 {
            soonest[at] = soonest[at + 1];
        }
    }
    let fault = |at: usize| {
        let job = &jobs[at];
        let later = by_push.partition_point(|other| jobs[*other].push.0 <= job.push.1);
        let other = &jobs[*soonest.get(later)?];
        (other.take.1 < job.take.0).then(|| Fault {
            why: format!(
                "{} was taken before {}, which was pushed before it",
                other.name, job.name
            ),
            job: at,
            until: other.take.1,
        })
    };
    (0..jobs.len()).filter_map(fault).collect()
}

/// A time in which the queue was certainly not empty, and the job that made it last so long.
struct Occupied {
    from: u64,
    until: u64,
    job: usize,
}

/// A job is certainly there from when its push is over to when its take begins. What such times cover
/// together, where each begins before the one before it is over, is never empty.
fn occupied(jobs: &[Job<'_>]) -> Vec<Occupied> {
    let mut by_push: Vec<usize> = (0..jobs.len()).collect();
    by_push.retain(|at| jobs[*at].push.1 < jobs[*at].take.0);
    by_push.sort_unstable_by_key(|at| jobs[*at].push.1);
    let mut times: Vec<Occupied> = Vec::new();
    for job in by_push {
        let (from, until) = (jobs[job].push.1, jobs[job].take.0);
        match times.last_mut() {
            Some(time) if from < time.until => {
                if until > time.until {
                    (time.until, time.job) = (until, job);
                }
            }
            _ => times.push(Occupied { from, until, job }),
        }
    }
    times
}

/// Why the queue cannot have been empty at any moment of a take that found it so.
fn not_empty(jobs: &[Job<'_>], times: &[Occupied], (from, until): (u64, u64)) -> Option<Fault> {
    let before = times.partition_point(|time| time.from < from);
    let time = &times[before.checked_sub(1)?];
    (time.until > from.max(until)).then(|| Fault {
        why: format!(
            "it was called empty while {} was in it",
            jobs[time.job].name
        ),
        job: time.job,
        until,
    })
}
