//! Streams with consumer groups: acknowledged once, reclaimed after a crash.

use std::time::Duration;

use async_trait::async_trait;

use super::context::{Context, POLL_PAUSE, Stop, Worker, command, ms, us, value, yes};
use super::queue::{Trade, crashes, drained, job_name, market};
use super::{Occasion, Workload};
use crate::client::Command;
use crate::history::delivery::{self, Promise};
use crate::history::{Call, Value};
use crate::reply::Reply;

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    id: "queue/workload/stream-group",
    title: "Each entry of a stream is acknowledged once, after a crash too",
    prose: "Event pipelines read a stream as a group; an entry that a consumer took and did not \
            acknowledge is claimed by another after a while. Entries lost or done twice are events \
            lost or done twice.",
    eventual: false,
    occasions: &[
        Occasion::HANDED_OVER,
        Occasion::CRASHED,
        Occasion::RECLAIMED,
        Occasion::DRAINED,
    ],
    run: |context| Box::pin(group(context)),
    check: |history| delivery::check(Promise::UntilFinished, history).map(|()| Vec::new()),
}];

const GROUP: &[u8] = b"workers";
/// Who tidies up when all others are done, and after how many attempts it gives up.
const LAST: &[u8] = b"last";
const STRANDED_AFTER: usize = 4;
/// How long a consumer may be idle before its entries are claimed.
const IDLE: Duration = Duration::from_millis(80);

/// How long a consumer waits at the server, in milliseconds.
const BLOCK_MS: &[u8] = b"50";

struct Consumers {
    blocks: bool,
}

#[async_trait]
impl Trade for Consumers {
    async fn produce(&self, worker: &mut Worker<'_>, number: usize) -> Result<(), Stop> {
        let (key, job) = (worker.context.key("stream"), job_name(worker, number));
        let call = worker.invoke("push", "stream", job.as_str());
        let add = command([b"XADD", &key, b"*", b"job", job.as_bytes()]);
        worker.perform(call, &add, |_| Value::Nil).await.map(|_| ())
    }

    async fn consume(&self, worker: &mut Worker<'_>) -> Result<bool, Stop> {
        let key = worker.context.key("stream");
        let name = format!("c{}", worker.index);
        let call = worker.invoke("take", "stream", Value::Nil);
        let mut read = command([
            b"XREADGROUP",
            b"GROUP",
            GROUP,
            name.as_bytes(),
            b"COUNT",
            b"1",
        ]);
        if self.blocks {
            read.extend(command([b"BLOCK", BLOCK_MS]));
        }
        read.extend(command([b"STREAMS", &key, b">"]));
        if crashes(worker) {
            worker.crash_during(call, &read).await?;
            return Ok(true);
        }
        let taken = entry_of(worker, call, &read, of_read).await?;
        let entry = match taken {
            Some(entry) => Some(entry),
            None => {
                let call = worker.invoke("reclaim", "stream", us(IDLE));
                let claim = command([
                    b"XAUTOCLAIM",
                    &key,
                    GROUP,
                    name.as_bytes(),
                    ms(IDLE).as_bytes(),
                    b"0",
                    b"COUNT",
                    b"1",
                ]);
                if crashes(worker) {
                    worker.crash_during(call, &claim).await?;
                    return Ok(true);
                }
                entry_of(worker, call, &claim, of_claim).await?
            }
        };
        let Some((id, job)) = entry else {
            if !self.blocks {
                worker.pause(POLL_PAUSE).await;
            }
            return Ok(pending(worker, &key).await? != Some(0));
        };
        if crashes(worker) {
            let call = worker.invoke("crash", "stream", job.as_str());
            call.returned(Value::Nil);
            return Ok(true);
        }
        let call = worker.invoke("finish", "stream", job.as_str());
        let acknowledge = command([b"XACK", &key, GROUP, &id]);
        if crashes(worker) {
            worker.crash_during(call, &acknowledge).await?;
            return Ok(true);
        }
        worker.perform(call, &acknowledge, yes).await?;
        Ok(true)
    }
}

