//! The command that adds entries.

use crate::call::Call;
use crate::error::ReplyError;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Stream;
use crate::value::stream::{Entry, Id, NewId, Refusal};

use super::{argument, id_reply};

/// `XADD key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [MAXLEN|MINID [=|~] threshold [LIMIT count]]
/// *|id field value [field value …]`
pub(super) fn xadd(call: &mut Call<'_>) -> Outcome {
    let options = argument::options(call, true)?;
    let fields = call.args_from(options.rest);
    if fields.is_empty() || !fields.len().is_multiple_of(2) {
        return Err(ReplyError::arity(call.command.name));
    }
    if options.id == NewId::Exactly(Id::MIN) {
        return Err(ReplyError::fixed(
            "ERR The ID specified in XADD must be greater than 0-0",
        ));
    }
    let (key, now_ms) = (call.arg(1), call.now_ms);
    let id = match call.db().read::<Stream>(key)? {
        None if !options.make_stream => return Ok(Reply::Nil),
        None => Stream::default().next_id(options.id, now_ms),
        Some(stream) => stream.next_id(options.id, now_ms),
    };
    let id = id.map_err(|refusal| {
        ReplyError::fixed(match refusal {
            Refusal::Exhausted => {
                "ERR The stream has exhausted the last possible ID, unable to add more items"
            }
            Refusal::NotAbove => {
                "ERR The ID specified in XADD is equal or smaller than the target stream top item"
            }
        })
    })?;
    let stream = call.db().write_or_default::<Stream>(key)?;
    stream.append(Entry {
        id,
        fields: fields.iter().map(|item| Box::from(&item[..])).collect(),
    });
    let trimmed = options.trim.map_or(0, |trim| stream.trim(&trim));
    call.changed(Class::STREAM, "xadd", key);
    if trimmed > 0 {
        call.notify(Class::STREAM, "xtrim", key);
    }
    Ok(id_reply(id))
}
