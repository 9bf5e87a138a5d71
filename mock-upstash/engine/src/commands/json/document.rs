//! JSON commands that work on documents and anything in them.

use std::collections::HashSet;

use super::{PathArgument, parse};
use crate::call::Call;
use crate::dialect::Dialect;
use crate::error::{ReplyError, SYNTAX};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::json::Layout;
use crate::value::json_path::{Place, Step, get as at, get_mut};
use crate::value::{Json, Value};

/// The two ways in which JSON.SET can be made conditional.
#[derive(Clone, Copy, PartialEq)]
enum Only {
    IfMissing,
    IfThere,
}

/// `JSON.SET key path value [NX | XX]`
pub(super) fn set(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let only = match call.args.len() {
        4 => None,
        5 if call.is(4, "NX") => Some(Only::IfMissing),
        5 if call.is(4, "XX") => Some(Only::IfThere),
        _ => return Err(SYNTAX),
    };
    let value = parse(call.arg(3))?;
    let key = call.arg(1);
    let done = set_value(call, key, &path, value, only)?;
    Ok(if done { Reply::OK } else { Reply::Nil })
}

fn set_value(
    call: &mut Call<'_>,
    key: &[u8],
    path: &PathArgument,
    value: Json,
    only: Option<Only>,
) -> Result<bool, ReplyError> {
    let dialect = call.engine.dialect;
    let Some(document) = call.db().write::<Json>(key)? else {
        if !path.path.is_root() {
            return Err(ReplyError::fixed(
                "ERR new objects must be created at the root",
            ));
        }
        if only == Some(Only::IfThere) {
            return Ok(false);
        }
        store(call, key, value, "json.set");
        return Ok(true);
    };
    let places = path.places(dialect, document)?;
    if !places.is_empty() {
        if only == Some(Only::IfMissing) {
            return Ok(false);
        }
        if path.path.is_root() {
            // The whole document goes, which the keyspace does without a stall.
            store(call, key, value, "json.set");
            return Ok(true);
        }
        for place in places {
            if let Some(node) = get_mut(document, &place) {
                *node = value.clone();
            }
        }
    } else if only == Some(Only::IfThere) || !add_member(dialect, path, document, &value)? {
        return Ok(false);
    }
    call.changed(Class::MODULE, "json.set", key);
    Ok(true)
}

/// Adds a member to every object that the path up to its last name matches.
fn add_member(
    dialect: Dialect,
    path: &PathArgument,
    document: &mut Json,
    value: &Json,
) -> Result<bool, ReplyError> {
    let Some((parent, name)) = path.path.split_name() else {
        return Ok(false);
    };
    let parent = PathArgument {
        path: parent,
        text: path.text.clone(),
    };
    let mut added = false;
    for place in parent.places(dialect, document)? {
        if let Some(Json::Object(members)) = get_mut(document, &place) {
            members.insert(name.to_owned(), value.clone());
            added = true;
        }
    }
    Ok(added)
}

/// Puts a document in a key, whose expiry stays as it is.
fn store(call: &mut Call<'_>, key: &[u8], document: Json, event: &str) {
    call.db().replace(key, Value::Json(Box::new(document)));
    call.changed(Class::MODULE, event, key);
}

/// `JSON.MSET key path value [key path value …]`
pub(super) fn mset(call: &mut Call<'_>) -> Outcome {
    let triples = call.args_from(1);
    if !triples.len().is_multiple_of(3) {
        return Err(ReplyError::arity("json.mset"));
    }
    let mut sets = Vec::new();
    for triple in triples.chunks(3) {
        let path = PathArgument::read(&triple[1])?;
        let value = parse(&triple[2])?;
        let there = call.db().read::<Json>(&triple[0])?.is_some();
        if !there && !path.path.is_root() {
            return Err(ReplyError::fixed(
                "ERR new objects must be created at the root",
            ));
        }
        sets.push((&triple[0], path, value));
    }
    for (key, path, value) in sets {
        set_value(call, key, &path, value, None)?;
    }
    Ok(Reply::OK)
}

