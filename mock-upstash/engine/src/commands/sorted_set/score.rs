//! Commands about members and their scores.

use bytes::Bytes;

use crate::call::Call;
use crate::commands::scan;
use crate::error::{NOT_A_FLOAT, ReplyError};
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::SortedSet;

use super::bound;

/// The options of ZADD, and GEOADD's which go by the same names.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AddOptions {
    pub(crate) only_new: bool,
    pub(crate) only_existing: bool,
    pub(crate) only_greater: bool,
    pub(crate) only_less: bool,
    pub(crate) count_changed: bool,
    pub(crate) increment: bool,
}

/// `ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member …]`
pub(super) fn zadd(call: &mut Call<'_>) -> Outcome {
    parse_and_add(call, AddOptions::default())
}

fn parse_and_add(call: &mut Call<'_>, mut options: AddOptions) -> Outcome {
    let mut at = 2;
    while at < call.args.len() {
        let option = match () {
            () if call.is(at, "NX") => &mut options.only_new,
            () if call.is(at, "XX") => &mut options.only_existing,
            () if call.is(at, "GT") => &mut options.only_greater,
            () if call.is(at, "LT") => &mut options.only_less,
            () if call.is(at, "CH") => &mut options.count_changed,
            () if call.is(at, "INCR") => &mut options.increment,
            () => break,
        };
        *option = true;
        at += 1;
    }
    let rest = call.args_from(at);
    if rest.is_empty() || !rest.len().is_multiple_of(2) {
        return call.syntax_error();
    }
    if options.only_new && options.only_existing {
        return Err(ReplyError::fixed(
            "ERR XX and NX options at the same time are not compatible",
        ));
    }
    let exclusive = [options.only_new, options.only_greater, options.only_less];
    if exclusive.into_iter().filter(|given| *given).count() > 1 {
        return Err(ReplyError::fixed(
            "ERR GT, LT, and/or NX options at the same time are not compatible",
        ));
    }
    if options.increment && rest.len() > 2 {
        return Err(ReplyError::fixed(
            "ERR INCR option supports a single increment-element pair",
        ));
    }
    let pairs = rest
        .chunks_exact(2)
        .map(|pair| Ok((number::double(&pair[0]).ok_or(NOT_A_FLOAT)?, &pair[1])))
        .collect::<Result<Vec<_>, ReplyError>>()?;
    add(call, options, &pairs)
}

/// `ZINCRBY key increment member`
pub(super) fn zincrby(call: &mut Call<'_>) -> Outcome {
    let options = AddOptions {
        increment: true,
        ..AddOptions::default()
    };
    // An option of ZADD is taken for one here as well, which leaves too few arguments.
    parse_and_add(call, options)
}

/// Puts members with scores into the sorted set at argument 1; what ZADD answers.
pub(crate) fn add(call: &mut Call<'_>, options: AddOptions, pairs: &[(f64, &Bytes)]) -> Outcome {
    let key = call.arg(1);
    if options.only_existing && call.db().read::<SortedSet>(key)?.is_none() {
        return Ok(if options.increment {
            Reply::Nil
        } else {
            Reply::Integer(0)
        });
    }
    let set = call.db().write_or_default::<SortedSet>(key)?;
    set.expect(
        pairs.len(),
        pairs.first().map_or(0, |(_, member)| member.len()),
    );
    let (mut added, mut changed) = (0, 0);
    let mut incremented = None;
    for &(score, member) in pairs {
        let before = set.score(member);
        let score = match before {
            None if options.only_existing => continue,
            Some(_) if options.only_new => continue,
            Some(before) if options.increment => before + score,
            _ => score,
        };
        if score.is_nan() {
            return Err(ReplyError::fixed(
                "ERR resulting score is not a number (NaN)",
            ));
        }
        if before.is_some_and(|before| {
            (options.only_greater && score <= before) || (options.only_less && score >= before)
        }) {
            continue;
        }
        set.insert(member, score);
        incremented = Some(score);
        added += usize::from(before.is_none());
        changed += usize::from(before.is_some_and(|before| before != score));
    }
    if added + changed > 0 {
        let event = if options.increment { "zincr" } else { "zadd" };
        call.changed(Class::SORTED_SET, event, key);
    }
    Ok(if options.increment {
        incremented.map_or(Reply::Nil, Reply::Double)
    } else if options.count_changed {
        Reply::count(added + changed)
    } else {
        Reply::count(added)
    })
}

