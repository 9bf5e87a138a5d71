//! What goes wrong inside a script, on its way through Lua.

use std::fmt;

use mlua::{Lua, LuaString, Value};

use super::state::SANDBOX_NAME;
use crate::limit::Limits;

/// What a function that Lua called has to say instead of a result.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// An error object whose `err` is this text: the error of a command.
    Reply(Vec<u8>),
    /// A plain error text.
    Text(Vec<u8>),
    /// The script has run for as long as it may; nothing catches this.
    Ended {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Reply(text) | Failure::Text(text) => {
                f.write_str(&String::from_utf8_lossy(text))
            }
            Failure::Ended { limit_ms } => f.write_str(&Limits::script_ended(*limit_ms)),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for mlua::Error {
    fn from(failure: Failure) -> Self {
        mlua::Error::external(failure)
    }
}

impl Failure {
    /// The error of the `redis` library with a text that has no code yet.
    pub(crate) fn library(text: &str) -> Failure {
        Failure::Reply(with_code(text.as_bytes()))
    }

    /// A text that begins with the place of the caller, as `luaL_error` makes it.
    pub(crate) fn located(lua: &Lua, text: impl AsRef<[u8]>) -> Failure {
        Failure::located_at(lua, 1, text)
    }

    /// A text that begins with the place of the function at a level of the stack.
    pub(crate) fn located_at(lua: &Lua, level: usize, text: impl AsRef<[u8]>) -> Failure {
        let mut message = place(lua, level).into_bytes();
        message.extend_from_slice(text.as_ref());
        Failure::Text(message)
    }

    /// `bad argument #1 to 'random' (interval is empty)`, as `luaL_argerror` makes it.
    pub(crate) fn bad_argument(lua: &Lua, index: usize, why: &str) -> Failure {
        Failure::bad_argument_at(lua, 0, index, why)
    }

    /// As [`Failure::bad_argument`], for the function at a level of the stack.
    pub(crate) fn bad_argument_at(
        lua: &Lua,
        level: usize,
        index: usize,
        why: impl AsRef<[u8]>,
    ) -> Failure {
        // What the sandbox's own pcall calls has no name, as behind Lua's.
        let unnamed = lua
            .inspect_stack(level + 1, |debug| is_sandbox(&debug.source()))
            .unwrap_or(false);
        let (name, is_method) = lua
            .inspect_stack(level, |debug| {
                let names = debug.names();
                let is_method = names.name_what == Some("method");
                Some((names.name?.into_owned(), is_method))
            })
            .flatten()
            .filter(|_| !unnamed)
            .unwrap_or_else(|| ("?".to_owned(), false));
        // What a method is called on does not count.
        let index = index.saturating_sub(usize::from(is_method));
        if is_method && index == 0 {
            let what = format!("calling '{name}' on bad self (");
            return Failure::located_at(lua, level + 1, parenthesis(&what, why.as_ref()));
        }
        let what = format!("bad argument #{index} to '{name}' (");
        Failure::located_at(lua, level + 1, parenthesis(&what, why.as_ref()))
    }

    /// What is behind an error that came out of Lua.
    pub(crate) fn of(error: &mlua::Error) -> Failure {
        match error {
            mlua::Error::ExternalError(inner) => match inner.downcast_ref::<Failure>() {
                Some(failure) => failure.clone(),
                None => Failure::Text(inner.to_string().into_bytes()),
            },
            mlua::Error::CallbackError { cause, .. } | mlua::Error::WithContext { cause, .. } => {
                Failure::of(cause)
            }
            mlua::Error::MemoryError(_) => Failure::Text(b"not enough memory".to_vec()),
            mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => {
                Failure::Text(text.clone().into_bytes())
            }
            other => Failure::Text(other.to_string().into_bytes()),
        }
    }

    /// The error value that scripts see.
    pub(crate) fn to_lua(&self, lua: &Lua) -> mlua::Result<Value> {
        match self {
            Failure::Reply(text) => error_object(lua, text).map(Value::Table),
            Failure::Text(text) => Ok(Value::String(lua.create_string(text)?)),
            Failure::Ended { .. } => {
                let mut text = b"ERR ".to_vec();
                text.extend_from_slice(self.to_string().as_bytes());
                error_object(lua, &text).map(Value::Table)
            }
        }
    }
}

/// The table that stands for a command's error reply.
pub(crate) fn error_object(lua: &Lua, text: &[u8]) -> mlua::Result<mlua::Table> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("err", lua.create_string(text)?)?;
    table.raw_set("ignore_error_stats_update", true)?;
    Ok(table)
}

/// An error text with a code: a leading dash marks the first word as one, without it `ERR` is put
/// in front. Line ends at the end are cut (`sdstrim`).
pub(crate) fn with_code(text: &[u8]) -> Vec<u8> {
    let (code, message) = match text.strip_prefix(b"-") {
        Some(rest) => match rest.iter().position(|&b| b == b' ') {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (&b"ERR"[..], rest),
        },
        None => (&b"ERR"[..], text),
    };
    let mut full = code.to_vec();
    full.push(b' ');
    full.extend_from_slice(trim_line_ends(message));
    full
}

fn trim_line_ends(text: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = text
        .iter()
        .position(|byte| !is_end(byte))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|byte| !is_end(byte))
        .map_or(start, |at| at + 1);
    &text[start..end]
}

/// Whether a function is of the sandbox: Redis has C there, which has no lines.
pub(super) fn is_sandbox(source: &mlua::debug::DebugSource<'_>) -> bool {
    source.source.as_deref() == Some(SANDBOX_NAME)
}

/// `user_script:3: ` for the function at a level of the stack; nothing where there is no line.
pub(crate) fn place(lua: &Lua, level: usize) -> String {
    lua.inspect_stack(level, |debug| {
        let line = debug.current_line()?;
        let source = debug.source();
        if is_sandbox(&source) {
            return None;
        }
        let short = source.short_src?;
        Some(format!("{short}:{line}: "))
    })
    .flatten()
    .unwrap_or_default()
}

/// A value as a string, as `lua_tolstring` reads one: strings and numbers are, nothing else.
pub(crate) fn text_of(lua: &Lua, value: &Value) -> Option<LuaString> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(_) | Value::Number(_) => lua.coerce_string(value.clone()).ok().flatten(),
        _ => None,
    }
}

/// A text that ends with a reason, which may quote bytes of a script.
fn parenthesis(what: &str, why: &[u8]) -> Vec<u8> {
    [what.as_bytes(), why, b")"].concat()
}
