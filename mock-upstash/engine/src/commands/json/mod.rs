//! The JSON commands: their rows, and what they have in common.
//!
//! They follow RedisJSON: with a path that begins with `$` the reply is an array, an element for
//! each match and nil where the type does not fit; with an older path it is that of one match, or an
//! error.

mod array;
mod document;
mod element;

use crate::call::Call;
use crate::command::{Categories, Command, Flags, Group, Handler};
use crate::dialect::{Dialect, Quirk};
use crate::error::ReplyError;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Json;
use crate::value::json_path::{Path, Place, get, get_mut};

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    write("JSON.ARRAPPEND", -4, array::arrappend),
    read("JSON.ARRINDEX", -4, array::arrindex),
    write("JSON.ARRINSERT", -5, array::arrinsert),
    read("JSON.ARRLEN", -2, array::arrlen),
    write("JSON.ARRPOP", -2, array::arrpop),
    write("JSON.ARRTRIM", 5, array::arrtrim),
    write("JSON.CLEAR", -2, element::clear),
    Command::container(Group::Json, "JSON.DEBUG", -2, DEBUG)
        .read_only_token(true)
        .since("RedisJSON"),
    write("JSON.DEL", -2, document::del),
    write("JSON.FORGET", -2, document::del),
    read("JSON.GET", -2, document::get),
    write("JSON.MERGE", 4, document::merge),
    read("JSON.MGET", -3, document::mget).keys(1, -2, 1),
    write("JSON.MSET", -4, document::mset).keys(1, -1, 3),
    write("JSON.NUMINCRBY", 4, element::numincrby),
    write("JSON.NUMMULTBY", 4, element::nummultby),
    read("JSON.OBJKEYS", -2, element::objkeys),
    read("JSON.OBJLEN", -2, element::objlen),
    read("JSON.RESP", -2, document::resp),
    write("JSON.SET", -4, document::set),
    write("JSON.STRAPPEND", -3, element::strappend),
    read("JSON.STRLEN", -2, element::strlen),
    write("JSON.TOGGLE", -2, element::toggle),
    read("JSON.TYPE", -2, document::type_),
];

const DEBUG: &[Command] = &[
    Command::new(Group::Json, "JSON.DEBUG MEMORY", -3, document::debug_memory)
        .flags(&[Flags::READONLY])
        .keys(2, 2, 1)
        .since("RedisJSON"),
    Command::new(Group::Json, "JSON.DEBUG HELP", 2, document::debug_help)
        .flags(&[Flags::READONLY])
        .since("RedisJSON"),
];

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::Json, name, arity, handler)
        .keys(1, 1, 1)
        .since("RedisJSON")
}

const fn read(name: &'static str, arity: i16, handler: Handler) -> Command {
    row(name, arity, handler)
        .flags(&[Flags::READONLY])
        .categories(&[Categories::READ])
}

const fn write(name: &'static str, arity: i16, handler: Handler) -> Command {
    row(name, arity, handler)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .categories(&[Categories::WRITE])
}

const NO_SUCH_KEY: ReplyError =
    ReplyError::fixed("ERR could not perform this operation on a key that doesn't exist");

/// A path argument, with the text it was given as.
struct PathArgument {
    path: Path,
    text: String,
}

impl PathArgument {
    /// The argument at an index; the root, the older way, where there is none.
    fn at(call: &Call<'_>, index: usize) -> Result<PathArgument, ReplyError> {
        match call.args.get(index) {
            Some(text) => PathArgument::read(text),
            None => PathArgument::read(b"."),
        }
    }

    fn read(text: &[u8]) -> Result<PathArgument, ReplyError> {
        let text = std::str::from_utf8(text)
            .map_err(|_| ReplyError::fixed("ERR the path is not UTF-8"))?;
        let path = Path::parse(text)
            .map_err(|why| ReplyError::new(format!("ERR invalid JSONPath '{text}': {why}")))?;
        Ok(PathArgument {
            path,
            text: text.to_owned(),
        })
    }

