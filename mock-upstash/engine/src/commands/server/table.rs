//! COMMAND: the command table, told to clients. Upstash answers it empty.

use crate::call::Call;
use crate::command::{self, Command};
use crate::dialect::Quirk;
use crate::error::ReplyError;
use crate::reply::{Outcome, Reply};

/// `COMMAND`
pub(super) fn command(call: &mut Call<'_>) -> Outcome {
    if call.args.len() > 1 {
        return Err(if call.quirk(Quirk::EmptyCommandTable) {
            ReplyError::arity("command")
        } else {
            ReplyError::quoting(
                "ERR unknown subcommand '",
                call.arg(1),
                "'. Try COMMAND HELP.",
            )
        });
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
