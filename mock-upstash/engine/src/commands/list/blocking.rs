//! Commands that wait for a list to have an element.

use bytes::Bytes;

use crate::call::Call;
use crate::keyspace::Key;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::list::End;
use crate::value::{Kind, List};

use super::pop::{self, ManyPop};

/// `BLPOP key [key …] timeout`
pub(super) fn blpop(call: &mut Call<'_>) -> Outcome {
    pop(call, End::Left)
}

/// `BRPOP key [key …] timeout`
pub(super) fn brpop(call: &mut Call<'_>) -> Outcome {
    pop(call, End::Right)
}

fn pop(call: &mut Call<'_>, end: End) -> Outcome {
    let last = call.args.len() - 1;
    let timeout_ms = number::timeout_ms(call.arg(last), call.now_ms)?;
    let keys = &call.args[1..last];
    for key in keys {
        if call.db().read::<List>(key)?.is_some() {
            let taken = pop::take(call, key, end, 1)?;
            let mut reply = vec![Reply::bulk(key)];
            reply.extend(taken.into_iter().map(Reply::bulk));
            return Ok(Reply::Array(reply));
        }
    }
    wait(call, keys, timeout_ms)
}

/// `BLMPOP timeout numkeys key [key …] LEFT|RIGHT [COUNT count]`
pub(super) fn blmpop(call: &mut Call<'_>) -> Outcome {
    // The timeout is read last, as Redis does.
    let wanted: ManyPop<'_> = pop::parse_many(call, 2)?;
    let timeout_ms = number::timeout_ms(call.arg(1), call.now_ms)?;
    match pop::take_many(call, &wanted)? {
        Some(reply) => Ok(reply),
        None => wait(call, wanted.keys, timeout_ms),
    }
}

/// `BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout`
pub(super) fn blmove(call: &mut Call<'_>) -> Outcome {
    let (from, to) = (pop::end(call, 3)?, pop::end(call, 4)?);
    let timeout_ms = number::timeout_ms(call.arg(5), call.now_ms)?;
    move_or_wait(call, from, to, timeout_ms)
}

/// `BRPOPLPUSH source destination timeout`
pub(super) fn brpoplpush(call: &mut Call<'_>) -> Outcome {
    let timeout_ms = number::timeout_ms(call.arg(3), call.now_ms)?;
    move_or_wait(call, End::Right, End::Left, timeout_ms)
}

fn move_or_wait(call: &mut Call<'_>, from: End, to: End, timeout_ms: Option<u64>) -> Outcome {
    match pop::move_one(call, from, to)? {
        Some(element) => Ok(Reply::bulk(element)),
        // Where nothing can block it is the nil of LMOVE; who waits in vain gets that of an array.
        None if call.cannot_block() => Ok(Reply::Nil),
        None => wait(call, &call.args[1..2], timeout_ms),
    }
}

fn wait(call: &mut Call<'_>, keys: &[Bytes], timeout_ms: Option<u64>) -> Outcome {
    let keys = keys.iter().map(|key| Key::from(&key[..])).collect();
    call.block(keys, Kind::List, false, timeout_ms, Reply::NilArray)
}
