//! Between scenarios and the `redis` crate: commands to what it sends, what it received to replies.

use std::time::Duration;

use redis::{RedisError, Value};
use scenarios::client::Command;
use scenarios::{ClientError, Reply};

/// How long a command that blocks for ever (`BLPOP key 0`) is waited for.
const FOREVER: Duration = Duration::from_secs(60);

/// Commands that change how a connection is answered, after which replies no longer match commands.
pub(in super::super) fn packed(command: &Command) -> Result<redis::Cmd, ClientError> {
    let name = command.first().map(|name| name.to_ascii_uppercase());
    match name.as_deref() {
        None => {
            return Err(ClientError::NotSent(
                "there is no command to send".to_owned(),
            ));
        }
        Some(b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE") => {
            return Err(ClientError::Unsupported(
                "a subscription has a connection of its own: use `subscribe` in the scenario"
                    .to_owned(),
            ));
        }
        Some(b"MONITOR" | b"SYNC" | b"PSYNC") => {
            return Err(ClientError::Unsupported(
                "the command turns the connection into a stream, which is not a reply".to_owned(),
            ));
        }
        Some(b"CLIENT")
            if command
                .get(1)
                .is_some_and(|sub| sub.eq_ignore_ascii_case(b"REPLY")) =>
        {
            return Err(ClientError::Unsupported(
                "CLIENT REPLY turns replies off, and then there is nothing to compare".to_owned(),
            ));
        }
        Some(_) => {}
    }
    let mut packed = redis::Cmd::with_capacity(command.len(), command.iter().map(Vec::len).sum());
    for argument in command {
        packed.arg(argument.as_slice());
    }
    Ok(packed)
}

/// How long the command itself asks the server to wait, on top of which its reply may take time.
pub(super) fn blocking_time(command: &Command) -> Duration {
    let text = |argument: Option<&Vec<u8>>| {
        argument.and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse::<f64>().ok())
    };
    let name = command
        .first()
        .map(|name| name.to_ascii_uppercase())
        .unwrap_or_default();
    let seconds = match name.as_slice() {
        b"BLPOP" | b"BRPOP" | b"BRPOPLPUSH" | b"BLMOVE" | b"BZPOPMIN" | b"BZPOPMAX" => {
            text(command.last())
        }
        b"BLMPOP" | b"BZMPOP" => text(command.get(1)),
        b"WAIT" => text(command.get(2)).map(|ms| ms / 1000.0),
        b"WAITAOF" => text(command.get(3)).map(|ms| ms / 1000.0),
        b"XREAD" | b"XREADGROUP" => command
            .iter()
            .position(|argument| argument.eq_ignore_ascii_case(b"BLOCK"))
            .and_then(|at| text(command.get(at + 1)))
            .map(|ms| ms / 1000.0),
        _ => return Duration::ZERO,
    };
    match seconds {
        Some(0.0) => FOREVER,
        Some(seconds) if seconds > 0.0 => Duration::try_from_secs_f64(seconds)
            .unwrap_or(FOREVER)
            .min(FOREVER),
        _ => Duration::ZERO,
    }
}

pub(in super::super) fn reply(value: Value) -> Reply {
    match value {
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Integer(number),
        Value::BulkString(bytes) => Reply::Bulk(bytes),
        Value::SimpleString(text) => Reply::Status(text),
        Value::Okay => Reply::Status("OK".to_owned()),
        Value::Array(items) => Reply::Array(items.into_iter().map(reply).collect()),
        Value::Set(items) => Reply::Set(items.into_iter().map(reply).collect()),
        Value::Map(pairs) => Reply::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (reply(key), reply(value)))
                .collect(),
        ),
        Value::Attribute { data, .. } => reply(*data),
        Value::Double(number) => Reply::Double(number),
        Value::Boolean(truth) => Reply::Boolean(truth),
        Value::VerbatimString { text, .. } => Reply::Bulk(text.into_bytes()),
        Value::BigNumber(digits) => Reply::BigNumber(String::from_utf8_lossy(&digits).into_owned()),
        Value::Push { data, .. } => Reply::Array(data.into_iter().map(reply).collect()),
        Value::ServerError(error) => Reply::Error(joined(error.code(), error.details())),
        other => Reply::Error(format!(
            "a kind of reply that the redis crate does not describe: {other:?}"
        )),
    }
}

pub(super) fn server_error(error: &RedisError) -> Option<String> {
    match error.kind() {
        redis::ErrorKind::Server(_) | redis::ErrorKind::Extension => {
            Some(joined(error.code().unwrap_or("ERR"), error.detail()))
        }
        _ => None,
    }
}

/// The server's own text, which the crate cut at its first space.
fn joined(code: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => format!("{code} {detail}"),
        None => code.to_owned(),
    }
}
