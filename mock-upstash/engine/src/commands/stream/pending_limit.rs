//! How many entries a consumer may have pending (Upstash docs, troubleshooting/stream_pel_limit).

use bytes::Bytes;

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::ReplyError;
use crate::value::Stream;

/// Refuses a command that could bring a consumer above the limit, before it does anything: `requested`
/// is how many entries it asks for, however many there are.
pub(super) fn check(
    call: &mut Call<'_>,
    command: &str,
    [key, group, consumer]: [&Bytes; 3],
    requested: usize,
) -> Result<(), ReplyError> {
    if !call.quirk(Quirk::PendingLimit) {
        return Ok(());
    }
    let limit = call.engine.limits.pending_entries;
    let stream = call.db().read::<Stream>(key)?;
    let pending = stream
        .and_then(|stream| stream.group(group)?.consumer(consumer))
        .map_or(0, |consumer| consumer.pending.len());
    if pending.saturating_add(requested) as u64 <= limit {
        return Ok(());
    }
    let mut text = format!(
        "ERR {command} is cancelled. Pending Entries List limit per consumer is about to be reached. Limit: {limit}, Current PEL size: {pending}, Requested Read: {requested}, Key: "
    )
    .into_bytes();
    let parts: [&[u8]; 5] = [key, b", Group: ", group, b", Consumer: ", consumer];
    text.extend_from_slice(&parts.concat());
    text.push(b'.');
    Err(ReplyError::new(text))
}

/// As [`check`], for commands that take over what is pending for others: whether the limit holds for
/// them too is not known.
pub(super) fn check_claim(
    call: &mut Call<'_>,
    command: &str,
    place: [&Bytes; 3],
    requested: usize,
) -> Result<(), ReplyError> {
    if call.engine.limits.choices.claims_limited {
        return check(call, command, place, requested);
    }
    Ok(())
}
