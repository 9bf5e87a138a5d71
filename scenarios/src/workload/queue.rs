//! Queues on lists and sorted sets: plain pops, reliable hand-over, delayed jobs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::context::{Context, POLL_PAUSE, Stop, Worker, command, value, yes};
use super::{Occasion, Workload};
use crate::client::Command;
use crate::history::delivery::{self, Promise};
use crate::history::{Value, linearizable, model};
use crate::reply::Reply;

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        id: "queue/workload/pops",
        title: "A popped job is taken by one consumer",
        prose: "Mailers and webhooks pop jobs from a list. A job that is popped twice, or pushed twice \
                by a retry that nobody sees, is a second mail; one that is lost is no mail.",
        eventual: false,
        occasions: &[Occasion::HANDED_OVER, Occasion::DRAINED],
        run: |context| Box::pin(pops(context)),
        check: |history| delivery::check(Promise::Once, history).map(|()| Vec::new()),
    },
    Workload {
        id: "queue/workload/first-in-first-out",
        title: "A list is a queue: first in, first out, empty when it is empty",
        prose: "Consumers rely on the order of a list, and take an empty answer for an empty queue.",
        eventual: false,
        occasions: &[Occasion::OVERLAP, Occasion::HANDED_OVER, Occasion::EMPTY],
        run: |context| Box::pin(fifo(context)),
        check: |history| linearizable::check(&model::Queue, history),
    },
    Workload {
        id: "queue/workload/reliable",
        title: "A job survives the consumer that took it",
        prose: "Consumers move a job to a list of their own, and remove it when it is done. One that \
                crashes, while it moves the job, before it has done it or while it removes it, finds it \
                there afterwards. Without that, every deployment loses jobs.",
        eventual: false,
        occasions: &[Occasion::HANDED_OVER, Occasion::CRASHED, Occasion::DRAINED],
        run: |context| Box::pin(reliable(context)),
        check: |history| delivery::check(Promise::UntilFinished, history).map(|()| Vec::new()),
    },
    Workload {
        id: "queue/workload/delayed",
        title: "A delayed job is claimed once, and never early",
        prose: "Reminders and retries wait in a sorted set until they are due; whoever removes one has \
                it. Early is wrong, and two who both removed it both send it.",
        eventual: false,
        occasions: &[Occasion::HANDED_OVER, Occasion::RIVALS, Occasion::DRAINED],
        run: |context| Box::pin(delayed(context)),
        check: |history| delivery::check(Promise::Once, history).map(|()| Vec::new()),
    },
];

/// How long consumers go on after the last job was pushed: twice as long as jobs were, in these bounds.
const DRAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(20)];
/// How long a consumer waits at the server, in seconds as Redis takes them.
const BLOCK: &[u8] = b"0.05";
/// The longest delay of a job.
const DELAY_MS: u64 = 300;
/// How many due jobs a consumer looks at, and how many of them it tries to take.
const LOOKED_AT: &[u8] = b"12";
const TRIED: usize = 3;

