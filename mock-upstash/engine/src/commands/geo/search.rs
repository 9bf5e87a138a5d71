//! GEOSEARCH and the older GEORADIUS: members within a circle or a rectangle.

use bytes::Bytes;

use crate::call::Call;
use crate::error::{ReplyError, SYNTAX};
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::sorted_set::ScoreRange;
use crate::value::{SortedSet, Value};

use super::hash::Position;
use super::member::{distance_reply, position, position_reply};
use super::metres;
use super::shape::{Extent, Shape};

/// Which of the commands it is.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Radius,
    RadiusByMember,
    Search,
    SearchStore,
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Nearest,
    Farthest,
}

/// What is asked for, but for where.
struct Query<'e> {
    with_distance: bool,
    with_hash: bool,
    with_coordinates: bool,
    /// 0 is no limit.
    count: usize,
    /// Any members will do, so that the search ends as soon as there are enough.
    any: bool,
    order: Option<Order>,
    store: Option<&'e Bytes>,
    store_distance: bool,
    centre: Option<Position>,
    extent: Option<Extent>,
    /// Metres in the unit that distances are answered in.
    unit: f64,
}

/// A member within the shape.
struct Found {
    member: Vec<u8>,
    score: f64,
    position: Position,
    /// From the centre, in metres.
    distance: f64,
}

/// `GEOSEARCH key FROMMEMBER member|FROMLONLAT longitude latitude BYRADIUS radius unit|BYBOX width
/// height unit [ASC|DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]`
pub(super) fn geosearch(call: &mut Call<'_>) -> Outcome {
    search(call, Form::Search, false)
}

/// `GEOSEARCHSTORE destination source … [STOREDIST]`
pub(super) fn geosearchstore(call: &mut Call<'_>) -> Outcome {
    search(call, Form::SearchStore, true)
}

/// `GEORADIUS key longitude latitude radius unit … [STORE key|STOREDIST key]`
pub(super) fn georadius(call: &mut Call<'_>) -> Outcome {
    search(call, Form::Radius, true)
}

/// `GEORADIUS_RO key longitude latitude radius unit …`
pub(super) fn georadius_ro(call: &mut Call<'_>) -> Outcome {
    search(call, Form::Radius, false)
}

/// `GEORADIUSBYMEMBER key member radius unit … [STORE key|STOREDIST key]`
pub(super) fn georadiusbymember(call: &mut Call<'_>) -> Outcome {
    search(call, Form::RadiusByMember, true)
}

/// `GEORADIUSBYMEMBER_RO key member radius unit …`
pub(super) fn georadiusbymember_ro(call: &mut Call<'_>) -> Outcome {
    search(call, Form::RadiusByMember, false)
}

/// Where the keys of GEORADIUS stand.
pub(super) fn radius_keys(args: &[Bytes]) -> Vec<usize> {
    with_stored(args, 6)
}

/// Where the keys of GEORADIUSBYMEMBER stand.
pub(super) fn radius_by_member_keys(args: &[Bytes]) -> Vec<usize> {
    with_stored(args, 5)
}

/// The first argument and the last key that STORE or STOREDIST names.
fn with_stored(args: &[Bytes], options_at: usize) -> Vec<usize> {
    let mut keys = vec![1];
    let mut stored = None;
    let mut at = options_at;
    while at + 1 < args.len() {
        let is = |word: &str| args[at].eq_ignore_ascii_case(word.as_bytes());
        if is("STORE") || is("STOREDIST") {
            at += 1;
            stored = Some(at);
        }
        at += 1;
    }
    keys.extend(stored);
    keys
}

fn search(call: &mut Call<'_>, form: Form, may_store: bool) -> Outcome {
    let source = call.arg(if form == Form::SearchStore { 2 } else { 1 });
    let missing = call.db().read::<SortedSet>(source)?.is_none();
    let query = parse(call, form, may_store, source)?;
    let mut found = Vec::new();
    if let (false, Some(centre), Some(extent)) = (missing, query.centre, query.extent)
        && let Some(set) = call.db().read::<SortedSet>(source)?
    {
        found = query.find(set, &Shape { centre, extent });
    }
    if let Some(destination) = query.store {
        return store(call, destination, &query, found);
    }
    Ok(Reply::Array(
        found.into_iter().map(|found| query.show(found)).collect(),
    ))
}

