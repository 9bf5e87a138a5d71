//! MULTI, EXEC, DISCARD, WATCH and UNWATCH. Over REST a transaction is a request of its own.

use crate::call::{Call, Origin};
use crate::command::{Command, Flags, Group, Handler, Rest};
use crate::error::ReplyError;
use crate::reply::{Outcome, Reply};
use crate::session::Transaction;

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::Transaction, name, arity, handler)
        .flags(&[Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])
        .tcp_only()
}

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("DISCARD", 1, discard)
        .flags(&[Flags::FAST, Flags::ALLOW_BUSY])
        .since("2.0.0"),
    row("EXEC", 1, exec)
        .flags(&[Flags::SKIP_SLOWLOG])
        .rest(Rest::MultiExec)
        .since("1.2.0"),
    row("MULTI", 1, multi)
        .flags(&[Flags::FAST, Flags::ALLOW_BUSY])
        .rest(Rest::MultiExec)
        .since("1.2.0"),
    row("UNWATCH", 1, unwatch)
        .flags(&[Flags::FAST, Flags::ALLOW_BUSY])
        .since("2.2.0"),
    row("WATCH", -2, watch)
        .flags(&[Flags::FAST, Flags::ALLOW_BUSY])
        .keys(1, -1, 1)
        .since("2.2.0"),
];

/// `MULTI`
fn multi(call: &mut Call<'_>) -> Outcome {
    let transaction = &mut call.session().transaction;
    if transaction.is_some() {
        return Err(ReplyError::fixed("ERR MULTI calls can not be nested"));
    }
    *transaction = Some(Transaction::default());
    Ok(Reply::OK)
}

/// `EXEC`
fn exec(call: &mut Call<'_>) -> Outcome {
    call.engine.exec(call.client, call.now_ms)
}

/// `DISCARD`
fn discard(call: &mut Call<'_>) -> Outcome {
    if call.session().transaction.take().is_none() {
        return Err(ReplyError::fixed("ERR DISCARD without MULTI"));
    }
    call.engine.unwatch(call.client);
    Ok(Reply::OK)
}

/// `WATCH key [key …]`
fn watch(call: &mut Call<'_>) -> Outcome {
    if call.session().transaction.is_some() || call.origin == Origin::Transaction {
        return Err(ReplyError::fixed("ERR WATCH inside MULTI is not allowed"));
    }
    for key in call.args_from(1) {
        call.engine.watch(call.client, call.db, key);
    }
    Ok(Reply::OK)
}

/// `UNWATCH`
fn unwatch(call: &mut Call<'_>) -> Outcome {
    call.engine.unwatch(call.client);
    Ok(Reply::OK)
}
