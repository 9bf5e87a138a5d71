//! The function commands.

use bytes::Bytes;

use crate::call::Call;
use crate::command::{Command, Flags, Group, Handler};
use crate::error::ReplyError;
use crate::glob;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::script;
use crate::script::function::{Library, LibraryFunction};
use crate::script::shebang::ScriptFlags;

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    runner("FCALL", fcall),
    runner("FCALL_RO", fcall_ro).flags(&[Flags::READONLY]),
    Command::container(Group::Function, "FUNCTION", -2, FUNCTION).since("7.0.0"),
];

const FUNCTION: &[Command] = &[
    row("FUNCTION LOAD", -3, function_load).flags(&[Flags::WRITE, Flags::DENYOOM, Flags::NOSCRIPT]),
    row("FUNCTION DELETE", 3, function_delete).flags(&[Flags::WRITE, Flags::NOSCRIPT]),
    row("FUNCTION FLUSH", -2, function_flush).flags(&[Flags::WRITE, Flags::NOSCRIPT]),
    row("FUNCTION KILL", 2, function_kill).flags(&[Flags::NOSCRIPT, Flags::ALLOW_BUSY]),
    row("FUNCTION LIST", -2, function_list).flags(&[Flags::NOSCRIPT]),
    row("FUNCTION STATS", 2, function_stats).flags(&[Flags::NOSCRIPT, Flags::ALLOW_BUSY]),
];

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::Function, name, arity, handler).since("7.0.0")
}

/// A command that runs a function: its keys stand behind their number.
const fn runner(name: &'static str, handler: Handler) -> Command {
    row(name, -3, handler).counted_keys(2, 0).flags(&[
        Flags::NOSCRIPT,
        Flags::STALE,
        Flags::SKIP_MONITOR,
        Flags::NO_MANDATORY_KEYS,
        Flags::SCRIPT_RUNNER,
    ])
}

fn run_function(call: &mut Call<'_>, read_only: bool) -> Outcome {
    let function = call.engine.scripts.libraries.function(call.arg(1));
    let function = function
        .cloned()
        .ok_or(ReplyError::fixed("ERR Function not found"))?;
    let count =
        number::integer(call.arg(2)).ok_or(ReplyError::fixed("ERR Bad number of keys provided"))?;
    let (keys, argv) = super::scripting::split_keys(call, count)?;
    script::run_function(call, &function, read_only, keys, argv)
}

/// `FCALL function numkeys [key …] [arg …]`
fn fcall(call: &mut Call<'_>) -> Outcome {
    run_function(call, false)
}

/// `FCALL_RO function numkeys [key …] [arg …]`
fn fcall_ro(call: &mut Call<'_>) -> Outcome {
    run_function(call, true)
}

/// `FUNCTION LOAD [REPLACE] code`
fn function_load(call: &mut Call<'_>) -> Outcome {
    let (code, options) = match call.args_from(2).split_last() {
        Some(split) => split,
        None => return Err(ReplyError::arity("function|load")),
    };
    for option in options {
        if !option.eq_ignore_ascii_case(b"REPLACE") {
            return Err(ReplyError::naming("ERR Unknown option given: ", option));
        }
    }
    let name = call.engine.load_library(code, !options.is_empty())?;
    Ok(Reply::Bulk(name))
}

/// `FUNCTION DELETE library`
fn function_delete(call: &mut Call<'_>) -> Outcome {
    if call.engine.forget_library(call.arg(2)) {
        Ok(Reply::OK)
    } else {
        Err(ReplyError::fixed("ERR Library not found"))
    }
}

/// `FUNCTION FLUSH [ASYNC | SYNC]`
fn function_flush(call: &mut Call<'_>) -> Outcome {
    if call.args.len() > 3 {
        return Err(ReplyError::subcommand_form(call.args));
    }
    if call.args.len() == 3 && !call.is(2, "SYNC") && !call.is(2, "ASYNC") {
        return Err(ReplyError::fixed(
            "ERR FUNCTION FLUSH only supports SYNC|ASYNC option",
        ));
    }
    call.engine.forget_libraries();
    Ok(Reply::OK)
}

/// `FUNCTION KILL`
fn function_kill(_call: &mut Call<'_>) -> Outcome {
    script::nothing_to_kill()
}

/// `FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]`
fn function_list(call: &mut Call<'_>) -> Outcome {
    let (mut pattern, mut with_code) = (None, false);
    let mut index = 2;
    while index < call.args.len() {
        if !with_code && call.is(index, "WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && call.is(index, "LIBRARYNAME") {
            index += 1;
            if index >= call.args.len() {
                return Err(ReplyError::fixed("ERR library name argument was not given"));
            }
            pattern = Some(call.arg(index).to_ascii_lowercase());
        } else {
            return Err(ReplyError::naming("ERR Unknown argument ", call.arg(index)));
        }
        index += 1;
    }
    // Patterns are matched without regard to case.
    let matches = |name: &Bytes| match &pattern {
        Some(pattern) => glob::matches(pattern, &name.to_ascii_lowercase()),
        None => true,
    };
    let libraries = call.engine.scripts.libraries.iter();
    let shown = libraries
        .filter(|(name, _)| matches(name))
        .map(|(name, library)| describe_library(name, library, with_code));
    Ok(Reply::Array(shown.collect()))
}

fn describe_library(name: &Bytes, library: &Library, with_code: bool) -> Reply {
    let functions = library.functions.iter().map(describe_function).collect();
    let mut fields = vec![
        (Reply::bulk("library_name"), Reply::Bulk(name.clone())),
        (Reply::bulk("engine"), Reply::bulk("LUA")),
        (Reply::bulk("functions"), Reply::Array(functions)),
    ];
    if with_code {
        let code = Reply::Bulk(library.code.clone());
        fields.push((Reply::bulk("library_code"), code));
    }
    Reply::Map(fields)
}

fn describe_function(function: &LibraryFunction) -> Reply {
    let flags = ScriptFlags::NAMES
        .iter()
        .filter(|(_, flag)| function.flags.contains(*flag))
        .map(|(name, _)| Reply::status(name));
    Reply::Map(vec![
        (Reply::bulk("name"), Reply::Bulk(function.name.clone())),
        (
            Reply::bulk("description"),
            Reply::bulk_or_nil(function.description.as_ref()),
        ),
        (Reply::bulk("flags"), Reply::Set(flags.collect())),
    ])
}

/// `FUNCTION STATS`
fn function_stats(call: &mut Call<'_>) -> Outcome {
    let libraries = &call.engine.scripts.libraries;
    let functions = libraries.iter().map(|(_, library)| library.functions.len());
    let counts = vec![
        (
            Reply::bulk("libraries_count"),
            Reply::count(libraries.len()),
        ),
        (
            Reply::bulk("functions_count"),
            Reply::count(functions.sum()),
        ),
    ];
    let engines = vec![(Reply::bulk("LUA"), Reply::Map(counts))];
    Ok(Reply::Map(vec![
        (Reply::bulk("running_script"), Reply::Nil),
        (Reply::bulk("engines"), Reply::Map(engines)),
    ]))
}
