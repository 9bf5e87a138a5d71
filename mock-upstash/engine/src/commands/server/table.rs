//! COMMAND: the command table, told to clients. Upstash answers it empty.

use crate::call::Call;
use crate::command::{self, Categories, Command, Keys};
use crate::dialect::Quirk;
use crate::error::ReplyError;
use crate::reply::{Outcome, Reply};

/// `COMMAND`
pub(super) fn command(call: &mut Call<'_>) -> Outcome {
    if call.args.len() > 1 {
        return Err(if call.quirk(Quirk::EmptyCommandTable) {
            ReplyError::arity("command")
        } else {
            ReplyError::new(format!(
                "ERR unknown subcommand '{}'. Try COMMAND HELP.",
                String::from_utf8_lossy(call.arg(1))
            ))
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
    let (first, last, step) = match row.keys {
        Keys::Range { first, last, step } => (first, last, step),
        Keys::Counted { fixed, .. } if fixed > 0 => (fixed, fixed, 1),
        Keys::None | Keys::Counted { .. } | Keys::Custom(_) => (0, 0, 0),
    };
    let statuses = |names: Vec<String>| {
        Reply::Set(
            names
                .into_iter()
                .map(|name| Reply::Status(name.into()))
                .collect(),
        )
    };
    Reply::Array(vec![
        Reply::bulk(row.full_name()),
        Reply::Integer(i64::from(row.arity)),
        statuses(
            row.flags
                .iter_names()
                .map(|(name, _)| flag_name(name))
                .collect(),
        ),
        Reply::Integer(i64::from(first)),
        Reply::Integer(i64::from(last)),
        Reply::Integer(i64::from(step)),
        statuses(category_names(row.all_categories())),
        Reply::Array(Vec::new()),
        Reply::Array(Vec::new()),
        Reply::Array(row.subcommands.iter().map(describe).collect()),
    ])
}

fn flag_name(name: &str) -> String {
    // `MOVABLEKEYS` is one word in Redis too; the others separate words by underscores.
    name.to_ascii_lowercase()
}

fn category_names(categories: Categories) -> Vec<String> {
    categories
        .iter_names()
        .map(|(name, _)| format!("@{}", name.to_ascii_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Flags;

    #[test]
    fn flags_are_spelt_as_redis_spells_them() {
        let names: Vec<String> = Flags::all()
            .iter_names()
            .map(|(name, _)| flag_name(name))
            .collect();
        assert!(names.contains(&"skip_slowlog".to_owned()), "{names:?}");
        assert!(names.contains(&"movablekeys".to_owned()), "{names:?}");
    }
}
