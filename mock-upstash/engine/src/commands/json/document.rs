//! JSON commands that work on documents and anything in them.

use bytes::Bytes;

use super::{PathArgument, parse};
use crate::call::Call;
use crate::error::{ReplyError, SYNTAX};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::json::Layout;
use crate::value::json_path::{Step, get as at, get_mut};
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
    let old = call.db().read::<Json>(key)?.cloned();
    let Some(mut document) = old else {
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
    let places = path.places(call, &document);
    if !places.is_empty() {
        if only == Some(Only::IfMissing) {
            return Ok(false);
        }
        for place in places {
            if let Some(node) = get_mut(&mut document, &place) {
                *node = value.clone();
            }
        }
    } else {
        if only == Some(Only::IfThere) || !add_member(call, path, &mut document, &value) {
            return Ok(false);
        }
    }
    store(call, key, document, "json.set");
    Ok(true)
}

/// Adds a member to every object that the path up to its last name matches.
fn add_member(call: &Call<'_>, path: &PathArgument, document: &mut Json, value: &Json) -> bool {
    let Some((parent, name)) = path.path.split_name() else {
        return false;
    };
    let parent = PathArgument {
        path: parent,
        text: String::new(),
    };
    let mut added = false;
    for place in parent.places(call, document) {
        if let Some(Json::Object(members)) = get_mut(document, &place) {
            members.insert(name.to_owned(), value.clone());
            added = true;
        }
    }
    added
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
    let key = call.arg(1);
    let Some(document) = call.db().read::<Json>(key)?.cloned() else {
        return Ok(Reply::Nil);
    };
    let shown = if let [path] = &paths[..] {
        shown(call, path, &document, path.path.legacy)?
    } else {
        let legacy = paths.iter().all(|path| path.path.legacy);
        let mut members = indexmap::IndexMap::new();
        for path in &paths {
            members.insert(path.text.clone(), shown(call, path, &document, legacy)?);
        }
        Json::Object(members)
    };
    Ok(Reply::bulk(shown.to_text_with(&layout)))
}

/// What a path shows of a document: one match the older way, else an array of all.
fn shown(
    call: &Call<'_>,
    path: &PathArgument,
    document: &Json,
    legacy: bool,
) -> Result<Json, ReplyError> {
    let places = path.places(call, document);
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
    let keys: Vec<Bytes> = call.args[1..last].to_vec();
    let mut replies = Vec::with_capacity(keys.len());
    for key in keys {
        // A key of another type is passed over, as a missing one is.
        let document = call.db().read::<Json>(&key).ok().flatten().cloned();
        let found = document.and_then(|document| {
            let legacy = path.path.legacy;
            shown(call, &path, &document, legacy).ok()
        });
        replies.push(Reply::bulk_or_nil(found.map(|found| found.to_text())));
    }
    Ok(Reply::Array(replies))
}

/// `JSON.DEL key [path]` and `JSON.FORGET key [path]`
pub(super) fn del(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let key = call.arg(1);
    let Some(mut document) = call.db().read::<Json>(key)?.cloned() else {
        return Ok(Reply::Integer(0));
    };
    if path.path.is_root() {
        call.db().remove(key);
        call.changed(Class::GENERIC, "del", key);
        return Ok(Reply::Integer(1));
    }
    let mut places = path.places(call, &document);
    // From the end, so that no index moves before its turn; what is inside of another match goes
    // with it.
    places.sort_by(|a, b| compare_places(b, a));
    places.dedup();
    let all = places.clone();
    let mut removed = 0;
    for place in places {
        let inside_another = all
            .iter()
            .any(|other| other.len() < place.len() && place.starts_with(other));
        if !inside_another && remove(&mut document, &place) {
            removed += 1;
        }
    }
    if removed > 0 {
        store(call, key, document, "json.del");
    }
    Ok(Reply::count(removed))
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

fn remove(document: &mut Json, place: &[Step]) -> bool {
    let Some((last, parent)) = place.split_last() else {
        return false;
    };
    match (get_mut(document, parent), last) {
        (Some(Json::Object(members)), Step::Name(name)) => members.shift_remove(name).is_some(),
        (Some(Json::Array(items)), Step::Index(index)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

/// `JSON.MERGE key path value`
pub(super) fn merge(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let patch = parse(call.arg(3))?;
    let key = call.arg(1);
    let Some(mut document) = call.db().read::<Json>(key)?.cloned() else {
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
    let places = path.places(call, &document);
    if places.is_empty() {
        let mut value = Json::Null;
        value.merge(patch.clone());
        if !add_member(call, &path, &mut document, &value) {
            return Ok(Reply::Nil);
        }
    }
    if path.path.is_root() && patch == Json::Null {
        call.db().remove(key);
        call.changed(Class::GENERIC, "del", key);
        return Ok(Reply::OK);
    }
    for place in places {
        if patch == Json::Null {
            remove(&mut document, &place);
        } else if let Some(node) = get_mut(&mut document, &place) {
            node.merge(patch.clone());
        }
    }
    store(call, key, document, "json.merge");
    Ok(Reply::OK)
}

/// `JSON.TYPE key [path]`
pub(super) fn type_(call: &mut Call<'_>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let key = call.arg(1);
    let Some(document) = call.db().read::<Json>(key)?.cloned() else {
        return Ok(Reply::Nil);
    };
    let places = path.places(call, &document);
    let mut types = places
        .iter()
        .filter_map(|place| at(&document, place))
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
    let key = call.arg(1);
    let Some(document) = call.db().read::<Json>(key)?.cloned() else {
        return Ok(Reply::Nil);
    };
    let places = path.places(call, &document);
    let mut found = places
        .iter()
        .filter_map(|place| at(&document, place))
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
    let key = call.arg(2);
    let Some(document) = call.db().read::<Json>(key)?.cloned() else {
        return Ok(if path.path.legacy {
            Reply::Integer(0)
        } else {
            Reply::Array(Vec::new())
        });
    };
    let places = path.places(call, &document);
    let mut sizes = places
        .iter()
        .filter_map(|place| at(&document, place))
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