/// What producers and consumers of a queue do, a step at a time.
#[async_trait]
pub(super) trait Trade: Sync {
    /// Pushes a job.
    async fn produce(&self, worker: &mut Worker<'_>, number: usize) -> Result<(), Stop>;

    /// Takes a job, and says whether there may be more.
    async fn consume(&self, worker: &mut Worker<'_>) -> Result<bool, Stop>;
}

/// Producers push until the operations are used up; consumers go on until the queue stays empty.
pub(super) async fn market(context: &Context, trade: &dyn Trade) -> Result<(), Stop> {
    let producers = producers(context);
    let busy = &AtomicUsize::new(producers);
    let drain = (2 * context.settings.duration).clamp(DRAIN[0], DRAIN[1]);
    context
        .all(consumers(context), |mut worker| async move {
            if worker.index < producers {
                let mut number = 0;
                let mut done = Ok(());
                while done.is_ok() && context.next() {
                    number += 1;
                    done = trade.produce(&mut worker, number).await;
                    worker.dawdle(POLL_PAUSE).await;
                }
                busy.fetch_sub(1, Ordering::SeqCst);
                return done;
            }
            loop {
                let over = busy.load(Ordering::SeqCst) == 0;
                let found = trade.consume(&mut worker).await?;
                if !found && over || context.is_over(drain) {
                    return Ok(());
                }
                if !found {
                    worker.pause(POLL_PAUSE).await;
                }
            }
        })
        .await
}

fn producers(context: &Context) -> usize {
    (context.settings.clients / 2).max(1)
}

/// Below which number consumers have theirs: there are two at least.
fn consumers(context: &Context) -> usize {
    context.settings.clients.max(producers(context) + 2)
}

pub(super) fn job_name(worker: &Worker<'_>, number: usize) -> String {
    format!("job-{}-{number}", worker.index)
}

/// The job in a reply: of BLPOP it is the second of two.
fn job(reply: &Reply) -> Value {
    match reply {
        Reply::Array(items) => items.get(1).map_or(Value::Nil, value),
        other => value(other),
    }
}

/// Notes whether nothing is left now that all is over.
pub(super) fn drained(context: &Context, name: &str, nothing_left: bool) {
    let last = context.settings.clients;
    let call = context.recorder.invoke(last, "drain", name, Value::Nil);
    call.returned(nothing_left);
}

/// Whether something holds nothing, by the command that counts it.
async fn is_empty(worker: &mut Worker<'_>, count: &[u8], key: &[u8]) -> Result<bool, Stop> {
    Ok(worker.look(&command([count, key])).await? == Reply::Integer(0))
}

async fn push(worker: &mut Worker<'_>, name: &str, number: usize) -> Result<(), Stop> {
    let job = job_name(worker, number);
    let call = worker.invoke("push", name, job.as_str());
    let key = worker.context.key(name);
    let push = command([b"RPUSH", &key, job.as_bytes()]);
    worker
        .perform(call, &push, |_| Value::Nil)
        .await
        .map(|_| ())
}

/// What came of a take.
enum Taken {
    Job(String),
    Nothing,
    /// The answer was lost; there may be more.
    Unanswered,
}

async fn take(worker: &mut Worker<'_>, name: &str, take: &Command) -> Result<Taken, Stop> {
    let call = worker.invoke("take", name, Value::Nil);
    let Some(reply) = worker.perform(call, take, job).await? else {
        worker.pause(POLL_PAUSE).await;
        return Ok(Taken::Unanswered);
    };
    Ok(match job(&reply).text() {
        Some(job) => Taken::Job(job.to_owned()),
        None => Taken::Nothing,
    })
}

struct Pops {
    pop: Command,
}

#[async_trait]
impl Trade for Pops {
    async fn produce(&self, worker: &mut Worker<'_>, number: usize) -> Result<(), Stop> {
        push(worker, "jobs", number).await
    }

    async fn consume(&self, worker: &mut Worker<'_>) -> Result<bool, Stop> {
        let taken = take(worker, "jobs", &self.pop).await?;
        Ok(!matches!(taken, Taken::Nothing))
    }
}

async fn pops(context: &Context) -> Result<(), Stop> {
    let key = context.key("jobs");
    let pop = match context.blocks() {
        true => command([b"BLPOP", &key, BLOCK]),
        false => command([b"LPOP", &key]),
    };
    market(context, &Pops { pop }).await?;
    let mut last = context.caught_up(context.settings.clients).await?;
    let empty = is_empty(&mut last, b"LLEN", &key).await?;
    drained(context, "jobs", empty);
    Ok(())
}

async fn fifo(context: &Context) -> Result<(), Stop> {
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut number = 0;
            while context.next() {
                number += 1;
                let name = format!("list-{}", worker.below(3));
                if worker.chance(50) {
                    push(&mut worker, &name, number).await?;
                } else {
                    let pop = command([b"LPOP", &context.key(&name)]);
                    take(&mut worker, &name, &pop).await?;
                }
                worker.dawdle(POLL_PAUSE).await;
            }
            Ok(())
        })
        .await
}

struct Reliable {
    blocks: bool,
}

#[async_trait]
impl Trade for Reliable {
    async fn produce(&self, worker: &mut Worker<'_>, number: usize) -> Result<(), Stop> {
        push(worker, "jobs", number).await
    }

    async fn consume(&self, worker: &mut Worker<'_>) -> Result<bool, Stop> {
        let jobs = worker.context.key("jobs");
        let own = worker.context.key(&format!("taken-{}", worker.index));
        let by = match self.blocks {
            true => command([b"BLMOVE", &jobs, &own, b"LEFT", b"RIGHT", BLOCK]),
            false => command([b"LMOVE", &jobs, &own, b"LEFT", b"RIGHT"]),
        };
        if crashes(worker) {
            let call = worker.invoke("take", "jobs", Value::Nil);
            worker.crash_during(call, &by).await?;
            resume(worker, &own).await?;
            return Ok(true);
        }
        let taken = match take(worker, "jobs", &by).await? {
            Taken::Job(job) => job,
            Taken::Nothing => return resume(worker, &own).await,
            Taken::Unanswered => {
                resume(worker, &own).await?;
                return Ok(true);
            }
        };
        // One that starts again goes on, or looks first at what it left.
        if crashes(worker) {
            let call = worker.invoke("crash", "jobs", taken.as_str());
            call.returned(Value::Nil);
            if worker.chance(50) {
                resume(worker, &own).await?;
            }
            return Ok(true);
        }
        if crashes(worker) {
            let call = worker.invoke("finish", "jobs", taken.as_str());
            worker.crash_during(call, &done(&own, &taken)).await?;
            resume(worker, &own).await?;
            return Ok(true);
        }
        finish(worker, &own, &taken).await?;
        Ok(true)
    }
}

/// Whether a consumer crashes at this point.
pub(super) fn crashes(worker: &mut Worker<'_>) -> bool {
    worker.chance(8)
}

