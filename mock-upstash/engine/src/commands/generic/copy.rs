//! COPY and RENAME: a key's value under another name.

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::{DB_INDEX_OUT_OF_RANGE, NO_SUCH_KEY, SAME_OBJECT};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};

/// `COPY source destination [DB index] [REPLACE]`
pub(super) fn copy(call: &mut Call<'_>) -> Outcome {
    let (mut to_db, mut replace) = (call.db, false);
    let mut i = 3;
    while i < call.args.len() {
        if call.is(i, "REPLACE") {
            replace = true;
        } else if call.is(i, "DB") && i + 1 < call.args.len() {
            i += 1;
            let index = call.integer_in(i, i64::from(i32::MIN), i64::from(i32::MAX))?;
            to_db = usize::try_from(index)
                .ok()
                .filter(|index| *index < call.engine.databases.len())
                .ok_or(DB_INDEX_OUT_OF_RANGE)?;
        } else {
            return call.syntax_error();
        }
        i += 1;
    }
    let (from, to) = (call.arg(1), call.arg(2));
    if from == to && to_db == call.db {
        return if call.quirk(Quirk::CopyOntoItself) {
            Ok(Reply::Integer(0))
        } else {
            Err(SAME_OBJECT)
        };
    }
    let Some(entry) = call.db().entry(from).cloned() else {
        return Ok(Reply::Integer(0));
    };
    let destination = &mut call.engine.databases[to_db];
    if destination.contains(to) && !replace {
        return Ok(Reply::Integer(0));
    }
    // Redis deletes what was there, and does not overwrite it: notifications tell.
    let before = destination.kind(to);
    destination.remove(to);
    destination.insert_entry(to, entry);
    call.engine.key_modified(to_db, to);
    call.engine.notify(Class::GENERIC, "copy_to", to, to_db);
    call.engine.notify_replaced(before, to, to_db);
    Ok(Reply::Integer(1))
}

/// `RENAME key newkey`
pub(super) fn rename(call: &mut Call<'_>) -> Outcome {
    move_over(call, true)?;
    Ok(Reply::OK)
}

/// `RENAMENX key newkey`
pub(super) fn renamenx(call: &mut Call<'_>) -> Outcome {
    move_over(call, false)
}

fn move_over(call: &mut Call<'_>, replace: bool) -> Outcome {
    let (from, to) = (call.arg(1), call.arg(2));
    if !call.db().contains(from) {
        return Err(NO_SUCH_KEY);
    }
    if from == to || (!replace && call.db().contains(to)) {
        return Ok(Reply::Integer(0));
    }
    let before = call.db().kind(to);
    if let Some(entry) = call.db().take(from) {
        call.db().remove(to);
        call.db().insert_entry(to, entry);
    }
    call.modified(from);
    call.modified(to);
    call.notify(Class::GENERIC, "rename_from", from);
    call.notify(Class::GENERIC, "rename_to", to);
    call.engine.notify_replaced(before, to, call.db);
    Ok(Reply::Integer(1))
}
