//! Locks under contention: leases that run out, holders that stall, fencing tokens, semaphores,
//! single flights.

use std::time::Duration;

use super::context::{Context, POLL_PAUSE, Stop, Worker, command, eval, ms, us, value, yes};
use super::{Occasion, Workload};
use crate::history::{Value, holding, linearizable, model};
use crate::reply::Reply;

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        id: "locks/workload/mutual-exclusion",
        title: "A lock has one holder under contention, with leases that run out and holders that stall",
        prose: "Cron jobs, payment workers and migrations take a lock with `SET … NX PX` and give it \
                back with a script that compares the token. Without it two of them do the job.",
        eventual: false,
        occasions: &[
            Occasion::REFUSED,
            Occasion::STALLED,
            Occasion::NEVER_RELEASED,
        ],
        run: |context| Box::pin(exclusion(context)),
        check: |history| holding::at_most(1, history).map(|()| Vec::new()),
    },
    Workload {
        id: "locks/workload/handover",
        title: "A lock is free exactly when nobody holds it",
        prose: "Whoever waits for a lock takes a refusal for a holder, and a grant for its absence. If \
                either can be wrong, work is done twice or never.",
        eventual: false,
        occasions: &[Occasion::REFUSED],
        run: |context| Box::pin(handover(context)),
        check: |history| linearizable::check(&model::Lock, history),
    },
    Workload {
        id: "locks/workload/fencing",
        title: "Fencing tokens rise from holder to holder, and keep late writers out",
        prose: "A holder that stalls past its lease may wake up and write. Storage that compares a \
                rising number refuses it; a number that comes twice, or too low, lets it in.",
        eventual: false,
        occasions: &[Occasion::LATE_WRITER],
        run: |context| Box::pin(fencing(context)),
        check: |history| holding::fenced(history).map(|()| Vec::new()),
    },
    Workload {
        id: "locks/workload/semaphore",
        title: "A semaphore lets in no more than it may",
        prose: "Pools of expensive things (connections to a partner, GPU jobs) are guarded by a sorted \
                set of holders. One too many, and the partner throttles everybody.",
        eventual: false,
        occasions: &[
            Occasion::REFUSED,
            Occasion::STALLED,
            Occasion::NEVER_RELEASED,
        ],
        run: |context| Box::pin(semaphore(context)),
        check: |history| holding::at_most(SEATS, history).map(|()| Vec::new()),
    },
    Workload {
        id: "cache/workload/single-flight",
        title: "Of all that miss a cache at once, one computes",
        prose: "When a hot entry expires, hundreds of requests miss it together. A lock lets one of \
                them ask the database; without it all do, and the database falls over.",
        eventual: false,
        occasions: &[Occasion::STAMPEDE],
        run: |context| Box::pin(single_flight(context)),
        check: |history| holding::once(history).map(|()| Vec::new()),
    },
];

/// Gives a lock back if the token still holds it (Redis docs, distributed locks).
const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
/// Takes the lock and the next number.
const GRANT: &str = "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then \
                     local n = redis.call('INCR', KEYS[2]) redis.call('PEXPIRE', KEYS[2], ARGV[3]) \
                     return n end return false";
/// Stores unless a greater number stored before.
const STORE: &str = "if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 0 \
                     end redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1";
/// Takes a seat, after those whose lease is over are cleared.
const SIT: &str = "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2]) \
                   if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end \
                   redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) \
                   redis.call('PEXPIRE', KEYS[1], ARGV[5]) return 1";
/// How many seats the semaphore has: so few that there are always clients who wait for one.
const SEATS: usize = 2;

async fn exclusion(context: &Context) -> Result<(), Stop> {
    let (key, lease) = (context.key("lock"), context.lease());
    let key = &key;
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut number = 0;
            while context.next() {
                number += 1;
                let token = format!("c{}-{number}", worker.index);
                let call = worker.invoke("acquire", "lock", [token.as_str().into(), us(lease)]);
                let set = command([
                    b"SET",
                    key,
                    token.as_bytes(),
                    b"NX",
                    b"PX",
                    ms(lease).as_bytes(),
                ]);
                let reply = worker.perform(call, &set, yes).await?;
                if reply.is_none_or(|reply| yes(&reply) != Value::Bool(true)) {
                    worker.dawdle(lease / 4).await;
                    continue;
                }
                // One holder in three stalls past its lease, as a long garbage collection makes it; the
                // others hold it for so long that it finds one of them when it wakes up. One in six
                // crashes, and its lease has to run out.
                if worker.chance(17) {
                    crash(&worker, "lock", &token);
                    continue;
                }
                if worker.chance(33) {
                    worker.pause(lease + lease / 10).await;
                } else {
                    worker.pause(lease / 4).await;
                }
                worker.dawdle(lease / 4).await;
                release(&mut worker, key, "lock", &token).await?;
            }
            Ok(())
        })
        .await
}

/// Gives a lock back, which may be asked for twice.
async fn release(worker: &mut Worker<'_>, key: &[u8], name: &str, token: &str) -> Result<(), Stop> {
    let (script, input) = (eval(RELEASE, &[key], &[token]), [token.into()].into());
    worker.insist(("release", name, &input), &script, yes).await
}

/// Notes a holder that will not give back what it holds.
fn crash(worker: &Worker<'_>, name: &str, token: &str) {
    let call = worker.invoke("crash", name, [token.into()]);
    call.returned(Value::Nil);
}

