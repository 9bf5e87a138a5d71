//! Rate limits under concurrent callers, as scripts implement them.

use std::time::Duration;

use super::context::{Context, Stop, eval};
use super::{Occasion, Workload};
use crate::history::Value;
use crate::history::limit::{self, Limiter};
use crate::reply::Reply;

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        id: "patterns/workload/fixed-window",
        title: "A fixed window grants its limit, no more and no less",
        prose: "Login attempts and quotas per minute count in a key for each window. One too many is \
                an open door, one too few a customer sent away.",
        eventual: false,
        occasions: &[Occasion::LIMITED],
        run: |context| Box::pin(limiter(context, FIXED_WINDOW)),
        check: |history| limit::check(Limiter::FixedWindow, history).map(|()| Vec::new()),
    },
    Workload {
        id: "patterns/workload/sliding-log",
        title: "A sliding log never grants more than its limit in any span",
        prose: "Paid APIs log each call in a sorted set and count the last minute. It is the limiter \
                to choose when a burst at the edge of a window must not pass.",
        eventual: false,
        occasions: &[Occasion::LIMITED],
        run: |context| Box::pin(limiter(context, SLIDING_LOG)),
        check: |history| limit::check(Limiter::SlidingLog, history).map(|()| Vec::new()),
    },
    Workload {
        id: "patterns/workload/sliding-window",
        title: "A sliding window weighs the last window, and grants what is left",
        prose: "The limiter of most gateways, and the one that @upstash/ratelimit recommends: two \
                counters, the older one by the share of it still in view.",
        eventual: false,
        occasions: &[Occasion::LIMITED],
        run: |context| Box::pin(limiter(context, SLIDING_WINDOW)),
        check: |history| limit::check(Limiter::SlidingWindow, history).map(|()| Vec::new()),
    },
    Workload {
        id: "patterns/workload/token-bucket",
        title: "A token bucket hands out what flowed in, not more",
        prose: "Bursts are allowed until the bucket is empty, then calls pass as fast as it refills. \
                A token spent twice lets a caller run at double speed.",
        eventual: false,
        occasions: &[Occasion::LIMITED],
        run: |context| Box::pin(limiter(context, TOKEN_BUCKET)),
        check: |history| limit::check(Limiter::TokenBucket, history).map(|()| Vec::new()),
    },
];

/// How many calls pass in a window, so few that more are made wherever the server is; and how long it
/// is at least: short, so that many windows pass in a run.
const LIMIT: i64 = 8;
const WINDOW: Duration = Duration::from_millis(100);
/// A window is so many round trips: two clients ask for more than the limit in it.
const WINDOW_ROUND_TRIPS: u32 = 6;

/// Callers' clocks differ, and calls overtake one another: the latest moment seen counts. The keys
/// are the latest moment, and the limiter's own; the arguments: now, limit, window, expiry, a name.
macro_rules! limiter_script {
    ($body:literal) => {
        concat!(
            "local now = math.max(tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or '0')) ",
            "local limit, window, kept = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] ",
            "redis.call('SET', KEYS[1], string.format('%.0f', now), 'PX', kept) ",
            "local granted = 0 ",
            $body,
            " return {granted, string.format('%.0f', now)}"
        )
    };
}

const FIXED_WINDOW: &str = limiter_script!(
    "local start = string.format('%.0f', now - now % window)
     if redis.call('HGET', KEYS[2], 'start') ~= start then
       redis.call('HSET', KEYS[2], 'start', start, 'count', 0) end
     redis.call('PEXPIRE', KEYS[2], kept)
     if redis.call('HINCRBY', KEYS[2], 'count', 1) <= limit then granted = 1 end"
);
const SLIDING_LOG: &str = limiter_script!(
    "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - window))
     if redis.call('ZCARD', KEYS[2]) < limit then
       redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[5])
       redis.call('PEXPIRE', KEYS[2], kept) granted = 1 end"
);
const SLIDING_WINDOW: &str = limiter_script!(
    "local start = now - now % window
     local this, last = string.format('%.0f', start), string.format('%.0f', start - window)
     local count = tonumber(redis.call('HGET', KEYS[2], this) or '0')
     local before = tonumber(redis.call('HGET', KEYS[2], last) or '0')
     if before * (window - (now - start)) + count * window < limit * window then
       redis.call('HINCRBY', KEYS[2], this, 1) redis.call('PEXPIRE', KEYS[2], kept) granted = 1 end"
);
const TOKEN_BUCKET: &str = limiter_script!(
    "local full = limit * window
     local tokens = tonumber(redis.call('HGET', KEYS[2], 'tokens') or full)
     local at = tonumber(redis.call('HGET', KEYS[2], 'at') or now)
     tokens = math.min(full, tokens + (now - at) * limit)
     if tokens >= window then tokens = tokens - window granted = 1 end
     redis.call('HSET', KEYS[2], 'tokens', string.format('%.0f', tokens), 'at', string.format('%.0f', now))
     redis.call('PEXPIRE', KEYS[2], kept)"
);

async fn limiter(context: &Context, script: &'static str) -> Result<(), Stop> {
    let keys = ["moment", "limiter"].map(|name| context.key(name));
    let [moment, state] = &keys;
    let kept = &context.kept_ms();
    let window = WINDOW.max(context.round_trip() * WINDOW_ROUND_TRIPS);
    let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut number = 0;
            while context.next() {
                number += 1;
                let name = format!("c{}-{number}", worker.index);
                let limits = [Value::Integer(LIMIT), Value::Integer(window_ms)];
                let call = worker.invoke("call", "limiter", limits);
                let arguments = [
                    &context.clock_ms().to_string(),
                    &LIMIT.to_string(),
                    &window_ms.to_string(),
                    kept.as_str(),
                    name.as_str(),
                ];
                let script = eval(script, &[moment, state], &arguments);
                worker.perform(call, &script, answer).await?;
                // Bursts, and lulls in which the limit recovers.
                let lull = if worker.chance(10) { 40 } else { 10 };
                worker.dawdle(Duration::from_millis(lull)).await;
            }
            Ok(())
        })
        .await
}

/// Whether it was granted, and when.
fn answer(reply: &Reply) -> Value {
    match super::context::value(reply) {
        Value::List(parts) if parts.len() == 2 => {
            let granted = parts[0] == Value::Integer(1);
            Value::List(vec![Value::Bool(granted), parts[1].clone()])
        }
        other => other,
    }
}
