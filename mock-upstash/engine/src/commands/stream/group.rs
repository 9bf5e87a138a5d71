//! XGROUP: making, changing and destroying consumer groups and consumers.
//!
//! All of it is notified; to transactions that watch the key Redis counts none of it as a change.

use crate::call::Call;
use crate::error::ReplyError;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Stream;
use crate::value::stream::{Group, Id};

use super::{argument, no_group_in_key};

const NO_KEY: ReplyError = ReplyError::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
);

/// The options of CREATE and SETID.
struct Options {
    make_stream: bool,
    entries_read: Option<u64>,
}

/// `XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD count]`
pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let options = options(call, true)?;
    let (key, name) = (call.arg(2), call.arg(3));
    let stream = call.db().read::<Stream>(key)?;
    if stream.is_none() && !options.make_stream {
        return Err(NO_KEY);
    }
    let last_id = stream.map_or(Id::MIN, Stream::last_id);
    // Redis counts: as many arguments as all options make, whichever were repeated.
    if call.args.len() > 8 {
        return Err(ReplyError::subcommand_form(call.args));
    }
    let id = id_or_last(call, last_id)?;
    let made = stream_is_missing(call);
    let stream = call.db().write_or_default::<Stream>(key)?;
    let added = stream.entries_added();
    let read = options.entries_read.map(|read| read.min(added));
    let created = stream.create_group(name, Group::new(id, read));
    if made {
        call.modified(key);
    }
    if !created {
        return Err(ReplyError::fixed(
            "BUSYGROUP Consumer Group name already exists",
        ));
    }
    call.notify(Class::STREAM, "xgroup-create", key);
    Ok(Reply::OK)
}

fn stream_is_missing(call: &mut Call<'_>) -> bool {
    let key = call.arg(2);
    !call.db().contains(key)
}

/// `XGROUP SETID key group id|$ [ENTRIESREAD count]`
pub(super) fn setid(call: &mut Call<'_>) -> Outcome {
    let options = options(call, false)?;
    let last_id = require(call)?;
    if call.args.len() > 7 {
        return Err(ReplyError::subcommand_form(call.args));
    }
    // Unlike CREATE, Redis takes the ends of a range here, too.
    let id = match &call.arg(4)[..] {
        b"-" => Id::MIN,
        b"+" => Id::MAX,
        _ => id_or_last(call, last_id)?,
    };
    let (key, name) = (call.arg(2), call.arg(3));
    if let Some(stream) = call.db().write::<Stream>(key)? {
        let added = stream.entries_added();
        if let Some(group) = stream.group_mut(name) {
            group.last_id = id;
            group.entries_read = options.entries_read.map(|read| read.min(added));
        }
    }
    call.notify(Class::STREAM, "xgroup-setid", key);
    Ok(Reply::OK)
}

/// `XGROUP DESTROY key group`
pub(super) fn destroy(call: &mut Call<'_>) -> Outcome {
    let (key, name) = (call.arg(2), call.arg(3));
    if call.db().read::<Stream>(key)?.is_none() {
        return Err(NO_KEY);
    }
    let stream = call.db().write::<Stream>(key)?;
    let destroyed = stream.is_some_and(|stream| stream.destroy_group(name));
    if destroyed {
        // Clients that wait for something in the group are told that it is gone.
        call.notify(Class::STREAM, "xgroup-destroy", key);
        let db = call.db;
        call.engine.waiting.note_ready(db, key, true);
    }
    Ok(Reply::flag(destroyed))
}

/// `XGROUP CREATECONSUMER key group consumer`
pub(super) fn createconsumer(call: &mut Call<'_>) -> Outcome {
    require(call)?;
    let (key, name, consumer, now_ms) = (call.arg(2), call.arg(3), call.arg(4), call.now_ms);
    let created = call
        .db()
        .write::<Stream>(key)?
        .and_then(|stream| stream.group_mut(name))
        .is_some_and(|group| group.create_consumer(consumer, now_ms));
    if created {
        call.notify(Class::STREAM, "xgroup-createconsumer", key);
    }
    Ok(Reply::flag(created))
}

/// `XGROUP DELCONSUMER key group consumer`
pub(super) fn delconsumer(call: &mut Call<'_>) -> Outcome {
    require(call)?;
    let (key, name, consumer) = (call.arg(2), call.arg(3), call.arg(4));
    let group = call
        .db()
        .write::<Stream>(key)?
        .and_then(|stream| stream.group_mut(name));
    let Some(group) = group.filter(|group| group.consumer(consumer).is_some()) else {
        return Ok(Reply::Integer(0));
    };
    let pending = group.delete_consumer(consumer);
    call.notify(Class::STREAM, "xgroup-delconsumer", key);
    Ok(Reply::count(pending))
}

/// Checks that there are stream and group; answers the stream's last id.
fn require(call: &mut Call<'_>) -> Result<Id, ReplyError> {
    let (key, name) = (call.arg(2), call.arg(3));
    let stream = call.db().read::<Stream>(key)?.ok_or(NO_KEY)?;
    if stream.group(name).is_none() {
        return Err(no_group_in_key(key, name));
    }
    Ok(stream.last_id())
}

fn id_or_last(call: &Call<'_>, last_id: Id) -> Result<Id, ReplyError> {
    if call.arg(4)[..] == *b"$" {
        return Ok(last_id);
    }
    argument::id(call, 4)
}

fn options(call: &Call<'_>, creates: bool) -> Result<Options, ReplyError> {
    let mut options = Options {
        make_stream: false,
        entries_read: None,
    };
    let mut at = 5;
    while at < call.args.len() {
        if creates && call.is(at, "MKSTREAM") {
            options.make_stream = true;
            at += 1;
        } else if call.is(at, "ENTRIESREAD") && at + 1 < call.args.len() {
            options.entries_read = match call.integer(at + 1)? {
                -1 => None,
                read => Some(u64::try_from(read).map_err(|_| {
                    ReplyError::fixed("ERR value for ENTRIESREAD must be positive or -1")
                })?),
            };
            at += 2;
        } else {
            return Err(ReplyError::subcommand_form(call.args));
        }
    }
    Ok(options)
}
