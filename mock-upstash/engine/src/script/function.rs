//! Libraries of functions: how they are loaded, and what they register.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use indexmap::IndexMap;
use mlua::{Function, Lua, MultiValue, Table, Value};

use super::failure::{Failure, text_of};
use super::shebang::{self, ScriptFlags};
use super::state::{ChunkId, Ending, Purpose};
use super::word;
use crate::engine::Engine;
use crate::error::ReplyError;

/// How long a library may take to load, in milliseconds: Redis's own limit.
const LOADING_LIMIT_MS: u64 = 500;

/// Every library that is loaded.
#[derive(Debug, Default)]
pub struct Libraries {
    libraries: IndexMap<Bytes, Library>,
}

/// A library.
#[derive(Debug)]
pub struct Library {
    /// Its whole text.
    pub code: Bytes,
    /// Its functions.
    pub functions: Vec<LibraryFunction>,
}

/// A function of a library.
#[derive(Debug, Clone)]
pub struct LibraryFunction {
    /// Its name; FCALL finds it in any case.
    pub name: Bytes,
    /// What it is for.
    pub description: Option<Bytes>,
    /// What it says of itself.
    pub flags: ScriptFlags,
    pub(super) chunk: ChunkId,
}

impl Libraries {
    /// Every library with its name, in the order in which they were loaded.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Library)> {
        self.libraries.iter()
    }

    /// Number of libraries.
    pub fn len(&self) -> usize {
        self.libraries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.libraries.is_empty()
    }

    /// The function with a name, in any case.
    pub(crate) fn function(&self, name: &[u8]) -> Option<&LibraryFunction> {
        self.libraries
            .values()
            .flat_map(|library| &library.functions)
            .find(|function| function.name.eq_ignore_ascii_case(name))
    }
}

/// A function that a library registers while it is loaded.
struct Registered {
    name: Vec<u8>,
    description: Option<Bytes>,
    flags: ScriptFlags,
    callback: Function,
}

/// Where the functions of the library that is being loaded are gathered.
#[derive(Clone, Default)]
pub(super) struct Registry(Arc<Mutex<Vec<Registered>>>);

impl Registry {
    fn gathered(&self) -> MutexGuard<'_, Vec<Registered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `redis` library as it is while a library is loaded.
    pub(super) fn library(
        &self,
        lua: &Lua,
        redis: &Table,
        key_locking: bool,
    ) -> mlua::Result<Table> {
        let loading = lua.create_table()?;
        for name in [
            "log",
            "LOG_DEBUG",
            "LOG_VERBOSE",
            "LOG_NOTICE",
            "LOG_WARNING",
            "REDIS_VERSION",
            "REDIS_VERSION_NUM",
        ] {
            loading.raw_set(name, redis.raw_get::<Value>(name)?)?;
        }
        let registry = self.clone();
        let register = lua.create_function(move |lua, args: MultiValue| {
            let registered = read_function(lua, &args, key_locking)?;
            registry.add(registered)?;
            Ok(())
        })?;
        loading.raw_set("register_function", register)?;
        Ok(loading)
    }

    fn add(&self, registered: Registered) -> Result<(), Failure> {
        if !is_name(&registered.name) {
            return Err(Failure::library(BAD_NAME));
        }
        let mut gathered = self.gathered();
        let taken = gathered.iter().any(|other| other.name == registered.name);
        if taken {
            return Err(Failure::library("Function already exists in the library"));
        }
        gathered.push(registered);
        Ok(())
    }
}

const BAD_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

fn is_name(name: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(is_part)
}

fn read_function(lua: &Lua, args: &MultiValue, key_locking: bool) -> Result<Registered, Failure> {
    let args: Vec<&Value> = args.iter().collect();
    match args[..] {
        [Value::Table(named)] => read_named(lua, named, key_locking),
        [_] => Err(Failure::library(
            "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).",
        )),
        [name, callback] => {
            let name = text_of(lua, name).ok_or_else(|| {
                Failure::library("first argument to redis.register_function must be a string")
            })?;
            let Value::Function(callback) = callback else {
                return Err(Failure::library(
                    "second argument to redis.register_function must be a function",
                ));
            };
            Ok(Registered {
                name: name.as_bytes().to_vec(),
                description: None,
                flags: ScriptFlags::empty(),
                callback: callback.clone(),
            })
        }
        _ => Err(Failure::library(
            "wrong number of arguments to redis.register_function",
        )),
    }
}

fn read_named(lua: &Lua, named: &Table, key_locking: bool) -> Result<Registered, Failure> {
    let unreadable = |error: mlua::Error| Failure::of(&error);
    let (mut name, mut description, mut callback) = (None, None, None);
    let mut flags = ScriptFlags::empty();
    let text = |value: &Value, refusal: &str| match text_of(lua, value) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err(Failure::library(refusal)),
    };
    for pair in named.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(unreadable)?;
        let key = text(
            &key,
            "named argument key given to redis.register_function is not a string",
        )?;
        match &key.to_ascii_lowercase()[..] {
            b"function_name" => {
                name = Some(text(
                    &value,
                    "function_name argument given to redis.register_function must be a string",
                )?);
            }
            b"description" => {
                description = Some(text(
                    &value,
                    "description argument given to redis.register_function must be a string",
                )?);
            }
            b"callback" => match value {
                Value::Function(function) => callback = Some(function),
                _ => {
                    return Err(Failure::library(
                        "callback argument given to redis.register_function must be a function",
                    ));
                }
            },
            b"flags" => {
                let Value::Table(list) = value else {
                    return Err(Failure::library(
                        "flags argument to redis.register_function must be a table representing function flags",
                    ));
                };
                flags = read_flags(&list, key_locking)?;
            }
            _ => {
                return Err(Failure::library(
                    "unknown argument given to redis.register_function",
                ));
            }
        }
    }
    Ok(Registered {
        name: name.ok_or_else(|| {
            Failure::library("redis.register_function must get a function name argument")
        })?,
        callback: callback.ok_or_else(|| {
            Failure::library("redis.register_function must get a callback argument")
        })?,
        description: description.map(Bytes::from),
        flags,
    })
}

