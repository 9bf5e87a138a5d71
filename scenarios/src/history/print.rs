//! A slice of history as text.

use super::operation::{Ended, Operation, Value};

/// Operations that ask for something, and may be told that there is nothing.
const ASKS: [&str; 5] = ["read", "take", "reclaim", "grant", "receive"];

/// A line for each operation: who, from when to when (in milliseconds since the first of them), what
/// it did, and what came of it.
pub fn slice(operations: &[Operation]) -> String {
    let origin = operations
        .iter()
        .map(|operation| operation.invoked_us)
        .min()
        .unwrap_or(0);
    let ms = |us: u64| format!("{:.3}", us.saturating_sub(origin) as f64 / 1000.0);
    let rows: Vec<[String; 4]> = operations
        .iter()
        .map(|operation| {
            let until = match operation.ended {
                Ended::Unknown(_) => "?".to_owned(),
                _ => ms(operation.ended_us),
            };
            [
                format!("c{}", operation.client),
                ms(operation.invoked_us),
                until,
                format!("{} {}", invocation(operation), result(operation)),
            ]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (who, from, until) = (width(0), width(1), width(2));
    let lines: Vec<String> = rows
        .iter()
        .map(|[client, start, end, what]| {
            format!("{client:<who$}  {start:>from$} .. {end:>until$} ms  {what}")
        })
        .collect();
    lines.join("\n")
}

/// What was asked: `acquire lock (token-3)`.
pub fn invocation(operation: &Operation) -> String {
    match &operation.input {
        Value::Nil => format!("{} {}", operation.name, operation.object),
        input => format!("{} {} ({input})", operation.name, operation.object),
    }
}

/// What came of it: `→ yes`.
pub fn result(operation: &Operation) -> String {
    match &operation.ended {
        // Nothing is an answer only where something was asked for.
        Ended::Returned(Value::Nil) if !ASKS.contains(&operation.name) => "→ done".to_owned(),
        Ended::Returned(value) => format!("→ {value}"),
        Ended::Failed(reason) => format!("did not happen: {reason}"),
        Ended::Unknown(reason) => format!("outcome unknown: {reason}"),
    }
}