async fn reliable(context: &Context) -> Result<(), Stop> {
    let jobs = &context.key("jobs");
    let blocks = context.blocks();
    market(context, &Reliable { blocks }).await?;
    let own: Vec<Vec<u8>> = (0..consumers(context))
        .map(|index| context.key(&format!("taken-{index}")))
        .collect();
    // Consumers that come back for the last time find what they left. What a crashed one had sent may
    // be carried out late.
    for _ in 0..3 {
        for (index, own) in own.iter().enumerate() {
            let mut worker = context.caught_up(index).await?;
            resume(&mut worker, own).await?;
        }
        // Jobs go from the common list to the others, so that one is met or gone in this order.
        let mut last = context.caught_up(context.settings.clients).await?;
        let mut empty = is_empty(&mut last, b"LLEN", jobs).await?;
        for own in &own {
            empty = empty && is_empty(&mut last, b"LLEN", own).await?;
        }
        if empty {
            drained(context, "jobs", true);
            return Ok(());
        }
    }
    drained(context, "jobs", false);
    Ok(())
}

fn done(own: &[u8], job: &str) -> Command {
    command([b"LREM", own, b"1", job.as_bytes()])
}

async fn finish(worker: &mut Worker<'_>, own: &[u8], job: &str) -> Result<(), Stop> {
    let call = worker.invoke("finish", "jobs", job);
    worker.perform(call, &done(own, job), yes).await.map(|_| ())
}

/// A consumer finishes what is in its own list.
async fn resume(worker: &mut Worker<'_>, own: &[u8]) -> Result<bool, Stop> {
    let left = worker.look(&command([b"LRANGE", own, b"0", b"-1"])).await?;
    let Reply::Array(left) = left else {
        return Ok(false);
    };
    for job in &left {
        if let Some(job) = value(job).text() {
            finish(worker, own, job).await?;
        }
    }
    Ok(!left.is_empty())
}

struct Delayed;

#[async_trait]
impl Trade for Delayed {
    async fn produce(&self, worker: &mut Worker<'_>, number: usize) -> Result<(), Stop> {
        let (key, job) = (worker.context.key("due"), job_name(worker, number));
        let delay = 1 + worker.below(DELAY_MS);
        // The time of day is in whole milliseconds.
        let due_us = worker.context.recorder.now_us() + delay * 1_000 - 1_000;
        let due = worker.context.clock_ms() + i64::try_from(delay).unwrap_or(0);
        let noted = i64::try_from(due_us).unwrap_or(0);
        let call = worker.invoke("push", "due", [job.as_str().into(), noted.into()]);
        let add = command([b"ZADD", &key, due.to_string().as_bytes(), job.as_bytes()]);
        worker.perform(call, &add, |_| Value::Nil).await?;
        // Not more than consumers can keep up with.
        worker.dawdle(3 * POLL_PAUSE).await;
        Ok(())
    }

    async fn consume(&self, worker: &mut Worker<'_>) -> Result<bool, Stop> {
        let key = worker.context.key("due");
        claim(worker, &key).await
    }
}

async fn delayed(context: &Context) -> Result<(), Stop> {
    market(context, &Delayed).await?;
    let mut last = context.caught_up(context.settings.clients).await?;
    let empty = is_empty(&mut last, b"ZCARD", &context.key("due")).await?;
    drained(context, "due", empty);
    Ok(())
}

/// Looks for due jobs, and takes those that it is the first to remove. It begins anywhere among them,
/// not to be in the others' way. Says whether any is left.
async fn claim(worker: &mut Worker<'_>, key: &[u8]) -> Result<bool, Stop> {
    let now = worker.context.clock_ms().to_string();
    // Where consumers do not keep up, only what has just become due can tell whether it was early.
    let due = match worker.chance(50) {
        true => command([
            b"ZREVRANGEBYSCORE",
            key,
            now.as_bytes(),
            b"-inf",
            b"LIMIT",
            b"0",
            LOOKED_AT,
        ]),
        false => command([
            b"ZRANGEBYSCORE",
            key,
            b"-inf",
            now.as_bytes(),
            b"LIMIT",
            b"0",
            LOOKED_AT,
        ]),
    };
    if let Reply::Array(mut due) = worker.look(&due).await? {
        let first = worker.below(due.len() as u64) as usize;
        due.rotate_left(first);
        for job in due.into_iter().take(TRIED) {
            let name = value(&job);
            let Some(member) = job.as_bytes() else {
                continue;
            };
            let call = worker.invoke("take", "due", Value::Nil);
            let taken = |reply: &Reply| match reply {
                Reply::Integer(1..) => name.clone(),
                _ => Value::Nil,
            };
            worker
                .perform(call, &command([b"ZREM", key, member]), taken)
                .await?;
        }
    }
    let left = worker.look(&command([b"ZCARD", key])).await?;
    worker.pause(POLL_PAUSE / 2).await;
    Ok(left != Reply::Integer(0))
}
