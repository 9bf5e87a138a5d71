//! COMMAND: the command table, told to clients. Upstash answers it empty.

use bytes::Bytes;

use crate::call::Call;
use crate::command::{self, Command};
use crate::dialect::Quirk;
use crate::error::ReplyError;
use crate::reply::{Outcome, Reply};

/// `COMMAND`
pub(super) fn command(call: &mut Call<'_>) -> Outcome {
    if call.args.len() > 1 {
        return if call.quirk(Quirk::EmptyCommandTable) {
            Err(ReplyError::arity("command"))
        } else {
            subcommand(call)
        };
    }
    if call.quirk(Quirk::EmptyCommandTable) {
        return Ok(Reply::Array(Vec::new()));
    }
    Ok(Reply::Array(
        command::all()
            .filter(|row| row.redis)
            .map(describe)
            .collect(),
    ))
}

/// `COMMAND COUNT`, `COMMAND INFO [name …]`, `COMMAND LIST`, `COMMAND GETKEYS command [arg …]`
fn subcommand(call: &mut Call<'_>) -> Outcome {
    let offered = || command::all().filter(|row| row.redis);
    let named = |name: &Bytes| offered().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name));
    if call.is(1, "COUNT") && call.args.len() == 2 {
        return Ok(Reply::count(offered().count()));
    }
    if call.is(1, "LIST") && call.args.len() == 2 {
        return Ok(Reply::bulks(offered().map(Command::full_name)));
    }
    if call.is(1, "INFO") {
        let rows = match call.args_from(2) {
            [] => offered().map(describe).collect(),
            names => names
                .iter()
                .map(|name| named(name).map_or(Reply::NilArray, describe))
                .collect(),
        };
        return Ok(Reply::Array(rows));
    }
    if call.is(1, "GETKEYS") && call.args.len() > 2 {
        let args = call.args_from(2);
        let row = call
            .engine
            .find(args)
            .map_err(|_| ReplyError::fixed("ERR Invalid command specified"))?;
        if !row.accepts(args.len()) {
            return Err(ReplyError::fixed(
                "ERR Invalid number of arguments specified for command",
            ));
        }
        let keys = row.key_positions(args);
        if keys.is_empty() {
            return Err(ReplyError::fixed("ERR The command has no key arguments"));
        }
        let keys = keys.into_iter().filter_map(|at| args.get(at));
        return Ok(Reply::bulks(keys.cloned()));
    }
    Err(ReplyError::quoting(
        "ERR unknown subcommand '",
        call.arg(1),
        "'. Try COMMAND HELP.",
    ))
}

/// A row as COMMAND INFO shows it: name, arity, flags, first key, last key, step, categories, tips,
/// key specifications, subcommands. Tips and specifications are left empty.
fn describe(row: &Command) -> Reply {
    let [first, last, step] = row.key_range();
    fn statuses(names: impl Iterator<Item = String>) -> Reply {
        Reply::Set(names.map(|name| Reply::Status(name.into())).collect())
    }
    Reply::Array(vec![
        Reply::bulk(row.full_name()),
        Reply::Integer(i64::from(row.arity)),
        statuses(row.flags.shown()),
        Reply::Integer(i64::from(first)),
        Reply::Integer(i64::from(last)),
        Reply::Integer(i64::from(step)),
        statuses(row.all_categories().shown()),
        Reply::Array(Vec::new()),
        Reply::Array(Vec::new()),
        Reply::Array(row.subcommands.iter().map(describe).collect()),
    ])
}