    fn missing(&self) -> ReplyError {
        let shown = if self.path.is_root() {
            "$".to_owned()
        } else if !self.path.legacy {
            self.text.clone()
        } else if self.text.starts_with(['.', '[']) {
            format!("${}", self.text)
        } else {
            format!("$.{}", self.text)
        };
        ReplyError::new(format!("ERR Path '{shown}' does not exist"))
    }

    fn places(&self, dialect: Dialect, document: &Json) -> Result<Vec<Place>, ReplyError> {
        let deepest_first = dialect.has(Quirk::JsonDeepestFirst);
        let found = self.path.places(document, deepest_first);
        found.map_err(|why| ReplyError::new(format!("ERR invalid JSONPath '{}': {why}", self.text)))
    }
}

fn parse(text: &[u8]) -> Result<Json, ReplyError> {
    Json::parse(text).map_err(|why| ReplyError::new(format!("ERR {why}")))
}

fn wrong_type(expected: &str, found: &Json) -> ReplyError {
    ReplyError::new(format!(
        "WRONGTYPE wrong type of path value - expected {expected} but found {}",
        found.type_name()
    ))
}

/// Answers for every match of the path at argument 2: `answer` gives `None` where the type does not
/// fit, and `expected` names the one that would.
fn look(call: &mut Call<'_>, expected: &str, answer: impl Fn(&Json) -> Option<Reply>) -> Outcome {
    let path = PathArgument::at(call, 2)?;
    let (key, dialect) = (call.arg(1), call.engine.dialect);
    let Some(document) = call.db().read::<Json>(key)? else {
        return if path.path.legacy {
            Ok(Reply::Nil)
        } else {
            Err(NO_SUCH_KEY)
        };
    };
    let places = path.places(dialect, document)?;
    let found = places.iter().filter_map(|place| get(document, place));
    if !path.path.legacy {
        let replies = found.map(|node| answer(node).unwrap_or(Reply::Nil));
        return Ok(Reply::Array(replies.collect()));
    }
    let node = found.into_iter().next().ok_or_else(|| path.missing())?;
    answer(node).ok_or_else(|| wrong_type(expected, node))
}

/// Changes every match of the path at an argument. `change` answers what the match is answered
/// with, or `None` where the type does not fit.
fn change(
    call: &mut Call<'_>,
    path: &PathArgument,
    event: &str,
    expected: &str,
    mut change: impl FnMut(&mut Json) -> Result<Option<Reply>, ReplyError>,
) -> Outcome {
    let (key, dialect) = (call.arg(1), call.engine.dialect);
    let Some(document) = call.db().write::<Json>(key)? else {
        return Err(NO_SUCH_KEY);
    };
    let places = path.places(dialect, document)?;
    let mut replies = Vec::with_capacity(places.len());
    let mut misfit = None;
    // A change that fails takes back those before it. Only changes to numbers can fail, so nothing
    // large is copied for that.
    let mut before: Vec<(&Place, Json)> = Vec::new();
    for place in &places {
        let Some(node) = get_mut(document, place) else {
            // An earlier change took it away.
            replies.push(None);
            continue;
        };
        let number = node.as_number().is_some().then(|| node.clone());
        match change(node) {
            Ok(None) => {
                misfit = Some(wrong_type(expected, node));
                replies.push(None);
            }
            Ok(reply) => {
                replies.push(reply);
                before.extend(number.map(|number| (place, number)));
            }
            Err(error) => {
                for (place, number) in before.into_iter().rev() {
                    if let Some(node) = get_mut(document, place) {
                        *node = number;
                    }
                }
                return Err(error);
            }
        }
    }
    if replies.iter().any(Option::is_some) {
        call.changed(Class::MODULE, event, key);
    }
    if !path.path.legacy {
        let replies = replies.into_iter().map(|reply| reply.unwrap_or(Reply::Nil));
        return Ok(Reply::Array(replies.collect()));
    }
    match replies.into_iter().flatten().next_back() {
        Some(reply) => Ok(reply),
        None => Err(misfit.unwrap_or_else(|| path.missing())),
    }
}