fn store(
    call: &mut Call<'_>,
    destination: &Bytes,
    query: &Query<'_>,
    found: Vec<Found>,
) -> Outcome {
    if found.is_empty() {
        if call.db().remove(destination) {
            call.changed(Class::GENERIC, "del", destination);
        }
        return Ok(Reply::Integer(0));
    }
    let count = found.len();
    let mut set = SortedSet::large();
    set.extend(found.into_iter().map(|found| {
        let score = if query.store_distance {
            found.distance / query.unit
        } else {
            found.score
        };
        (found.member, score)
    }));
    let value = Value::SortedSet(Box::new(set.compacted()));
    let event = if call.command.name == "GEOSEARCHSTORE" {
        "geosearchstore"
    } else {
        "georadiusstore"
    };
    call.set_key(destination, value, Class::SORTED_SET, event);
    Ok(Reply::count(count))
}

fn parse<'e>(
    call: &mut Call<'e>,
    form: Form,
    may_store: bool,
    source: &Bytes,
) -> Result<Query<'e>, ReplyError> {
    let mut query = Query {
        with_distance: false,
        with_hash: false,
        with_coordinates: false,
        count: 0,
        any: false,
        order: None,
        store: (form == Form::SearchStore).then(|| call.arg(1)),
        store_distance: false,
        centre: None,
        extent: None,
        unit: 1.0,
    };
    let mut at = match form {
        Form::Radius => {
            query.centre = Some(position(call.arg(2), call.arg(3))?);
            query.circle(call, 4)?;
            6
        }
        Form::RadiusByMember => {
            query.centre = centre(call, source, 2)?;
            // Without a source Redis does not look at the radius.
            if query.centre.is_some() {
                query.circle(call, 3)?;
            }
            5
        }
        Form::Search => 2,
        Form::SearchStore => 3,
    };
    let searches = matches!(form, Form::Search | Form::SearchStore);
    let (mut from_member, mut from_position) = (false, false);
    let (mut by_radius, mut by_box) = (false, false);
    while at < call.args.len() {
        let more = call.args.len() - at - 1;
        match () {
            () if call.is(at, "WITHDIST") => query.with_distance = true,
            () if call.is(at, "WITHHASH") => query.with_hash = true,
            () if call.is(at, "WITHCOORD") => query.with_coordinates = true,
            () if call.is(at, "ANY") => query.any = true,
            () if call.is(at, "ASC") => query.order = Some(Order::Nearest),
            () if call.is(at, "DESC") => query.order = Some(Order::Farthest),
            () if more > 0 && call.is(at, "COUNT") => {
                at += 1;
                query.count = usize::try_from(call.integer(at)?)
                    .ok()
                    .filter(|count| *count > 0)
                    .ok_or(ReplyError::fixed("ERR COUNT must be > 0"))?;
            }
            () if form == Form::SearchStore && call.is(at, "STOREDIST") => {
                query.store_distance = true;
            }
            () if more > 0
                && may_store
                && !searches
                && (call.is(at, "STORE") || call.is(at, "STOREDIST")) =>
            {
                query.store_distance = call.is(at, "STOREDIST");
                at += 1;
                query.store = Some(call.arg(at));
            }
            () if more > 0 && searches && !from_position && call.is(at, "FROMMEMBER") => {
                at += 1;
                query.centre = centre(call, source, at)?;
                from_member = true;
            }
            () if more > 1 && searches && !from_member && call.is(at, "FROMLONLAT") => {
                query.centre = Some(position(call.arg(at + 1), call.arg(at + 2))?);
                at += 2;
                from_position = true;
            }
            () if more > 1 && searches && !by_box && call.is(at, "BYRADIUS") => {
                query.circle(call, at + 1)?;
                at += 2;
                by_radius = true;
            }
            () if more > 2 && searches && !by_radius && call.is(at, "BYBOX") => {
                query.rectangle(call, at + 1)?;
                at += 3;
                by_box = true;
            }
            () => return Err(SYNTAX),
        }
        at += 1;
    }
    if query.store.is_some() && (query.with_distance || query.with_hash || query.with_coordinates) {
        return Err(ReplyError::fixed(if form == Form::SearchStore {
            "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
        } else {
            "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
        }));
    }
    let exactly_one = |of: &str| {
        let text = format!("ERR exactly one of {of} can be specified for ");
        ReplyError::new([text.as_bytes(), call.arg(0)].concat())
    };
    if searches && !from_member && !from_position {
        return Err(exactly_one("FROMMEMBER or FROMLONLAT"));
    }
    if searches && !by_radius && !by_box {
        return Err(exactly_one("BYRADIUS and BYBOX"));
    }
    if query.any && query.count == 0 {
        return Err(ReplyError::fixed(
            "ERR the ANY argument requires COUNT argument",
        ));
    }
    if query.count > 0 && !query.any {
        // The nearest ones are meant.
        query.order = query.order.or(Some(Order::Nearest));
    }
    Ok(query)
}

