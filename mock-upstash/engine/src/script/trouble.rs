//! An error that ended a script: its text, where it happened, and the stack.

use mlua::{Lua, LuaString, Table, Value};

use super::failure::{is_sandbox, text_of};
use super::state::{SANDBOX_NAME, SCRIPT_NAME};
use crate::error::as_c_text;

/// What Lua calls the place of a function that ended with a call of another.
const TAIL_CALL: &str = "=(tail call)";

/// An error that ended a script.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Its text.
    pub(crate) text: Vec<u8>,
    /// The script raised a plain value, not an error object.
    pub(crate) plain: bool,
    /// Where it happened, as Lua names the source, and the line.
    pub(crate) place: Option<(String, i64)>,
    /// The stack at that moment, where the dialect shows it.
    pub(crate) traceback: Option<String>,
    /// The state itself failed (memory); there is no error object.
    pub(crate) fatal: bool,
}

impl Trouble {
    /// Reads what the sandbox's handler made of an error.
    pub(super) fn read(lua: &Lua, object: &Table) -> mlua::Result<Trouble> {
        let text: Value = object.raw_get("err")?;
        let source: Option<LuaString> = object.raw_get("source")?;
        let line: Option<i64> = object.raw_get("line")?;
        let traceback: Option<LuaString> = object.raw_get("traceback")?;
        Ok(Trouble {
            text: match text_of(lua, &text) {
                // Redis reads it as C's text, which ends with the first zero byte.
                Some(text) => as_c_text(&text.as_bytes()).to_vec(),
                None => b"ERR unknown error".to_vec(),
            },
            plain: object.raw_get::<Option<bool>>("plain")?.unwrap_or(false),
            place: source.map(|source| source.to_string_lossy()).zip(line),
            traceback: traceback.map(|text| text.to_string_lossy()),
            fatal: false,
        })
    }

    /// The error of a script that has assigned to an element of KEYS or ARGV. It shows when the script
    /// has ended; the line is that of the first such assignment in its text.
    pub(super) fn wrote_to_arguments(line: i64, shows_stack: bool) -> Trouble {
        let place = &SCRIPT_NAME[1..];
        let stack = format!("stack traceback:\n\t{SCRIPT_NAME}:{line}: in main chunk\n\t[G]: ?");
        Trouble {
            text: format!("ERR {place}:{line}: Attempt to modify a readonly table").into_bytes(),
            plain: true,
            place: Some((SCRIPT_NAME.to_owned(), line)),
            traceback: shows_stack.then_some(stack),
            fatal: false,
        }
    }
}

/// Where the error that is being handled was raised: source, line, and the stack if it is shown.
///
/// The levels: this function, the handler, what raised the error. If that is a function of ours or
/// of Lua's library, the script is the next one (`__redis__err__handler` does the same).
pub(super) fn origin(
    lua: &Lua,
    shows_stack: bool,
) -> (Option<String>, Option<i64>, Option<String>) {
    let found = (2..)
        .map_while(|level| {
            lua.inspect_stack(level, |debug| {
                let source = debug.source();
                let ours = source.source.as_deref() == Some(SANDBOX_NAME);
                let line = debug.current_line().map_or(-1, |line| line as i64);
                let name = source.source.map(|source| source.into_owned());
                (ours || (source.what == "C" && level == 2), name, line)
            })
        })
        .find(|(skipped, ..)| !skipped);
    let traceback = shows_stack.then(|| stack(lua));
    match found {
        // What has returned to its caller in advance left no line behind; a script has a first one.
        Some((_, Some(source), _)) if source == TAIL_CALL => {
            (Some(SCRIPT_NAME.to_owned()), Some(1), traceback)
        }
        Some((_, source, line)) => (source, Some(line), traceback),
        None => (None, None, traceback),
    }
}

/// The first line on which a script assigns to an element of KEYS or ARGV by that name.
pub(super) fn assignment_to_arguments(code: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(code);
    let assigns = |line: &str| {
        ["KEYS", "ARGV"].iter().any(|name| {
            line.match_indices(name).any(|(at, name)| {
                let index = line[at + name.len()..].trim_start().strip_prefix('[');
                let behind = index.and_then(|index| index.split_once(']'));
                behind.is_some_and(|(_, behind)| {
                    let behind = behind.trim_start();
                    behind.starts_with('=') && !behind.starts_with("==")
                })
            })
        })
    };
    let at = text.lines().position(assigns)?;
    i64::try_from(at + 1).ok()
}

/// The stack as Upstash's Lua shows it: `[G]` for what is not Lua.
fn stack(lua: &Lua) -> String {
    /// What the sandbox calls is not the script's doing.
    const OURS: [&str; 7] = [
        "xpcall0",
        "pcall0",
        "first_value",
        "bad_table",
        "check_int",
        "check_table",
        "refuse",
    ];
    let native = |name: &str| format!("\n\t[G]: in function '{name}'");
    let mut lines = Vec::new();
    // Where the script or function itself begins, without what it is called by.
    let mut outermost = None;
    for level in 2.. {
        let seen = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let name = debug.names().name.map(|name| name.into_owned());
            if source.what == "C" || is_sandbox(&source) {
                let name = name.filter(|name| !OURS.contains(&name.as_str()));
                return name.map(|name| (native(&name), None));
            }
            let place = match &source.source {
                Some(name) if name == TAIL_CALL => format!("\n\t{SCRIPT_NAME}:1: in "),
                _ => {
                    let line = debug.current_line().unwrap_or(0);
                    let short = source.short_src.as_deref().unwrap_or_default();
                    format!("\n\t@{short}:{line}: in ")
                }
            };
            let role = match name {
                _ if source.what == "main" => "main chunk".to_owned(),
                Some(name) => format!("function '{name}'"),
                None => format!(
                    "function <@{}:{}>",
                    source.short_src.unwrap_or_default(),
                    source.line_defined.unwrap_or_default()
                ),
            };
            Some((format!("{place}{role}"), Some(place)))
        });
        let Some(seen) = seen else { break };
        let Some((line, place)) = seen else { continue };
        if let Some(place) = place {
            outermost = Some((lines.len(), place));
        }
        lines.push(line);
    }
    if let Some((at, place)) = outermost {
        lines.truncate(at);
        lines.push(format!("{place}main chunk"));
    }
    // The sandbox raises its refusals by `error`, in the name of what was called.
    if lines.len() > 1
        && lines[0] == native("error")
        && lua.inspect_stack(3, |debug| is_sandbox(&debug.source())) == Some(true)
    {
        lines.remove(0);
    }
    format!("stack traceback:{}\n\t[G]: ?", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_to_elements_are_found_by_their_text() {
        for (code, line) in [
            ("KEYS[1] = 'x'", Some(1)),
            ("local a = 1\nARGV[#ARGV]='x'", Some(2)),
            ("if KEYS[1] == 'x' then return ARGV[1] end", None),
            ("KEYS = {}", None),
            ("return ARGV[1]", None),
        ] {
            assert_eq!(assignment_to_arguments(code.as_bytes()), line, "{code}");
        }
    }
}
