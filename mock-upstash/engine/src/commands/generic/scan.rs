//! SCAN, KEYS, RANDOMKEY: keys that are not known by name.

use rand::RngExt;

use crate::call::Call;
use crate::commands::scan;
use crate::glob;
use crate::reply::{Outcome, Reply};
use crate::value::Kind;

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`, and `[WITHTYPE]` on Upstash
pub(super) fn scan(call: &mut Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 1)?;
    let options = scan::options(call, 2)?;
    let json = call.kind_name(Kind::Json);
    let db = call.db();
    let (next, places) = options.places(cursor, db.len(), false);
    let mut found = Vec::new();
    for (key, entry) in places.filter_map(|index| db.at(index)) {
        let name = match entry.value.kind() {
            Kind::Json => json,
            kind => kind.name(),
        };
        let wanted = options
            .kind
            .is_none_or(|kind| kind.eq_ignore_ascii_case(name.as_bytes()));
        if wanted && options.matches(key) {
            found.push(Reply::bulk(key));
            if options.with_kind {
                found.push(Reply::bulk(name));
            }
        }
    }
    Ok(scan::page(next, found))
}

/// `KEYS pattern`
pub(super) fn keys(call: &mut Call<'_>) -> Outcome {
    let pattern = call.arg(1);
    let all = call.db().iter().map(|(key, _)| key);
    Ok(Reply::bulks(all.filter(|key| {
        glob::is_everything(pattern) || glob::matches(pattern, key)
    })))
}

/// `RANDOMKEY`
pub(super) fn randomkey(call: &mut Call<'_>) -> Outcome {
    let length = call.db().len();
    if length == 0 {
        return Ok(Reply::Nil);
    }
    let index = call.engine.random.random_range(0..length);
    Ok(Reply::bulk_or_nil(call.db().at(index).map(|(key, _)| key)))
}
