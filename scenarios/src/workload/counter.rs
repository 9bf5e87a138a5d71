//! Registers and counters that everybody writes to.

use super::context::{Context, Stop, command, eval, value, yes};
use super::{Occasion, Workload};
use crate::history::{Value, counting, linearizable, model};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        id: "locks/workload/register",
        title: "A key read, written and compared-and-set by many is one register",
        prose: "Leader election, feature flags and optimistic updates read a key and set it if it is \
                unchanged. A read from a stale copy, or a write that is forgotten, breaks each of them.",
        eventual: true,
        occasions: &[Occasion::OVERLAP, Occasion::SWAPPED],
        run: |context| Box::pin(register(context)),
        check: |history| linearizable::check(&model::Register, history),
    },
    Workload {
        id: "patterns/workload/counter",
        title: "A counter loses no increment",
        prose: "Order numbers, quotas and usage meters are `INCR`. Two callers that get one number \
                make two invoices with it.",
        eventual: false,
        occasions: &[Occasion::OVERLAP],
        run: |context| Box::pin(counter(context, false)),
        check: |history| counting::counter(history).map(|()| Vec::new()),
    },
    Workload {
        id: "patterns/workload/scripted-counter",
        title: "A script that reads and writes is not interrupted",
        prose: "Scripts are how applications make several commands one. If another client gets in \
                between, every limiter, lock and stock count written as a script is wrong.",
        eventual: false,
        occasions: &[Occasion::OVERLAP],
        run: |context| Box::pin(counter(context, true)),
        check: |history| counting::counter(history).map(|()| Vec::new()),
    },
];

/// Compares and sets.
const SWAP: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
                    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 end return 0";
/// Counts in two steps.
const COUNT: &str = "local n = tonumber(redis.call('GET', KEYS[1]) or '0') + 1 \
                     redis.call('SET', KEYS[1], n, 'PX', ARGV[1]) return n";
/// How many registers the clients share: few enough to collide, enough to check each on its own.
const REGISTERS: u64 = 2;

async fn register(context: &Context) -> Result<(), Stop> {
    let kept = &context.kept_ms();
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut number = 0;
            // Every third only reads: whoever writes has seen something new, and may be kept from
            // reading what is older.
            let writes = worker.index % 3 != 2;
            while context.next() {
                number += 1;
                let name = format!("register-{}", worker.below(REGISTERS));
                let key = context.key(&name);
                let new = format!("c{}-{number}", worker.index);
                let choice = if writes { worker.below(8) } else { 0 };
                if (2..4).contains(&choice) {
                    let call = worker.invoke("write", name, new.as_str());
                    let set = command([b"SET", &key, new.as_bytes(), b"PX", kept.as_bytes()]);
                    worker.perform(call, &set, yes).await?;
                    continue;
                }
                let call = worker.invoke("read", name.as_str(), Value::Nil);
                let get = command([b"GET", &key]);
                let seen = worker.perform(call, &get, value).await?;
                // What was read is what a swap expects.
                if choice >= 4
                    && let Some(Value::Text(expected)) = seen.as_ref().map(value)
                    && context.next()
                {
                    let (old, next) = (expected.as_str().into(), new.as_str().into());
                    let call = worker.invoke("swap", name, [old, next]);
                    let script = eval(SWAP, &[&key], &[&expected, &new, kept]);
                    worker.perform(call, &script, yes).await?;
                }
            }
            Ok(())
        })
        .await
}

async fn counter(context: &Context, scripted: bool) -> Result<(), Stop> {
    let (key, kept) = (&context.key("count"), &context.kept_ms());
    context
        .all(context.settings.clients, |mut worker| async move {
            let add = match scripted {
                true => eval(COUNT, &[key], &[kept]),
                false => command([b"INCR", key]),
            };
            while context.next() {
                let call = worker.invoke("add", "count", Value::Nil);
                worker.perform(call, &add, value).await?;
            }
            Ok(())
        })
        .await?;
    let mut last = context.caught_up(context.settings.clients).await?;
    last.look(&command([b"PEXPIRE", key, kept.as_bytes()]))
        .await?;
    let call = last.invoke("read", "count", Value::Nil);
    last.perform(call, &command([b"GET", key]), value)
        .await
        .map(|_| ())
}
