//! The scripting commands.

use bytes::Bytes;

use crate::call::Call;
use crate::command::{Command, Flags, Group, Handler};
use crate::error::{NOT_AN_INTEGER, ReplyError};
use crate::reply::{Outcome, Reply};
use crate::script::{self, NO_SCRIPT};

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    runner("EVAL", eval).since("2.6.0"),
    runner("EVALSHA", evalsha).since("2.6.0"),
    runner("EVAL_RO", eval_ro)
        .flags(&[Flags::READONLY])
        .since("7.0.0"),
    runner("EVALSHA_RO", evalsha_ro)
        .flags(&[Flags::READONLY])
        .since("7.0.0"),
    Command::container(Group::Scripting, "SCRIPT", -2, SCRIPT).since("2.6.0"),
];

const SCRIPT: &[Command] = &[
    row("SCRIPT LOAD", 3, script_load)
        .flags(&[Flags::NOSCRIPT, Flags::STALE])
        .since("2.6.0"),
    row("SCRIPT EXISTS", -3, script_exists)
        .flags(&[Flags::NOSCRIPT])
        .since("2.6.0"),
    row("SCRIPT FLUSH", -2, script_flush)
        .flags(&[Flags::NOSCRIPT])
        .since("2.6.0"),
    row("SCRIPT KILL", 2, script_kill)
        .flags(&[Flags::NOSCRIPT, Flags::ALLOW_BUSY])
        .since("2.6.0"),
];

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::Scripting, name, arity, handler)
}

/// A command that runs a script: its keys stand behind their number.
const fn runner(name: &'static str, handler: Handler) -> Command {
    row(name, -3, handler).counted_keys(2, 0).flags(&[
        Flags::NOSCRIPT,
        Flags::STALE,
        Flags::SKIP_MONITOR,
        Flags::NO_MANDATORY_KEYS,
        Flags::SCRIPT_RUNNER,
    ])
}

/// Splits the arguments behind a script or function name into keys and the rest.
///
/// # Errors
/// When the number of keys is no number, negative, or larger than what follows.
fn keys_and_arguments<'a>(call: &Call<'a>) -> Result<(&'a [Bytes], &'a [Bytes]), ReplyError> {
    let count = crate::number::integer(call.arg(2)).ok_or(NOT_AN_INTEGER)?;
    split_keys(call, count)
}

/// Splits the arguments behind the number of keys.
///
/// # Errors
/// When the number is negative, or larger than what follows.
pub(crate) fn split_keys<'a>(
    call: &Call<'a>,
    count: i64,
) -> Result<(&'a [Bytes], &'a [Bytes]), ReplyError> {
    let rest = call.args_from(3);
    match usize::try_from(count) {
        Err(_) => Err(ReplyError::fixed("ERR Number of keys can't be negative")),
        Ok(count) => rest.split_at_checked(count).ok_or(ReplyError::fixed(
            "ERR Number of keys can't be greater than number of args",
        )),
    }
}

fn run_text(call: &mut Call<'_>, read_only: bool) -> Outcome {
    let (keys, argv) = keys_and_arguments(call)?;
    let sha = call.engine.load_script(call.arg(1), true)?;
    script::run_script(call, &sha, read_only, keys, argv)
}

fn run_sha(call: &mut Call<'_>, read_only: bool) -> Outcome {
    if call.arg(1).len() != 40 {
        return Err(NO_SCRIPT);
    }
    let (keys, argv) = keys_and_arguments(call)?;
    let sha = script::read_sha(call.arg(1)).ok_or(NO_SCRIPT)?;
    script::run_script(call, &sha, read_only, keys, argv)
}

/// `EVAL script numkeys [key …] [arg …]`
fn eval(call: &mut Call<'_>) -> Outcome {
    run_text(call, false)
}

/// `EVAL_RO script numkeys [key …] [arg …]`
fn eval_ro(call: &mut Call<'_>) -> Outcome {
    run_text(call, true)
}

/// `EVALSHA sha1 numkeys [key …] [arg …]`
fn evalsha(call: &mut Call<'_>) -> Outcome {
    run_sha(call, false)
}

/// `EVALSHA_RO sha1 numkeys [key …] [arg …]`
fn evalsha_ro(call: &mut Call<'_>) -> Outcome {
    run_sha(call, true)
}

/// `SCRIPT LOAD script`
fn script_load(call: &mut Call<'_>) -> Outcome {
    let sha = call.engine.load_script(call.arg(2), false)?;
    Ok(Reply::bulk(script::hex(&sha)))
}

/// `SCRIPT EXISTS sha1 [sha1 …]`
fn script_exists(call: &mut Call<'_>) -> Outcome {
    let known = call.args_from(2).iter().map(|text| {
        let known = script::read_sha(text).is_some_and(|sha| call.engine.scripts.contains(&sha));
        Reply::flag(known)
    });
    Ok(Reply::Array(known.collect()))
}

/// `SCRIPT FLUSH [ASYNC | SYNC]`
fn script_flush(call: &mut Call<'_>) -> Outcome {
    let mode_known = call.is(2, "ASYNC") || call.is(2, "SYNC");
    if call.args.len() > 3 || (call.args.len() == 3 && !mode_known) {
        return Err(ReplyError::fixed(
            "ERR SCRIPT FLUSH only support SYNC|ASYNC option",
        ));
    }
    call.engine.scripts.flush();
    Ok(Reply::OK)
}

/// `SCRIPT KILL`
fn script_kill(_call: &mut Call<'_>) -> Outcome {
    script::nothing_to_kill()
}
