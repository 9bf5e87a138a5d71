//! Unions, intersections and differences of sets.

use bytes::Bytes;

use crate::call::Call;
use crate::commands::argument;
use crate::error::{NUMKEYS_NOT_POSITIVE, ReplyError};
use crate::keyspace::Database;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::set::Member;
use crate::value::{Set, Value};

#[derive(Clone, Copy)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// `SUNION key [key …]`
pub(super) fn sunion(call: &mut Call<'_>) -> Outcome {
    read(call, Operation::Union)
}

/// `SINTER key [key …]`
pub(super) fn sinter(call: &mut Call<'_>) -> Outcome {
    read(call, Operation::Intersection)
}

/// `SDIFF key [key …]`
pub(super) fn sdiff(call: &mut Call<'_>) -> Outcome {
    read(call, Operation::Difference)
}

/// `SUNIONSTORE destination key [key …]`
pub(super) fn sunionstore(call: &mut Call<'_>) -> Outcome {
    store(call, Operation::Union, "sunionstore")
}

/// `SINTERSTORE destination key [key …]`
pub(super) fn sinterstore(call: &mut Call<'_>) -> Outcome {
    store(call, Operation::Intersection, "sinterstore")
}

/// `SDIFFSTORE destination key [key …]`
pub(super) fn sdiffstore(call: &mut Call<'_>) -> Outcome {
    store(call, Operation::Difference, "sdiffstore")
}

fn read(call: &mut Call<'_>, operation: Operation) -> Outcome {
    let keys = call.args_from(1);
    let members = compute(call.db(), keys, operation)?;
    Ok(Reply::Set(members.iter().map(Reply::bulk).collect()))
}

fn store(call: &mut Call<'_>, operation: Operation, event: &str) -> Outcome {
    let (destination, keys) = (call.arg(1), call.args_from(2));
    let set = compute(call.db(), keys, operation)?;
    if set.is_empty() {
        if call.db().remove(destination) {
            call.changed(Class::GENERIC, "del", destination);
        }
        return Ok(Reply::Integer(0));
    }
    let len = set.len();
    call.db().insert(destination, Value::Set(Box::new(set)));
    call.changed(Class::SET, event, destination);
    Ok(Reply::count(len))
}

fn compute(db: &mut Database, keys: &[Bytes], operation: Operation) -> Result<Set, ReplyError> {
    // A key of the wrong kind is an error even where a missing one has settled the result.
    let sets = keys
        .iter()
        .map(|key| db.read::<Set>(key))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(match operation {
        Operation::Union => sets.into_iter().flatten().flat_map(Set::iter).collect(),
        Operation::Intersection => common(sets).collect(),
        Operation::Difference => {
            let mut sets = sets.into_iter();
            let first = sets.next().flatten();
            let others: Vec<&Set> = sets.flatten().collect();
            first
                .into_iter()
                .flat_map(Set::iter)
                .filter(|member| !others.iter().any(|other| other.contains(member)))
                .collect()
        }
    })
}

/// What all sets have in common; nothing when one is missing. Walks the smallest of them.
fn common(sets: Vec<Option<&Set>>) -> impl Iterator<Item = Member> {
    let mut sets: Vec<&Set> = sets.into_iter().collect::<Option<_>>().unwrap_or_default();
    sets.sort_by_key(|set| set.len());
    let smallest = sets.first().copied();
    smallest
        .into_iter()
        .flat_map(Set::iter)
        .filter(move |member| sets.iter().skip(1).all(|other| other.contains(member)))
        .map(|member| Member::from(&*member))
}

/// `SINTERCARD numkeys key [key …] [LIMIT limit]`
pub(super) fn sintercard(call: &mut Call<'_>) -> Outcome {
    let (count, options_at) = argument::key_count(call, 1, NUMKEYS_NOT_POSITIVE)?;
    if count > call.args.len() - 2 {
        return Err(ReplyError::fixed(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    let mut limit = usize::MAX;
    let mut at = options_at;
    while at < call.args.len() {
        if !call.is(at, "LIMIT") || at + 1 == call.args.len() {
            return call.syntax_error();
        }
        let error = ReplyError::fixed("ERR LIMIT can't be negative");
        let n = argument::ranged(call, at + 1, 0, i64::MAX, error)?;
        limit = match usize::try_from(n) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(limit) => limit,
        };
        at += 2;
    }
    let keys = &call.args_from(2)[..count];
    let db = call.db();
    let sets = keys
        .iter()
        .map(|key| db.read::<Set>(key))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Reply::count(common(sets).take(limit).count()))
}
