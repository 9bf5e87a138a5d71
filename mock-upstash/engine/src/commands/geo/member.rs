//! Commands that add positions and show them.

use bytes::Bytes;

use crate::call::Call;
use crate::commands::sorted_set::{AddOptions, add};
use crate::error::{NOT_A_FLOAT, ReplyError, SYNTAX};
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::SortedSet;

use super::hash::Position;
use super::metres;

/// Reads a longitude and a latitude.
///
/// # Errors
/// When they are no numbers or lie outside of what can be hashed.
pub(super) fn position(longitude: &[u8], latitude: &[u8]) -> Result<Position, ReplyError> {
    let position = Position {
        longitude: number::double(longitude).ok_or(NOT_A_FLOAT)?,
        latitude: number::double(latitude).ok_or(NOT_A_FLOAT)?,
    };
    if position.is_valid() {
        return Ok(position);
    }
    Err(ReplyError::new(format!(
        "ERR invalid longitude,latitude pair {:.6},{:.6}",
        position.longitude, position.latitude
    )))
}

/// A distance with four decimals, as a bulk string in RESP3 too.
pub(super) fn distance_reply(distance: f64) -> Reply {
    let scaled = (distance * 10_000.0).round_ties_even();
    // What does not fit into an integer is beyond any distance on Earth.
    Reply::bulk(format!("{:.4}", scaled / 10_000.0))
}

/// Longitude and latitude.
pub(super) fn position_reply(position: Position) -> Reply {
    Reply::Array(vec![
        Reply::Double(position.longitude),
        Reply::Double(position.latitude),
    ])
}

/// `GEOADD key [NX|XX] [CH] longitude latitude member [longitude latitude member …]`
pub(super) fn geoadd(call: &mut Call<'_>) -> Outcome {
    let mut options = AddOptions::default();
    let mut at = 2;
    while at < call.args.len() {
        let option = match () {
            () if call.is(at, "NX") => &mut options.only_new,
            () if call.is(at, "XX") => &mut options.only_existing,
            () if call.is(at, "CH") => &mut options.count_changed,
            () => break,
        };
        *option = true;
        at += 1;
    }
    let triples = call.args_from(at);
    if !triples.len().is_multiple_of(3) || (options.only_new && options.only_existing) {
        return Err(SYNTAX);
    }
    let pairs = triples
        .chunks_exact(3)
        .map(|triple| Ok((position(&triple[0], &triple[1])?.score(), &triple[2])))
        .collect::<Result<Vec<(f64, &Bytes)>, ReplyError>>()?;
    if pairs.is_empty() {
        return Err(SYNTAX);
    }
    add(call, options, &pairs)
}

/// `GEODIST key member1 member2 [M|KM|FT|MI]`
pub(super) fn geodist(call: &mut Call<'_>) -> Outcome {
    let unit = match call.args.len() {
        4 => 1.0,
        5 => metres(call.arg(4))?,
        _ => return Err(SYNTAX),
    };
    let (key, from, to) = (call.arg(1), call.arg(2), call.arg(3));
    let distance = call.db().read::<SortedSet>(key)?.and_then(|set| {
        let from = Position::of_score(set.score(from)?);
        let to = Position::of_score(set.score(to)?);
        Some(from.distance(to) / unit)
    });
    Ok(distance.map_or(Reply::Nil, distance_reply))
}

/// `GEOHASH key [member …]`
pub(super) fn geohash(call: &mut Call<'_>) -> Outcome {
    show(call, |position| {
        position.map_or(Reply::Nil, |position| Reply::bulk(position.geohash()))
    })
}

/// `GEOPOS key [member …]`
pub(super) fn geopos(call: &mut Call<'_>) -> Outcome {
    show(call, |position| {
        position.map_or(Reply::NilArray, position_reply)
    })
}

fn show(call: &mut Call<'_>, shown: impl Fn(Option<Position>) -> Reply) -> Outcome {
    let (key, members) = (call.arg(1), call.args_from(2));
    let set = call.db().read::<SortedSet>(key)?;
    let score = |member: &Bytes| set.and_then(|set| set.score(member));
    let positions = members.iter().map(|m| score(m).map(Position::of_score));
    Ok(Reply::Array(positions.map(shown).collect()))
}