async fn handover(context: &Context) -> Result<(), Stop> {
    let kept = &context.kept_ms();
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut number = 0;
            while context.next() {
                number += 1;
                let token = format!("c{}-{number}", worker.index);
                let name = format!("lock-{}", worker.below(3));
                let key = context.key(&name);
                let call = worker.invoke("acquire", name.as_str(), [token.as_str().into()]);
                let set = command([
                    b"SET",
                    &key,
                    token.as_bytes(),
                    b"NX",
                    b"PX",
                    kept.as_bytes(),
                ]);
                let reply = worker.perform(call, &set, yes).await?;
                worker.dawdle(POLL_PAUSE).await;
                // Whoever does not know whether it has the lock gives it back, too.
                if reply.is_none_or(|reply| yes(&reply) == Value::Bool(true)) {
                    release(&mut worker, &key, &name, &token).await?;
                }
            }
            Ok(())
        })
        .await
}

async fn fencing(context: &Context) -> Result<(), Stop> {
    let lease = context.lease() / 2;
    let keys = ["lock", "fence", "stored"].map(|name| context.key(name));
    let [lock, fence, stored] = &keys;
    let kept = context.kept_ms();
    let kept = kept.as_str();
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut number = 0;
            while context.next() {
                number += 1;
                let token = format!("c{}-{number}", worker.index);
                let call = worker.invoke("grant", "lock", token.as_str());
                let script = eval(GRANT, &[lock, fence], &[&token, &ms(lease), kept]);
                let reply = worker.perform(call, &script, value).await?;
                let Some(Reply::Integer(fenced)) = reply else {
                    worker.dawdle(lease / 4).await;
                    continue;
                };
                if worker.chance(30) {
                    worker.pause(lease + lease / 10).await;
                    worker.dawdle(lease).await;
                }
                let call = worker.invoke("store", "record", fenced);
                let script = eval(STORE, &[stored], &[&fenced.to_string(), kept]);
                worker.perform(call, &script, yes).await?;
                let release = eval(RELEASE, &[lock], &[&token]);
                worker.look(&release).await?;
            }
            Ok(())
        })
        .await
}

async fn semaphore(context: &Context) -> Result<(), Stop> {
    let (key, lease) = (&context.key("seats"), context.lease());
    let kept = &context.kept_ms();
    context
        .all(
            context.settings.clients.max(SEATS + 2),
            |mut worker| async move {
                let mut number = 0;
                while context.next() {
                    number += 1;
                    let token = format!("c{}-{number}", worker.index);
                    let call =
                        worker.invoke("acquire", "seats", [token.as_str().into(), us(lease)]);
                    let now = context.clock_ms();
                    let until = now + i64::try_from(lease.as_millis()).unwrap_or(0);
                    let (now, until) = (now.to_string(), until.to_string());
                    let script = eval(
                        SIT,
                        &[key],
                        &[&token, &now, &until, &SEATS.to_string(), kept],
                    );
                    let reply = worker.perform(call, &script, yes).await?;
                    if reply.is_none_or(|reply| yes(&reply) != Value::Bool(true)) {
                        worker.dawdle(lease / 4).await;
                        continue;
                    }
                    if worker.chance(12) {
                        crash(&worker, "seats", &token);
                        continue;
                    }
                    if worker.chance(20) {
                        worker.pause(lease + lease / 10).await;
                        worker.dawdle(lease / 4).await;
                    } else {
                        worker.pause(lease / 4).await;
                        worker.dawdle(lease / 4).await;
                    }
                    let leave = command([b"ZREM", key, token.as_bytes()]);
                    let input = [token.into()].into();
                    let release = ("release", "seats", &input);
                    worker.insist(release, &leave, yes).await?;
                }
                Ok(())
            },
        )
        .await
}

async fn single_flight(context: &Context) -> Result<(), Stop> {
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut round = 0;
            while context.next() {
                round += 1;
                flight(&mut worker, &format!("entry-{round}")).await?;
            }
            Ok(())
        })
        .await
}

/// Gets one entry: from the cache, or by computing it, or from whoever is computing it.
async fn flight(worker: &mut Worker<'_>, name: &str) -> Result<(), Stop> {
    let context = worker.context;
    let (entry, lock) = (context.key(name), context.key(&format!("{name}-lock")));
    let (token, kept) = (format!("c{}", worker.index), context.kept_ms());
    let get = command([b"GET", &entry]);
    let patience = Duration::from_secs(2);
    loop {
        if worker.look(&get).await? != Reply::Nil {
            return Ok(());
        }
        let call = worker.invoke("acquire", name, token.as_str());
        let set = command([
            b"SET",
            &lock,
            token.as_bytes(),
            b"NX",
            b"PX",
            kept.as_bytes(),
        ]);
        let reply = worker.perform(call, &set, yes).await?;
        match reply.map(|reply| yes(&reply) == Value::Bool(true)) {
            Some(true) => {
                // It may have been stored between the look and the lock.
                if worker.look(&get).await? == Reply::Nil {
                    let call = worker.invoke("compute", name, Value::Nil);
                    worker.dawdle(POLL_PAUSE).await;
                    let store = command([b"SET", &entry, token.as_bytes(), b"PX", kept.as_bytes()]);
                    worker.perform(call, &store, |_| Value::Nil).await?;
                }
                return release(worker, &lock, name, &token).await;
            }
            // Whoever does not know whether it has the lock must not keep the others waiting.
            None => release(worker, &lock, name, &token).await?,
            Some(false) => {}
        }
        if context.is_over(patience) {
            return Ok(());
        }
        worker.pause(POLL_PAUSE / 2).await;
    }
}