/// `JSON.GET key [INDENT indent] [NEWLINE newline] [SPACE space] [path …]`
pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let mut layout = Layout::default();
    let mut paths: Vec<PathArgument> = Vec::new();
    let mut index = 2;
    while index < call.args.len() {
        let part = if call.is(index, "INDENT") {
            Some(&mut layout.indent)
        } else if call.is(index, "NEWLINE") {
            Some(&mut layout.newline)
        } else if call.is(index, "SPACE") {
            Some(&mut layout.space)
        } else {
            None
        };
        match part {
            Some(part) => {
                index += 1;
                let text = call.args.get(index).ok_or(SYNTAX)?;
                *part = String::from_utf8_lossy(text).into_owned();
            }
            None => paths.push(PathArgument::at(call, index)?),
        }
        index += 1;
    }
    if paths.is_empty() {
        paths.push(PathArgument::read(b".")?);
    }
    let (key, dialect) = (call.arg(1), call.engine.dialect);
    let Some(document) = call.db().read::<Json>(key)? else {
        return Ok(Reply::Nil);
    };
    let shown = if let [path] = &paths[..] {
        shown(dialect, path, document, path.path.legacy)?
    } else {
        let legacy = paths.iter().all(|path| path.path.legacy);
        let mut members = indexmap::IndexMap::new();
        for path in &paths {
            members.insert(path.text.clone(), shown(dialect, path, document, legacy)?);
        }
        Json::Object(members)
    };
    Ok(Reply::bulk(shown.to_text_with(&layout)))
}

/// What a path shows of a document: one match the older way, else an array of all.
fn shown(
    dialect: Dialect,
    path: &PathArgument,
    document: &Json,
    legacy: bool,
) -> Result<Json, ReplyError> {
    let places = path.places(dialect, document)?;
    let mut found = places
        .iter()
        .filter_map(|place| at(document, place).cloned());
    if legacy {
        found.next().ok_or_else(|| path.missing())
    } else {
        Ok(Json::Array(found.collect()))
    }
}

/// `JSON.MGET key [key …] path`
pub(super) fn mget(call: &mut Call<'_>) -> Outcome {
    let last = call.args.len() - 1;
    let path = PathArgument::at(call, last)?;
    let (keys, dialect) = (&call.args[1..last], call.engine.dialect);
    let mut replies = Vec::with_capacity(keys.len());
    for key in keys {
        // A key of another type is passed over, as a missing one is.
        let document = call.db().read::<Json>(key).ok().flatten();
        let found = document.and_then(|document| {
            let legacy = path.path.legacy;
            shown(dialect, &path, document, legacy).ok()
        });
        replies.push(Reply::bulk_or_nil(found.map(|found| found.to_text())));
    }
    Ok(Reply::Array(replies))
}

/// `JSON.DEL key [path]` and `JSON.FORGET key [path]`
pub(super) fn del(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let key = call.arg(1);
    let dialect = call.engine.dialect;
    let Some(document) = call.db().write::<Json>(key)? else {
        return Ok(Reply::Integer(0));
    };
    if path.path.is_root() {
        call.db().remove(key);
        call.changed(Class::GENERIC, "del", key);
        return Ok(Reply::Integer(1));
    }
    let places = path.places(dialect, document)?;
    let removed = remove_all(document, places);
    if removed > 0 {
        call.changed(Class::MODULE, "json.del", key);
    }
    Ok(Reply::count(removed))
}

/// Takes out what stands at some places; answers how many. What is inside of another goes with it
/// and does not count.
fn remove_all(document: &mut Json, mut places: Vec<Place>) -> usize {
    places.sort_by(|a, b| compare_places(a, b));
    let mut outermost: Vec<Place> = Vec::with_capacity(places.len());
    for place in places {
        // What contains it stands right before it in this order.
        if !outermost
            .last()
            .is_some_and(|outer| place.starts_with(outer))
        {
            outermost.push(place);
        }
    }
    // From the end, so that no index moves before its turn; places beside each other in one go, for
    // taking them out one by one would move all behind them each time.
    let mut removed = 0;
    while let Some(last) = outermost.last() {
        let parent = last[..last.len() - 1].to_vec();
        let beside = |place: &Place| place.len() == parent.len() + 1 && place.starts_with(&parent);
        let first = outermost.iter().rposition(|place| !beside(place));
        let siblings = outermost.split_off(first.map_or(0, |at| at + 1));
        removed += match get_mut(document, &parent) {
            Some(parent) => remove_children(parent, siblings),
            None => 0,
        };
    }
    removed
}

fn remove_children(parent: &mut Json, places: Vec<Place>) -> usize {
    let steps: HashSet<Step> = places
        .into_iter()
        .filter_map(|mut place| place.pop())
        .collect();
    match parent {
        Json::Object(members) => {
            let before = members.len();
            members.retain(|name, _| !steps.contains(&Step::Name(name.clone())));
            before - members.len()
        }
        Json::Array(items) => {
            let before = items.len();
            let mut index = 0;
            items.retain(|_| {
                index += 1;
                !steps.contains(&Step::Index(index - 1))
            });
            before - items.len()
        }
        _ => 0,
    }
}