async fn group(context: &Context) -> Result<(), Stop> {
    let key = context.key("stream");
    let mut first = context.worker(context.settings.clients).await?;
    let create = command([b"XGROUP", b"CREATE", &key, GROUP, b"0", b"MKSTREAM"]);
    first.look(&create).await?;
    let blocks = context.blocks();
    market(context, &Consumers { blocks }).await?;
    // Nothing is left to take, and nothing unacknowledged.
    let rest = command([
        b"XREADGROUP",
        b"GROUP",
        GROUP,
        LAST,
        b"COUNT",
        b"1",
        b"STREAMS",
        &key,
        b">",
    ]);
    let nothing_left = matches!(first.look(&rest).await?, Reply::Nil);
    if nothing_left && !context.is_stopped() {
        claim_the_rest(&mut first, &key).await?;
    }
    let all_done = pending(&mut first, &key).await? == Some(0);
    drained(context, "stream", nothing_left && all_done);
    Ok(())
}

/// Claims what crashed consumers left, now that nobody is in the way, and notes what cannot be claimed.
async fn claim_the_rest(last: &mut Worker<'_>, key: &[u8]) -> Result<(), Stop> {
    for _ in 0..STRANDED_AFTER {
        if pending(last, key).await? == Some(0) {
            return Ok(());
        }
        last.pause(2 * IDLE).await;
        let idle = ms(IDLE);
        let claim = command([
            b"XAUTOCLAIM",
            key,
            GROUP,
            LAST,
            idle.as_bytes(),
            b"0",
            b"COUNT",
            b"1000",
        ]);
        let claimed = last.look(&claim).await?;
        let entries = items(&claimed).get(1).map_or(&[][..], items);
        for (id, job) in entries.iter().filter_map(parts) {
            let call = last.invoke("finish", "stream", job.as_str());
            last.perform(call, &command([b"XACK", key, GROUP, &id]), yes)
                .await?;
        }
    }
    if let Some(left @ 1..) = pending(last, key).await? {
        let call = last.invoke("stranded", "stream", Value::Nil);
        call.returned(left);
    }
    Ok(())
}

/// How many entries were taken and not acknowledged.
async fn pending(worker: &mut Worker<'_>, key: &[u8]) -> Result<Option<i64>, Stop> {
    let summary = worker.look(&command([b"XPENDING", key, GROUP])).await?;
    Ok(value(&summary).at(0).and_then(Value::integer))
}

type Entry = (Vec<u8>, String);

/// Performs a read, notes the job it brought, and returns it with its entry's id.
async fn entry_of<'c>(
    worker: &mut Worker<'c>,
    call: Call<'c>,
    read: &Command,
    find: fn(&Reply) -> Option<&Reply>,
) -> Result<Option<Entry>, Stop> {
    let entry = |reply: &Reply| find(reply).and_then(parts);
    let noted = |reply: &Reply| entry(reply).map_or(Value::Nil, |(_, job)| Value::Text(job));
    let reply = worker.perform(call, read, noted).await?;
    Ok(reply.as_ref().and_then(entry))
}

fn items(reply: &Reply) -> &[Reply] {
    match reply {
        Reply::Array(items) => items,
        _ => &[],
    }
}

/// `[[stream, [entry]]]`, or a map of that in RESP3.
fn of_read(reply: &Reply) -> Option<&Reply> {
    match reply {
        Reply::Map(pairs) => items(&pairs.first()?.1).first(),
        other => items(items(items(other).first()?).get(1)?).first(),
    }
}

/// `[next, [entry], …]`.
fn of_claim(reply: &Reply) -> Option<&Reply> {
    items(items(reply).get(1)?).first()
}

/// `[id, [field, value]]`.
fn parts(entry: &Reply) -> Option<Entry> {
    let parts = items(entry);
    let id = parts.first()?.as_bytes()?.to_vec();
    let job = items(parts.get(1)?).get(1)?.as_bytes()?;
    Some((id, String::from_utf8_lossy(job).into_owned()))
}
