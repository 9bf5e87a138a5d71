//! Commands that take out a range of members.

use std::ops::Range;

use crate::call::Call;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::SortedSet;
use crate::value::list::window;

use super::bound;

/// `ZREMRANGEBYRANK key start stop`
pub(super) fn zremrangebyrank(call: &mut Call<'_>) -> Outcome {
    let (start, stop) = (call.integer(2)?, call.integer(3)?);
    remove(call, "zremrangebyrank", |set| {
        window(start, stop, set.len())
    })
}

/// `ZREMRANGEBYSCORE key min max`
pub(super) fn zremrangebyscore(call: &mut Call<'_>) -> Outcome {
    let range = bound::scores(call, 2, 3)?;
    remove(call, "zremrangebyscore", |set| set.score_ranks(&range))
}

/// `ZREMRANGEBYLEX key min max`
pub(super) fn zremrangebylex(call: &mut Call<'_>) -> Outcome {
    let range = bound::members(call, 2, 3)?;
    remove(call, "zremrangebylex", |set| set.lex_ranks(&range, false))
}

fn remove(call: &mut Call<'_>, event: &str, ranks: impl Fn(&SortedSet) -> Range<usize>) -> Outcome {
    let key = call.arg(1);
    let Some(set) = call.db().write::<SortedSet>(key)? else {
        return Ok(Reply::Integer(0));
    };
    let removed = set.remove_ranks(ranks(set));
    if removed > 0 {
        call.changed(Class::SORTED_SET, event, key);
        call.drop_if_empty(key);
    }
    Ok(Reply::count(removed))
}