fn compare_places(a: &[Step], b: &[Step]) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    for (a, b) in a.iter().zip(b) {
        let ordering = match (a, b) {
            (Step::Name(a), Step::Name(b)) => a.cmp(b),
            (Step::Index(a), Step::Index(b)) => a.cmp(b),
            (Step::Name(_), Step::Index(_)) => Ordering::Less,
            (Step::Index(_), Step::Name(_)) => Ordering::Greater,
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    a.len().cmp(&b.len())
}

/// `JSON.MERGE key path value`
pub(super) fn merge(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let patch = parse(call.arg(3))?;
    let key = call.arg(1);
    let dialect = call.engine.dialect;
    let Some(document) = call.db().write::<Json>(key)? else {
        let mut document = Json::Null;
        if !path.path.is_root() {
            return Err(ReplyError::fixed(
                "ERR new objects must be created at the root",
            ));
        }
        document.merge(patch);
        store(call, key, document, "json.merge");
        return Ok(Reply::OK);
    };
    let places = path.places(dialect, document)?;
    if places.is_empty() {
        let mut value = Json::Null;
        value.merge(patch.clone());
        if !add_member(dialect, &path, document, &value)? {
            return Ok(Reply::Nil);
        }
    }
    if path.path.is_root() && patch == Json::Null {
        call.db().remove(key);
        call.changed(Class::GENERIC, "del", key);
        return Ok(Reply::OK);
    }
    if patch == Json::Null {
        remove_all(document, places);
    } else {
        for place in places {
            if let Some(node) = get_mut(document, &place) {
                node.merge(patch.clone());
            }
        }
    }
    call.changed(Class::MODULE, "json.merge", key);
    Ok(Reply::OK)
}

/// `JSON.TYPE key [path]`
pub(super) fn type_(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let (key, dialect) = (call.arg(1), call.engine.dialect);
    let Some(document) = call.db().read::<Json>(key)? else {
        return Ok(Reply::Nil);
    };
    let places = path.places(dialect, document)?;
    let mut types = places
        .iter()
        .filter_map(|place| at(document, place))
        .map(|node| Reply::bulk(node.type_name()));
    Ok(if path.path.legacy {
        types.next().unwrap_or(Reply::Nil)
    } else {
        Reply::Array(types.collect())
    })
}

/// `JSON.RESP key [path]`
pub(super) fn resp(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let (key, dialect) = (call.arg(1), call.engine.dialect);
    let Some(document) = call.db().read::<Json>(key)? else {
        return Ok(Reply::Nil);
    };
    let places = path.places(dialect, document)?;
    let mut found = places
        .iter()
        .filter_map(|place| at(document, place))
        .map(as_reply);
    if path.path.legacy {
        found.next().ok_or_else(|| path.missing())
    } else {
        Ok(Reply::Array(found.collect()))
    }
}

/// A document as RESP: containers are arrays that begin with `[` or `{`.
fn as_reply(node: &Json) -> Reply {
    match node {
        Json::Null => Reply::Nil,
        Json::Boolean(true) => Reply::status("true"),
        Json::Boolean(false) => Reply::status("false"),
        Json::Integer(number) => Reply::Integer(*number),
        Json::Number(_) => Reply::bulk(node.to_text()),
        Json::String(text) => Reply::bulk(text),
        Json::Array(items) => {
            let mut replies = vec![Reply::status("[")];
            replies.extend(items.iter().map(as_reply));
            Reply::Array(replies)
        }
        Json::Object(members) => {
            let mut replies = vec![Reply::status("{")];
            for (name, value) in members {
                replies.push(Reply::bulk(name));
                replies.push(as_reply(value));
            }
            Reply::Array(replies)
        }
    }
}

/// `JSON.DEBUG MEMORY key [path]`
pub(super) fn debug_memory(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 3)?;
    let (key, dialect) = (call.arg(2), call.engine.dialect);
    let Some(document) = call.db().read::<Json>(key)? else {
        return Ok(if path.path.legacy {
            Reply::Integer(0)
        } else {
            Reply::Array(Vec::new())
        });
    };
    let places = path.places(dialect, document)?;
    let mut sizes = places
        .iter()
        .filter_map(|place| at(document, place))
        .map(|node| Reply::count(node.memory()));
    if path.path.legacy {
        sizes.next().ok_or_else(|| path.missing())
    } else {
        Ok(Reply::Array(sizes.collect()))
    }
}

/// `JSON.DEBUG HELP`
pub(super) fn debug_help(_call: &mut Call<'_>) -> Outcome {
    Ok(Reply::bulks([
        "MEMORY <key> [path] - reports memory usage",
        "HELP                - this message",
    ]))
}
