//! SET with its options, and the commands that set a string or its expiry in other words.

use super::condition::Condition;
use crate::call::Call;
use crate::error::ReplyError;
use crate::expiry::{Form, read_expiry};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Value;

/// What becomes of a key's expiry.
#[derive(Clone, Copy, PartialEq)]
enum Expiry {
    /// SET clears it, GETEX leaves it.
    Unsaid,
    /// It stays.
    Keep,
    /// It is taken away.
    Persist,
    /// The argument at an index says it.
    At(Form, usize),
}

/// When SET sets.
enum When<'a> {
    Always,
    Missing,
    Present,
    If(Condition<'a>),
}

struct Options<'a> {
    when: When<'a>,
    expiry: Expiry,
    get: bool,
}

/// Reads the options of SET (`setting`) or GETEX from an index on.
fn options<'e>(call: &Call<'e>, from: usize, setting: bool) -> Result<Options<'e>, ReplyError> {
    let mut options = Options {
        when: When::Always,
        expiry: Expiry::Unsaid,
        get: false,
    };
    let mut i = from;
    while i < call.args.len() {
        let has_operand = i + 1 < call.args.len();
        let form = Form::parse(call.arg(i));
        let expiry = options.expiry;
        if setting && call.is(i, "NX") && matches!(options.when, When::Always | When::Missing) {
            options.when = When::Missing;
        } else if setting
            && call.is(i, "XX")
            && matches!(options.when, When::Always | When::Present)
        {
            options.when = When::Present;
        } else if setting && call.is(i, "GET") {
            options.get = true;
        } else if setting
            && call.is(i, "KEEPTTL")
            && matches!(expiry, Expiry::Unsaid | Expiry::Keep)
        {
            options.expiry = Expiry::Keep;
        } else if !setting
            && call.is(i, "PERSIST")
            && matches!(expiry, Expiry::Unsaid | Expiry::Persist)
        {
            options.expiry = Expiry::Persist;
        } else if let Some(form) = form
            && has_operand
            && match expiry {
                Expiry::Unsaid => true,
                Expiry::At(other, _) => other == form,
                _ => false,
            }
        {
            options.expiry = Expiry::At(form, i + 1);
            i += 1;
        } else if setting
            && has_operand
            && let Some(condition) = Condition::parse(call.arg(i), call.arg(i + 1))
            && match &options.when {
                When::Always => true,
                When::If(other) => other.has_word_of(&condition),
                When::Missing | When::Present => false,
            }
        {
            options.when = When::If(condition);
            i += 1;
        } else {
            return call.syntax_error();
        }
        i += 1;
    }
    Ok(options)
}

/// `SET key value [NX | XX | IFEQ … | IFNE … | IFDEQ … | IFDNE …] [GET] [EX … | PX … | EXAT … |
/// PXAT … | KEEPTTL]`
pub(super) fn set(call: &mut Call<'_>) -> Outcome {
    let options = options(call, 3, true)?;
    let expires_at = match options.expiry {
        Expiry::At(form, index) => Some(read_expiry(call, index, form)?),
        _ => None,
    };
    let (key, value) = (call.arg(1), call.arg(2));
    let before = if options.get {
        Some(Reply::bulk_or_nil(call.db().read::<Vec<u8>>(key)?))
    } else {
        None
    };
    let allowed = match &options.when {
        When::Always => true,
        When::Missing => !call.db().contains(key),
        When::Present => call.db().contains(key),
        When::If(condition) => match call.db().read::<Vec<u8>>(key)? {
            Some(held) => {
                condition.check_form()?;
                condition.holds(held)
            }
            None => condition.holds_for_missing(),
        },
    };
    if !allowed {
        return Ok(before.unwrap_or(Reply::Nil));
    }
    store(call, key, value, options.expiry == Expiry::Keep, expires_at);
    Ok(before.unwrap_or(Reply::OK))
}

/// Sets a string and its expiry.
fn store(call: &mut Call<'_>, key: &[u8], value: &[u8], keep: bool, expires_at: Option<u64>) {
    if expires_at.is_some_and(|at| at <= call.now_ms) {
        if call.db().remove(key) {
            call.changed(Class::GENERIC, "del", key);
        }
        return;
    }
    let value = Value::String(value.to_vec());
    if keep {
        call.db().overwrite(key, value);
    } else {
        call.db().insert(key, value);
    }
    call.changed(Class::STRING, "set", key);
    if let Some(at) = expires_at {
        call.db().set_expiry(key, Some(at));
        call.notify(Class::GENERIC, "expire", key);
    }
}

/// `SETNX key value`
pub(super) fn setnx(call: &mut Call<'_>) -> Outcome {
    let (key, value) = (call.arg(1), call.arg(2));
    if call.db().contains(key) {
        return Ok(Reply::Integer(0));
    }
    store(call, key, value, false, None);
    Ok(Reply::Integer(1))
}

/// `SETEX key seconds value`
pub(super) fn setex(call: &mut Call<'_>) -> Outcome {
    set_for(call, Form::Seconds)
}

/// `PSETEX key milliseconds value`
pub(super) fn psetex(call: &mut Call<'_>) -> Outcome {
    set_for(call, Form::Milliseconds)
}

fn set_for(call: &mut Call<'_>, form: Form) -> Outcome {
    let at = read_expiry(call, 2, form)?;
    store(call, call.arg(1), call.arg(3), false, Some(at));
    Ok(Reply::OK)
}

/// `GETSET key value`
pub(super) fn getset(call: &mut Call<'_>) -> Outcome {
    let (key, value) = (call.arg(1), call.arg(2));
    let before = Reply::bulk_or_nil(call.db().read::<Vec<u8>>(key)?);
    store(call, key, value, false, None);
    Ok(before)
}

/// `GETEX key [EX … | PX … | EXAT … | PXAT … | PERSIST]`
pub(super) fn getex(call: &mut Call<'_>) -> Outcome {
    let options = options(call, 2, false)?;
    let key = call.arg(1);
    let Some(held) = call.db().read::<Vec<u8>>(key)? else {
        return Ok(Reply::Nil);
    };
    let reply = Reply::bulk(held);
    match options.expiry {
        Expiry::At(form, index) => {
            let at = read_expiry(call, index, form)?;
            call.set_expiry_or_delete(key, at);
        }
        Expiry::Persist => {
            call.persist(key);
        }
        Expiry::Unsaid | Expiry::Keep => {}
    }
    Ok(reply)
}

/// The arguments of MSET and MSETNX as pairs.
fn pairs<'e>(call: &Call<'e>) -> Result<std::slice::ChunksExact<'e, bytes::Bytes>, ReplyError> {
    let pairs = call.args_from(1).chunks_exact(2);
    if pairs.remainder().is_empty() {
        Ok(pairs)
    } else {
        Err(ReplyError::arity(&call.command.full_name()))
    }
}

/// `MSET key value …`
pub(super) fn mset(call: &mut Call<'_>) -> Outcome {
    for pair in pairs(call)? {
        store(call, &pair[0], &pair[1], false, None);
    }
    Ok(Reply::OK)
}

/// `MSETNX key value …`: all or nothing.
pub(super) fn msetnx(call: &mut Call<'_>) -> Outcome {
    let pairs = pairs(call)?;
    if pairs.clone().any(|pair| call.db().contains(&pair[0])) {
        return Ok(Reply::Integer(0));
    }
    for pair in pairs {
        store(call, &pair[0], &pair[1], false, None);
    }
    Ok(Reply::Integer(1))
}
