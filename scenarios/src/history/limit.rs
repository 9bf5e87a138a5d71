//! Rate limits: never exceeded, and nobody refused without need.

use super::operation::{History, Operation, Value, Violation};

/// How calls are limited. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limiter {
    /// So many calls in each window of the clock.
    FixedWindow,
    /// So many calls in any span as long as the window.
    SlidingLog,
    /// The calls of this window, and of the last one by the share of it that is still in view.
    SlidingWindow,
    /// A bucket of tokens that is refilled evenly, full once in a window.
    TokenBucket,
}

/// `call` (limit, window) returns whether it was granted, and the moment that the limiter took it to
/// come at; a limiter's moments never go back.
///
/// # Errors
/// When a call was granted that exceeds the limit, or refused although there was room.
pub fn check(limiter: Limiter, history: &History) -> Result<(), Violation> {
    for object in history.objects() {
        calls(limiter, &history.of(object))?;
    }
    Ok(())
}

fn calls(limiter: Limiter, history: &History) -> Result<(), Violation> {
    let mut calls: Vec<(i64, bool, &Operation)> = history
        .named("call")
        .filter_map(|call| {
            let output = call.output()?;
            let granted = output.at(0) == Some(&Value::Bool(true));
            Some((output.at(1)?.integer()?, !granted, call))
        })
        .collect();
    // Of calls at one moment the granted ones count first, which favours the server.
    calls.sort_by_key(|(at, refused, _)| (*at, *refused));
    let unknown = history.unknown() > 0;
    let mut granted: Vec<(i64, &Operation)> = Vec::new();
    for (at, refused, call) in calls {
        let (Some(limit), Some(window)) = (
            call.input.at(0).and_then(Value::integer),
            call.input.at(1).and_then(Value::integer),
        ) else {
            continue;
        };
        let moments: Vec<i64> = granted.iter().map(|(at, _)| *at).collect();
        let room = has_room(limiter, &moments, at, limit, window);
        let recent = granted
            .iter()
            .filter(|(before, _)| *before > at - 2 * window)
            .map(|(_, call)| *call);
        if !refused && !room {
            let what = format!("more than {limit} calls in {window} ms were granted");
            return Err(Violation::new(what, recent.chain([call])));
        }
        if refused && room && !unknown {
            let what =
                format!("a call was refused although fewer than {limit} came in {window} ms");
            return Err(Violation::new(what, recent.chain([call])));
        }
        if !refused {
            granted.push((at, call));
        }
    }
    Ok(())
}

fn has_room(limiter: Limiter, granted: &[i64], at: i64, limit: i64, window: i64) -> bool {
    let since = |start: i64, end: i64| {
        granted
            .iter()
            .filter(|moment| (start..end).contains(*moment))
            .count() as i64
    };
    let start = at - at.rem_euclid(window);
    match limiter {
        Limiter::FixedWindow => since(start, start + window) < limit,
        Limiter::SlidingLog => since(at - window + 1, at + 1) < limit,
        // In whole numbers: both sides are multiplied by the window.
        Limiter::SlidingWindow => {
            let last = since(start - window, start) * (window - (at - start));
            last + since(start, start + window) * window < limit * window
        }
        Limiter::TokenBucket => {
            // Tokens in parts of 1/window: `limit` parts come each millisecond.
            let full = limit * window;
            let (mut tokens, mut last) = (full, None);
            let mut refill = |tokens: i64, moment: i64| {
                let elapsed = last.map_or(0, |last| moment - last);
                last = Some(moment);
                (tokens + elapsed * limit).min(full)
            };
            for moment in granted {
                tokens = refill(tokens, *moment) - window;
            }
            tokens = refill(tokens, at);
            tokens >= window
        }
    }
}
