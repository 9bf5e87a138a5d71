//! HSCAN and HRANDFIELD.

use rand::RngExt;
use rand::seq::index::sample;

use crate::call::Call;
use crate::commands::scan;
use crate::error::OUT_OF_RANGE;
use crate::reply::{Outcome, Reply};
use crate::value::Hash;

/// Most fields that HRANDFIELD answers with repetitions: Redis would fill its memory.
const MOST_REPEATED: usize = 10_000_000;

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`
pub(super) fn hscan(call: &mut Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 2)?;
    let key = call.arg(1);
    if call.db().read::<Hash>(key)?.is_none() {
        return Ok(scan::nothing());
    }
    let options = scan::options(call, 3)?;
    let Some(hash) = call.db().read::<Hash>(key)? else {
        return Ok(scan::nothing());
    };
    let (next, places) = options.places(cursor, hash.len(), !hash.is_large());
    let mut found = Vec::new();
    for (field, value) in places.filter_map(|index| hash.at(index)) {
        if options.matches(field) {
            found.push(Reply::bulk(field));
            if !options.no_values {
                found.push(Reply::bulk(value));
            }
        }
    }
    Ok(scan::page(next, found))
}

/// `HRANDFIELD key [count [WITHVALUES]]`
pub(super) fn hrandfield(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    if call.args.len() == 2 {
        let Some(hash) = call.engine.databases[call.db].read::<Hash>(key)? else {
            return Ok(Reply::Nil);
        };
        let index = call.engine.random.random_range(0..hash.len().max(1));
        return Ok(Reply::bulk_or_nil(hash.at(index).map(|(field, _)| field)));
    }
    let count = call.integer_in(2, -i64::MAX, i64::MAX)?;
    let with_values = call.is(3, "WITHVALUES");
    if call.args.len() > 4 || (call.args.len() == 4 && !with_values) {
        return call.syntax_error();
    }
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(OUT_OF_RANGE);
    }
    let nested = call.resp3();
    let Some(hash) = call.engine.databases[call.db].read::<Hash>(key)? else {
        return Ok(Reply::Array(Vec::new()));
    };
    let amount = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 && amount > MOST_REPEATED {
        return Err(OUT_OF_RANGE);
    }
    let random = &mut call.engine.random;
    let places: Vec<usize> = if hash.is_empty() || amount == 0 {
        Vec::new()
    } else if count < 0 {
        // The same field may come more than once.
        (0..amount)
            .map(|_| random.random_range(0..hash.len()))
            .collect()
    } else if amount >= hash.len() {
        (0..hash.len()).collect()
    } else {
        sample(random, hash.len(), amount).into_vec()
    };
    let mut replies = Vec::with_capacity(places.len());
    for (field, value) in places.into_iter().filter_map(|index| hash.at(index)) {
        match (with_values, nested) {
            (false, _) => replies.push(Reply::bulk(field)),
            (true, true) => replies.push(Reply::bulks([field, value])),
            (true, false) => replies.extend([Reply::bulk(field), Reply::bulk(value)]),
        }
    }
    Ok(Reply::Array(replies))
}
