//! Commands about the members of one set.

use crate::call::Call;
use crate::commands::scan;
use crate::dialect::Quirk;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Set;

/// `SADD key member [member …]`
pub(super) fn sadd(call: &mut Call<'_>) -> Outcome {
    let (key, members) = (call.arg(1), call.args_from(2));
    let set = call.db().write_or_default::<Set>(key)?;
    set.expect(members.len());
    let added = members.iter().filter(|member| set.insert(member)).count();
    if added > 0 {
        call.changed(Class::SET, "sadd", key);
    }
    Ok(Reply::count(added))
}

/// `SREM key member [member …]`
pub(super) fn srem(call: &mut Call<'_>) -> Outcome {
    let (key, members) = (call.arg(1), call.args_from(2));
    let Some(set) = call.db().write::<Set>(key)? else {
        return Ok(Reply::Integer(0));
    };
    let removed = members.iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        call.changed(Class::SET, "srem", key);
        call.drop_if_empty(key);
    }
    Ok(Reply::count(removed))
}

/// `SCARD key`
pub(super) fn scard(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let set = call.db().read::<Set>(key)?;
    Ok(Reply::count(set.map_or(0, Set::len)))
}

/// `SISMEMBER key member`
pub(super) fn sismember(call: &mut Call<'_>) -> Outcome {
    let (key, member) = (call.arg(1), call.arg(2));
    let set = call.db().read::<Set>(key)?;
    Ok(Reply::flag(set.is_some_and(|set| set.contains(member))))
}

/// `SMISMEMBER key member [member …]`
pub(super) fn smismember(call: &mut Call<'_>) -> Outcome {
    let (key, members) = (call.arg(1), call.args_from(2));
    let set = call.db().read::<Set>(key)?;
    let known = |member: &bytes::Bytes| set.is_some_and(|set| set.contains(member));
    Ok(Reply::Array(
        members.iter().map(|m| Reply::flag(known(m))).collect(),
    ))
}

/// `SMEMBERS key`
pub(super) fn smembers(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let set = call.db().read::<Set>(key)?;
    let members = set.into_iter().flat_map(Set::iter).map(Reply::bulk);
    let members = members.collect();
    Ok(if call.quirk(Quirk::Resp3Forms) {
        Reply::Array(members)
    } else {
        Reply::Set(members)
    })
}

/// `SMOVE source destination member`
pub(super) fn smove(call: &mut Call<'_>) -> Outcome {
    let (source, destination, member) = (call.arg(1), call.arg(2), call.arg(3));
    // Without a source Redis does not look at what kind of thing the destination is.
    let Some(set) = call.db().read::<Set>(source)? else {
        return Ok(Reply::Integer(0));
    };
    let known = set.contains(member);
    call.db().read::<Set>(destination)?;
    if source == destination || !known {
        return Ok(Reply::flag(known));
    }
    if let Some(set) = call.db().write::<Set>(source)? {
        set.remove(member);
    }
    call.changed(Class::SET, "srem", source);
    call.drop_if_empty(source);
    let added = call
        .db()
        .write_or_default::<Set>(destination)?
        .insert(member);
    if added {
        call.changed(Class::SET, "sadd", destination);
    }
    Ok(Reply::Integer(1))
}

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub(super) fn sscan(call: &mut Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 2)?;
    let key = call.arg(1);
    if call.db().read::<Set>(key)?.is_none() {
        return Ok(scan::nothing());
    }
    let options = scan::options(call, 3)?;
    let Some(set) = call.db().read::<Set>(key)? else {
        return Ok(scan::nothing());
    };
    let (next, places) = options.places(cursor, set.len(), set.is_compact());
    let members = places
        .filter_map(|place| set.at(place))
        .filter(|member| options.matches(member))
        .map(Reply::bulk)
        .collect();
    Ok(scan::page(next, members))
}
