//! WAIT and WAITAOF, in a store that has one replica at most and no append-only file to wait for.

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::{
    MUST_BE_POSITIVE, NEGATIVE_TIMEOUT, ReplyError, TIMEOUT_NOT_AN_INTEGER, TIMEOUT_OUT_OF_RANGE,
    WAITAOF_WITHOUT_AOF,
};
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::Kind;

/// `WAIT numreplicas timeout`; a replica catches up at once.
pub(super) fn wait(call: &mut Call<'_>) -> Outcome {
    let replicas = call.integer(1)?;
    let timeout_ms = timeout(call, 2)?;
    if call.engine.wait_for_replica() {
        return Ok(Reply::Integer(1));
    }
    wait_for(call, replicas > 0, timeout_ms, Reply::Integer(0))
}

/// `WAITAOF numlocal numreplicas timeout`
pub(super) fn waitaof(call: &mut Call<'_>) -> Outcome {
    let local = call.integer_in(1, 0, 1)?;
    let replicas = number::integer(call.arg(2))
        .filter(|count| *count >= 0)
        .ok_or(MUST_BE_POSITIVE)?;
    let timeout_ms = timeout(call, 3)?;
    if call.engine.wait_for_replica() {
        return Ok(Reply::Array(vec![Reply::Integer(0), Reply::Integer(1)]));
    }
    let nothing = Reply::Array(vec![Reply::Integer(0), Reply::Integer(0)]);
    if call.quirk(Quirk::WaitAtOnce) {
        return wait_for(call, replicas > 0, timeout_ms, nothing);
    }
    if local > 0 {
        return Err(WAITAOF_WITHOUT_AOF);
    }
    wait_for(call, replicas > 0, timeout_ms, nothing)
}

/// Waits for what never comes, if anything is asked for. On Upstash writes are replicated before they
/// are answered, so there is nothing to wait for.
fn wait_for(call: &mut Call<'_>, wanted: bool, timeout_ms: Option<u64>, answer: Reply) -> Outcome {
    if !wanted || call.quirk(Quirk::WaitAtOnce) {
        return Ok(answer);
    }
    call.block(Vec::new(), Kind::String, false, timeout_ms, answer)
}

/// Reads a timeout in milliseconds; 0 waits for ever.
fn timeout(call: &Call<'_>, index: usize) -> Result<Option<u64>, ReplyError> {
    let ms = number::integer(call.arg(index)).ok_or(TIMEOUT_NOT_AN_INTEGER)?;
    let ms = u64::try_from(ms).map_err(|_| NEGATIVE_TIMEOUT)?;
    let end = ms.checked_add(call.now_ms);
    if end.is_none_or(|end| i64::try_from(end).is_err()) {
        return Err(TIMEOUT_OUT_OF_RANGE);
    }
    Ok((ms > 0).then_some(ms))
}