/// `ZREM key member [member …]`
pub(super) fn zrem(call: &mut Call<'_>) -> Outcome {
    let (key, members) = (call.arg(1), call.args_from(2));
    let Some(set) = call.db().write::<SortedSet>(key)? else {
        return Ok(Reply::Integer(0));
    };
    let removed = members.iter().filter(|m| set.remove(m).is_some()).count();
    if removed > 0 {
        call.changed(Class::SORTED_SET, "zrem", key);
        call.drop_if_empty(key);
    }
    Ok(Reply::count(removed))
}

/// `ZCARD key`
pub(super) fn zcard(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let set = call.db().read::<SortedSet>(key)?;
    Ok(Reply::count(set.map_or(0, SortedSet::len)))
}

/// `ZSCORE key member`
pub(super) fn zscore(call: &mut Call<'_>) -> Outcome {
    let (key, member) = (call.arg(1), call.arg(2));
    let set = call.db().read::<SortedSet>(key)?;
    let score = set.and_then(|set| set.score(member));
    Ok(score.map_or(Reply::Nil, Reply::Double))
}

/// `ZMSCORE key member [member …]`
pub(super) fn zmscore(call: &mut Call<'_>) -> Outcome {
    let (key, members) = (call.arg(1), call.args_from(2));
    let set = call.db().read::<SortedSet>(key)?;
    let score = |member: &Bytes| set.and_then(|set| set.score(member));
    let shown = |member| score(member).map_or(Reply::Nil, Reply::Double);
    Ok(Reply::Array(members.iter().map(shown).collect()))
}

/// `ZRANK key member [WITHSCORE]`
pub(super) fn zrank(call: &mut Call<'_>) -> Outcome {
    rank(call, false)
}

/// `ZREVRANK key member [WITHSCORE]`
pub(super) fn zrevrank(call: &mut Call<'_>) -> Outcome {
    rank(call, true)
}

fn rank(call: &mut Call<'_>, reversed: bool) -> Outcome {
    let with_score = match call.args.len() {
        3 => false,
        4 if call.is(3, "WITHSCORE") => true,
        4 => return call.syntax_error(),
        _ => return Err(ReplyError::arity(call.command.name)),
    };
    let (key, member) = (call.arg(1), call.arg(2));
    let found = call.db().read::<SortedSet>(key)?.and_then(|set| {
        let rank = set.rank(member)?;
        let rank = if reversed { set.len() - 1 - rank } else { rank };
        Some((rank, set.score(member)?))
    });
    Ok(match found {
        None if with_score => Reply::NilArray,
        None => Reply::Nil,
        Some((rank, score)) if with_score => {
            Reply::Array(vec![Reply::count(rank), Reply::Double(score)])
        }
        Some((rank, _)) => Reply::count(rank),
    })
}

/// `ZCOUNT key min max`
pub(super) fn zcount(call: &mut Call<'_>) -> Outcome {
    let range = bound::scores(call, 2, 3)?;
    let key = call.arg(1);
    let set = call.db().read::<SortedSet>(key)?;
    Ok(Reply::count(
        set.map_or(0, |set| set.score_ranks(&range).len()),
    ))
}

/// `ZLEXCOUNT key min max`
pub(super) fn zlexcount(call: &mut Call<'_>) -> Outcome {
    let range = bound::members(call, 2, 3)?;
    let key = call.arg(1);
    let set = call.db().read::<SortedSet>(key)?;
    Ok(Reply::count(
        set.map_or(0, |set| set.lex_ranks(&range, false).len()),
    ))
}

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`
pub(super) fn zscan(call: &mut Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 2)?;
    let key = call.arg(1);
    if call.db().read::<SortedSet>(key)?.is_none() {
        return Ok(scan::nothing());
    }
    let options = scan::options(call, 3)?;
    let Some(set) = call.db().read::<SortedSet>(key)? else {
        return Ok(scan::nothing());
    };
    // Scores are bulk strings here, in RESP3 as well.
    let digits = if set.is_compact() {
        number::format_double
    } else {
        number::format_all_digits
    };
    let shown = |(member, score): (&[u8], f64)| [Reply::bulk(member), Reply::bulk(digits(score))];
    let (next, places) = options.places(cursor, set.len(), set.is_compact());
    let wanted = |member: &(&[u8], f64)| options.matches(member.0);
    let elements = if set.is_compact() {
        set.iter().filter(wanted).flat_map(shown).collect()
    } else {
        let members = places.filter_map(|place| set.at(place));
        members.filter(wanted).flat_map(shown).collect()
    };
    Ok(scan::page(next, elements))
}
