//! Commands that choose members by chance.

use crate::call::Call;
use crate::commands::argument;
use crate::error::{ReplyError, SYNTAX};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Set;

/// Most members that one SRANDMEMBER answers when they may repeat: what a reply can hold is not
/// bounded by the set then.
const MAX_REPEATED: u64 = 1 << 26;

/// `SPOP key [count]`
pub(super) fn spop(call: &mut Call<'_>) -> Outcome {
    let count = match call.args.len() {
        2 => None,
        3 => Some(argument::non_negative(call, 2)?),
        _ => return Err(SYNTAX),
    };
    let key = call.arg(1);
    if call.db().read::<Set>(key)?.is_none() || count == Some(0) {
        return Ok(match count {
            Some(_) => Reply::Set(Vec::new()),
            None => Reply::Nil,
        });
    }
    let mut taken = Vec::new();
    let engine = &mut *call.engine;
    if let Some(set) = engine.databases[call.db].write::<Set>(key)? {
        let wanted = count.unwrap_or(1).min(set.len());
        if wanted == set.len() {
            taken.extend(set.iter().map(Reply::bulk));
            *set = Set::default();
        } else {
            let random = &mut engine.random;
            taken.extend((0..wanted).map_while(|_| set.pop(random).map(Reply::bulk)));
        }
    }
    call.changed(Class::SET, "spop", key);
    call.drop_if_empty(key);
    Ok(match count {
        Some(_) => Reply::Set(taken),
        None => taken.pop().unwrap_or(Reply::Nil),
    })
}

/// `SRANDMEMBER key [count]`
pub(super) fn srandmember(call: &mut Call<'_>) -> Outcome {
    let count = match call.args.len() {
        2 => None,
        3 => Some(argument::magnitude(call, 2)?),
        _ => return Err(SYNTAX),
    };
    let key = call.arg(1);
    let engine = &mut *call.engine;
    let set = engine.databases[call.db].read::<Set>(key)?;
    let random = &mut engine.random;
    let Some(count) = count else {
        return Ok(Reply::bulk_or_nil(set.and_then(|set| set.choose(random))));
    };
    let Some(set) = set else {
        return Ok(Reply::Array(Vec::new()));
    };
    let size = count.unsigned_abs();
    if count >= 0 {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        return Ok(Reply::bulks(set.sample(random, size)));
    }
    if size > MAX_REPEATED {
        return Err(ReplyError::fixed(
            "ERR value is out of range: at most 67108864 repeated members are answered",
        ));
    }
    let members = (0..size).map_while(|_| set.choose(random).map(Reply::bulk));
    Ok(Reply::Array(members.collect()))
}