fn read_flags(list: &Table, key_locking: bool) -> Result<ScriptFlags, Failure> {
    let mut flags = ScriptFlags::empty();
    for index in 1.. {
        let flag: Value = list.raw_get(index).map_err(|error| Failure::of(&error))?;
        match flag {
            Value::Nil => break,
            Value::String(name) => {
                flags |= ScriptFlags::named(&name.as_bytes(), key_locking)
                    .ok_or_else(|| Failure::library("unknown flag given"))?;
            }
            _ => return Err(Failure::library("unknown flag given")),
        }
    }
    Ok(flags)
}

impl Engine {
    /// Loads a library and answers its name; with `replace`, in the place of the one it has.
    ///
    /// # Errors
    /// When its first line is wrong, it does not run, registers nothing, or takes a name that is
    /// taken.
    pub(crate) fn load_library(
        &mut self,
        code: &Bytes,
        replace: bool,
    ) -> Result<Bytes, ReplyError> {
        let (name, body) = read_metadata(code)?;
        if !replace && self.scripts.libraries.libraries.contains_key(&name) {
            return Err(ReplyError::quoting(
                "ERR Library '",
                &name,
                "' already exists",
            ));
        }
        let limit_ms = LOADING_LIMIT_MS.min(self.config.script_time_limit_ms);
        let state = self.lua_state(Purpose::Functions)?;
        let chunk = state.compile(body).map_err(|message| {
            let mut text = b"ERR Error compiling function: ".to_vec();
            text.extend_from_slice(&message);
            ReplyError::new(text)
        })?;
        state.registry.gathered().clear();
        let ending = state.load_library(chunk, limit_ms);
        state.forget(chunk);
        let registered = std::mem::take(&mut *state.registry.gathered());
        if let Ending::Failed(trouble) = ending {
            return Err(ReplyError::naming(
                "ERR Error registering functions: ",
                &trouble.text,
            ));
        }
        if registered.is_empty() {
            return Err(ReplyError::fixed("ERR No functions registered"));
        }
        self.check_names_free(&name, &registered)?;
        self.forget_library(&name);
        let state = self.lua_state(Purpose::Functions)?;
        let mut functions = Vec::with_capacity(registered.len());
        for function in registered {
            functions.push(LibraryFunction {
                name: function.name.into(),
                description: function.description,
                flags: function.flags,
                chunk: state.keep(function.callback).map_err(|error| {
                    ReplyError::new(format!("ERR Error registering functions: {error}"))
                })?,
            });
        }
        let library = Library {
            code: code.clone(),
            functions,
        };
        self.scripts
            .libraries
            .libraries
            .insert(name.clone(), library);
        Ok(name)
    }

    fn check_names_free(&self, library: &Bytes, new: &[Registered]) -> Result<(), ReplyError> {
        let others = self.scripts.libraries.libraries.iter();
        let taken: Vec<&LibraryFunction> = others
            .filter(|(name, _)| *name != library)
            .flat_map(|(_, library)| &library.functions)
            .collect();
        for function in new {
            if taken
                .iter()
                .any(|other| other.name.eq_ignore_ascii_case(&function.name))
            {
                return Err(ReplyError::quoting(
                    "ERR Function ",
                    &function.name,
                    " already exists",
                ));
            }
        }
        Ok(())
    }

    /// Takes out a library; says whether there was one.
    pub(crate) fn forget_library(&mut self, name: &[u8]) -> bool {
        let Some(library) = self.scripts.libraries.libraries.shift_remove(name) else {
            return false;
        };
        if let Some(state) = &mut self.scripts.function_state {
            for function in library.functions {
                state.forget(function.chunk);
            }
        }
        true
    }

    /// Takes out every library, and what they set.
    pub(crate) fn forget_libraries(&mut self) {
        self.scripts.libraries = Libraries::default();
        self.scripts.function_state = None;
    }
}

/// A library's name and code. The code keeps an empty first line, so that line numbers stay right.
fn read_metadata(code: &[u8]) -> Result<(Bytes, &[u8]), ReplyError> {
    if !code.starts_with(b"#!") {
        return Err(ReplyError::fixed("ERR Missing library metadata"));
    }
    let invalid = ReplyError::fixed("ERR Invalid library metadata");
    let end = shebang::end_of_line(code).ok_or(invalid.clone())?;
    let words = word::split(&code[..end]).ok_or(invalid.clone())?;
    let (engine, options) = words.split_first().ok_or(invalid)?;
    let mut name = None;
    for option in options {
        let is_name = option.len() >= 5 && option[..5].eq_ignore_ascii_case(b"name=");
        if !is_name {
            return Err(ReplyError::quoting(
                "ERR Invalid metadata value given: ",
                option,
                "",
            ));
        }
        if name.is_some() {
            return Err(ReplyError::fixed(
                "ERR Invalid metadata value, name argument was given multiple times",
            ));
        }
        name = Some(Bytes::copy_from_slice(&option[5..]));
    }
    let name = name.ok_or(ReplyError::fixed("ERR Library name was not given"))?;
    if !is_name(&name) {
        return Err(ReplyError::new(format!("ERR {BAD_NAME}")));
    }
    let engine = engine.get(2..).unwrap_or_default();
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(ReplyError::quoting("ERR Engine '", engine, "' not found"));
    }
    Ok((name, &code[end..]))
}