/// The position of a member; `None` when there is no source at all.
fn centre(
    call: &mut Call<'_>,
    source: &Bytes,
    index: usize,
) -> Result<Option<Position>, ReplyError> {
    let member = call.arg(index);
    let Some(set) = call.db().read::<SortedSet>(source)? else {
        return Ok(None);
    };
    let score = set.score(member).ok_or(ReplyError::fixed(
        "ERR could not decode requested zset member",
    ))?;
    Ok(Some(Position::of_score(score)))
}

impl Query<'_> {
    /// Reads `radius unit`.
    fn circle(&mut self, call: &Call<'_>, at: usize) -> Result<(), ReplyError> {
        let radius =
            number::double(call.arg(at)).ok_or(ReplyError::fixed("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(ReplyError::fixed("ERR radius cannot be negative"));
        }
        self.unit = metres(call.arg(at + 1))?;
        self.extent = Some(Extent::Circle {
            radius: radius * self.unit,
        });
        Ok(())
    }

    /// Reads `width height unit`.
    fn rectangle(&mut self, call: &Call<'_>, at: usize) -> Result<(), ReplyError> {
        let width =
            number::double(call.arg(at)).ok_or(ReplyError::fixed("ERR need numeric width"))?;
        let height =
            number::double(call.arg(at + 1)).ok_or(ReplyError::fixed("ERR need numeric height"))?;
        if width < 0.0 || height < 0.0 {
            return Err(ReplyError::fixed("ERR height or width cannot be negative"));
        }
        self.unit = metres(call.arg(at + 2))?;
        self.extent = Some(Extent::Rectangle {
            width: width * self.unit,
            height: height * self.unit,
        });
        Ok(())
    }

    /// The members within a shape, in the order and number asked for.
    fn find(&self, set: &SortedSet, shape: &Shape) -> Vec<Found> {
        let mut found = Vec::new();
        for cell in shape.cells() {
            let (min, max) = cell.scores();
            let ranks = set.score_ranks(&ScoreRange::below(min, max));
            for (member, score) in set.range(ranks) {
                if self.any && found.len() >= self.count {
                    break;
                }
                let position = Position::of_score(score);
                if let Some(distance) = shape.distance_within(position) {
                    found.push(Found {
                        member: member.to_vec(),
                        score,
                        position,
                        distance,
                    });
                }
            }
        }
        let nearer = |a: &Found, b: &Found| a.distance.total_cmp(&b.distance);
        match self.order {
            Some(Order::Nearest) => found.sort_by(nearer),
            Some(Order::Farthest) => found.sort_by(|a, b| nearer(b, a)),
            None => {}
        }
        if self.count > 0 {
            found.truncate(self.count);
        }
        found
    }

    fn show(&self, found: Found) -> Reply {
        let mut parts = vec![Reply::bulk(&found.member)];
        if self.with_distance {
            parts.push(distance_reply(found.distance / self.unit));
        }
        if self.with_hash {
            parts.push(Reply::Integer(found.score as i64));
        }
        if self.with_coordinates {
            parts.push(position_reply(found.position));
        }
        match (parts.len(), parts.pop()) {
            (1, Some(member)) => member,
            (_, last) => {
                parts.extend(last);
                Reply::Array(parts)
            }
        }
    }
}
