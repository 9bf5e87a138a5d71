//! ZRANGE and its older forms: by rank, by score, by member, in either direction.

use std::ops::Range;

use crate::call::Call;
use crate::dialect::Quirk;
use crate::error::{ReplyError, SYNTAX};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::list::window;
use crate::value::sorted_set::{LexRange, ScoreRange};
use crate::value::{SortedSet, Value};

use super::bound;

/// What the two ends of a range are.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// The ends, read.
enum Ends<'e> {
    Rank(i64, i64),
    Score(ScoreRange),
    Lex(LexRange<'e>),
}

/// Which members of which key a command asks for.
struct Query<'e> {
    key: &'e [u8],
    ends: Ends<'e>,
    reversed: bool,
    limit: Option<(i64, i64)>,
    with_scores: bool,
}

/// `ZRANGE key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub(super) fn zrange(call: &mut Call<'_>) -> Outcome {
    answer(call, None, None)
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub(super) fn zrevrange(call: &mut Call<'_>) -> Outcome {
    answer(call, Some(By::Rank), Some(true))
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub(super) fn zrangebyscore(call: &mut Call<'_>) -> Outcome {
    answer(call, Some(By::Score), Some(false))
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub(super) fn zrevrangebyscore(call: &mut Call<'_>) -> Outcome {
    answer(call, Some(By::Score), Some(true))
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub(super) fn zrangebylex(call: &mut Call<'_>) -> Outcome {
    answer(call, Some(By::Lex), Some(false))
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub(super) fn zrevrangebylex(call: &mut Call<'_>) -> Outcome {
    answer(call, Some(By::Lex), Some(true))
}

/// `ZRANGESTORE destination source start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count]`
pub(super) fn zrangestore(call: &mut Call<'_>) -> Outcome {
    let query = parse(call, 2, None, None)?;
    let mut found = SortedSet::default();
    if let Some(set) = call.db().read::<SortedSet>(query.key)? {
        let selected = query.select(set);
        if matches!(query.ends, Ends::Rank(..)) {
            found.expect(selected.len(), 0);
        }
        found.extend(selected);
    }
    let destination = call.arg(1);
    if found.is_empty() {
        if call.db().remove(destination) {
            call.changed(Class::GENERIC, "del", destination);
        }
        return Ok(Reply::Integer(0));
    }
    let len = found.len();
    let value = Value::SortedSet(Box::new(found));
    call.set_key(destination, value, Class::SORTED_SET, "zrangestore");
    Ok(Reply::count(len))
}

fn answer(call: &mut Call<'_>, by: Option<By>, reversed: Option<bool>) -> Outcome {
    let query = parse(call, 1, by, reversed)?;
    let resp3 = call.resp3();
    let Some(set) = call.db().read::<SortedSet>(query.key)? else {
        return Ok(Reply::Array(Vec::new()));
    };
    let found = query.select(set);
    Ok(match query.with_scores {
        true if resp3 => super::pairs(found),
        true => super::flat(found),
        false => Reply::bulks(found.into_iter().map(|(member, _)| member)),
    })
}

/// Reads key, ends and options from argument `first` on. `by` and `reversed` are given by commands
/// whose name says them; the others take them as options.
fn parse<'e>(
    call: &Call<'e>,
    first: usize,
    by: Option<By>,
    reversed: Option<bool>,
) -> Result<Query<'e>, ReplyError> {
    let (fixed_by, fixed_direction) = (by, reversed);
    let stores = first > 1;
    let (mut by, mut reversed) = (fixed_by, fixed_direction);
    let (mut limit, mut with_scores) = (None, false);
    let mut at = first + 3;
    while at < call.args.len() {
        if !stores && call.is(at, "WITHSCORES") {
            with_scores = true;
        } else if call.is(at, "LIMIT") && at + 2 < call.args.len() {
            limit = Some((call.integer(at + 1)?, call.integer(at + 2)?));
            at += 2;
        } else if reversed.is_none() && call.is(at, "REV") {
            reversed = Some(true);
        } else if by.is_none() && call.is(at, "BYLEX") {
            by = Some(By::Lex);
        } else if by.is_none() && call.is(at, "BYSCORE") {
            by = Some(By::Score);
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    let (by, reversed) = (by.unwrap_or(By::Rank), reversed.unwrap_or(false));
    let limited = limit.is_some_and(|(_, count)| count != -1);
    if by == By::Rank && limited && !call.quirk(Quirk::RangeLimit) {
        return Err(ReplyError::fixed(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ));
    }
    if by == By::Lex && with_scores {
        return Err(ReplyError::fixed(
            "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ));
    }
    let (mut min, mut max) = (first + 1, first + 2);
    if reversed && by != By::Rank {
        (min, max) = (max, min);
    }
    let ends = match by {
        By::Rank => Ends::Rank(call.integer(min)?, call.integer(max)?),
        By::Score => Ends::Score(bound::scores(call, min, max)?),
        By::Lex => Ends::Lex(bound::members(call, min, max)?),
    };
    // By rank Redis lets a limit without a count pass, and heeds nothing of it.
    let heeded = by != By::Rank || call.quirk(Quirk::RangeLimit);
    Ok(Query {
        key: call.arg(first),
        ends,
        reversed,
        limit: limit.filter(|_| heeded),
        with_scores,
    })
}

impl Query<'_> {
    /// The members asked for, in the order asked for.
    fn select<'s>(&self, set: &'s SortedSet) -> Vec<(&'s [u8], f64)> {
        let ranks = match &self.ends {
            Ends::Rank(start, stop) => {
                let ranks = window(*start, *stop, set.len());
                if self.reversed {
                    set.len() - ranks.end..set.len() - ranks.start
                } else {
                    ranks
                }
            }
            Ends::Score(range) => set.score_ranks(range),
            Ends::Lex(range) => set.lex_ranks(range, self.reversed),
        };
        let ranks = self.cut(ranks);
        if self.reversed {
            set.range_reversed(ranks).collect()
        } else {
            set.range(ranks).collect()
        }
    }

    /// The part of a range of ranks that the limit leaves. A negative offset leaves nothing, a
    /// negative count everything.
    fn cut(&self, ranks: Range<usize>) -> Range<usize> {
        let Some((offset, count)) = self.limit else {
            return ranks;
        };
        let Ok(offset) = usize::try_from(offset) else {
            return 0..0;
        };
        let left = ranks.len().saturating_sub(offset);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(left);
        if self.reversed {
            let end = ranks.end - offset.min(ranks.len());
            end - count..end
        } else {
            let start = ranks.start + offset.min(ranks.len());
            start..start + count
        }
    }
}
