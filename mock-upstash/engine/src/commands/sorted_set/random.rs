//! The command that chooses members by chance.

use crate::call::Call;
use crate::commands::argument;
use crate::error::{OUT_OF_RANGE, ReplyError};
use crate::reply::{Outcome, Reply};
use crate::value::SortedSet;

/// Most members that one ZRANDMEMBER answers when they may repeat: what a reply can hold is not
/// bounded by the set then.
const MAX_REPEATED: u64 = 1 << 26;

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub(super) fn zrandmember(call: &mut Call<'_>) -> Outcome {
    let count = match call.args.len() {
        2 => None,
        _ => Some(argument::magnitude(call, 2)?),
    };
    let with_scores = match call.args.len() {
        2 | 3 => false,
        4 if call.is(3, "WITHSCORES") => true,
        _ => return call.syntax_error(),
    };
    if with_scores && count.is_some_and(|n| n.unsigned_abs() > (i64::MAX / 2) as u64) {
        return Err(OUT_OF_RANGE);
    }
    let key = call.arg(1);
    let engine = &mut *call.engine;
    let set = engine.databases[call.db].read::<SortedSet>(key)?;
    let random = &mut engine.random;
    let Some(count) = count else {
        let member = set.and_then(|set| set.choose(random));
        return Ok(Reply::bulk_or_nil(member.map(|(member, _)| member)));
    };
    let Some(set) = set else {
        return Ok(Reply::Array(Vec::new()));
    };
    let size = count.unsigned_abs();
    let drawn = if count >= 0 {
        set.sample(random, usize::try_from(size).unwrap_or(usize::MAX))
    } else if size > MAX_REPEATED {
        return Err(ReplyError::fixed(
            "ERR value is out of range: at most 67108864 repeated members are answered",
        ));
    } else {
        (0..size).map_while(|_| set.choose(random)).collect()
    };
    let drawn: Vec<(Vec<u8>, f64)> = drawn.into_iter().map(|(m, s)| (m.to_vec(), s)).collect();
    Ok(if with_scores {
        super::with_scores(call, drawn)
    } else {
        Reply::bulks(drawn.into_iter().map(|(member, _)| member))
    })
}
