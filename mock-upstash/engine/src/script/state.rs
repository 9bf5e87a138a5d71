//! The Lua state that scripts run in: one for an engine, made when it is first needed.

use std::collections::HashMap;
use std::sync::Arc;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, LuaString, MultiValue, StdLib};
use mlua::{Number, Table, Value, VmState};

use super::failure::{Failure, text_of};
use super::function::Registry;
use super::host::{self, Host};
use super::library;
use super::limit::{Limit, STRIDE};
use super::random::Random;
use super::trouble::{Trouble, assignment_to_arguments, origin};
use super::wording;
use crate::clock::Clock;
use crate::config::Config;
use crate::dialect::{Dialect, Quirk};

/// Whom a state is for. Redis keeps them apart: neither sees what the other set in a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// EVAL and its like.
    Scripts,
    /// Libraries of functions.
    Functions,
}

impl Purpose {
    /// What code is called in error texts and stack traces. Upstash calls functions scripts too
    /// (@upstash/redis test suite, functions).
    const fn chunk_name(self, dialect: Dialect) -> &'static str {
        match self {
            Purpose::Functions if !dialect.has(Quirk::ScriptErrorText) => "@user_function",
            _ => SCRIPT_NAME,
        }
    }
}

/// What a script is called in error texts and stack traces.
pub(crate) const SCRIPT_NAME: &str = "@user_script";

/// Names a compiled script or function in the state.
pub(crate) type ChunkId = i64;

/// How a run ended.
pub(crate) enum Ending {
    /// With a value.
    Returned(Value),
    /// With an error.
    Failed(Trouble),
}

/// The Lua state, with Redis's world in it.
pub(crate) struct State {
    pub(crate) lua: Lua,
    pub(crate) host: Host,
    limit: Arc<Limit>,
    memory_limit: usize,
    chunks: Table,
    next_chunk: ChunkId,
    run: Function,
    load_library: Function,
    /// Lua's own, for its messages keep the bytes that they quote.
    loadstring: Function,
    pub(crate) registry: Registry,
    chunk_name: &'static str,
    /// Makes KEYS and ARGV read-only, where the dialect has them so.
    seal: Option<Function>,
    /// Where scripts assign to elements of KEYS or ARGV, as far as their text tells.
    assignments: HashMap<ChunkId, i64>,
    shows_stack: bool,
}

impl State {
    /// A state for an engine of this dialect.
    ///
    /// # Errors
    /// When the memory that scripts may use is too little for the state itself.
    pub(crate) fn new(
        purpose: Purpose,
        dialect: Dialect,
        config: &Config,
        clock: Arc<dyn Clock>,
        random: &Random,
    ) -> mlua::Result<State> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
        let lua = Lua::new_with(libraries, LuaOptions::new())?;
        let loadstring: Function = lua.globals().get("loadstring")?;
        let limit = Arc::new(Limit::new(clock));
        let host = Host::default();
        let chunks = lua.create_table()?;
        let seals = purpose == Purpose::Scripts && dialect.has(Quirk::ScriptReadOnlyKeys);

        let world = lua.create_table()?;
        world.raw_set("chunks", &chunks)?;
        world.raw_set("seals", seals)?;
        let registry = Registry::default();
        let redis = host::library(&lua, &host)?;
        if purpose == Purpose::Functions {
            let key_locking = dialect.has(Quirk::KeyLocking);
            let loading = registry.library(&lua, &redis, key_locking)?;
            world.raw_set("loading", loading)?;
            for name in ["replicate_commands", "breakpoint", "debug"] {
                redis.raw_remove(name)?;
            }
        }
        if purpose == Purpose::Scripts && dialect.has(Quirk::ReplicateCommands) {
            let refuse = |_: &Lua, _: MultiValue| -> mlua::Result<()> {
                Err(Failure::library("redis.replicate_commands() is not supported").into())
            };
            redis.raw_set("replicate_commands", lua.create_function(refuse)?)?;
        }
        world.raw_set("redis", redis)?;
        world.raw_set("libraries", library::all(&lua, dialect)?)?;
        world.raw_set("load", lua.create_function(load_text)?)?;
        let ended = Arc::clone(&limit);
        let own_words = dialect.has(Quirk::LuaErrorWords);
        world.raw_set(
            "unwrap",
            lua.create_function(move |lua, value| {
                if let Some(limit_ms) = ended.over() {
                    return Err(Failure::Ended { limit_ms }.into());
                }
                let value = describe(lua, value)?;
                if own_words
                    && let Value::String(text) = &value
                    && let Some(reworded) = wording::reworded(&text.as_bytes())
                {
                    return Ok(Value::String(lua.create_string(reworded)?));
                }
                Ok(value)
            })?,
        )?;
        world.raw_set("describe", lua.create_function(describe)?)?;
        let shows_stack = dialect.has(Quirk::ScriptErrorText);
        world.raw_set(
            "where",
            lua.create_function(move |lua, ()| Ok(origin(lua, shows_stack)))?,
        )?;
        let strings = library::string::library(&lua, &limit, config.script_memory_bytes)?;
        world.raw_set("strings", strings)?;
        add_random(&lua, &world, random)?;
        let clock = Arc::clone(&limit);
        world.raw_set(
            "clock",
            lua.create_function(move |_, _: MultiValue| Ok(clock.seconds()))?,
        )?;

        world.raw_set("own_words", own_words)?;
        let made = lua
            .load(include_str!("sandbox.lua"))
            .set_name(SANDBOX_NAME)
            .call(world)?;
        let (environment, run, load_library, seal, operations): (
            Table,
            Function,
            Function,
            Function,
            Table,
        ) = made;
        lua.set_globals(environment)?;
        if own_words {
            lua.set_type_metatable::<Number>(Some(operations));
        }
        let watch = Arc::clone(&limit);
        lua.set_global_hook(
            HookTriggers::new().every_nth_instruction(STRIDE),
            move |_, _| match watch.reached() {
                Some(limit_ms) => Err(Failure::Ended { limit_ms }.into()),
                None => Ok(VmState::Continue),
            },
        )?;
        let memory_limit = lua.used_memory().saturating_add(config.script_memory_bytes);
        lua.set_memory_limit(memory_limit)?;
        Ok(State {
            lua,
            host,
            limit,
            memory_limit,
            chunks,
            next_chunk: 1,
            run,
            load_library,
            loadstring,
            registry,
            chunk_name: purpose.chunk_name(dialect),
            seal: seals.then_some(seal),
            assignments: HashMap::new(),
            shows_stack,
        })
    }

    /// Compiles a script. Bytecode is no script: a forged one could do anything.
    ///
    /// # Errors
    /// With Lua's message, when it is not well formed.
    pub(crate) fn compile(&mut self, code: &[u8]) -> Result<ChunkId, Vec<u8>> {
        if code.first() == Some(&BYTECODE) {
            return Err(b"user_script:1: unexpected symbol near 'char(27)'".to_vec());
        }
        let text_of_error = |error: mlua::Error| Failure::of(&error).to_string().into_bytes();
        let compiled = self
            .lua
            .create_string(code)
            .and_then(|code| self.loadstring.call((code, self.chunk_name)));
        let (function, message): (Option<Function>, Option<LuaString>) =
            compiled.map_err(text_of_error)?;
        match function {
            Some(function) => {
                let id = self.keep(function).map_err(text_of_error)?;
                if self.seal.is_some()
                    && let Some(line) = assignment_to_arguments(code)
                {
                    self.assignments.insert(id, line);
                }
                Ok(id)
            }
            None => Err(message.map_or_else(Vec::new, |message| message.as_bytes().to_vec())),
        }
    }

    /// Keeps a function under a name of its own.
    pub(crate) fn keep(&mut self, function: Function) -> mlua::Result<ChunkId> {
        let id = self.next_chunk;
        self.chunks.raw_set(id, function)?;
        self.next_chunk += 1;
        Ok(id)
    }

    /// Lets go of a script or function.
    pub(crate) fn forget(&mut self, id: ChunkId) {
        self.assignments.remove(&id);
        // Setting nil needs no memory; should it fail all the same, the function merely stays.
        self.chunks.raw_set(id, Value::Nil).ok();
    }

    /// Runs a script with its keys and arguments.
    pub(crate) fn run(
        &self,
        id: ChunkId,
        keys: &[bytes::Bytes],
        argv: &[bytes::Bytes],
        limit_ms: u64,
    ) -> Ending {
        self.limit.begin(limit_ms);
        let result = self
            .list(keys)
            .and_then(|keys| Ok((keys, self.list(argv)?)))
            .and_then(|(keys, argv)| self.run.call::<(bool, Value)>((id, keys, argv)));
        match result {
            Ok((false, Value::Nil)) => {
                let line = self.assignments.get(&id).copied().unwrap_or(1);
                Ending::Failed(Trouble::wrote_to_arguments(line, self.shows_stack))
            }
            result => self.ending(result),
        }
    }

    /// Microseconds that the last run took.
    pub(crate) fn used_us(&self) -> u64 {
        self.limit.used_us()
    }

    /// Runs the code of a library, which registers its functions.
    pub(crate) fn load_library(&self, id: ChunkId, limit_ms: u64) -> Ending {
        self.limit.begin(limit_ms);
        let result = self.load_library.call::<(bool, Value)>(id);
        self.ending(result)
    }

    /// What a protected run ended with.
    fn ending(&self, result: mlua::Result<(bool, Value)>) -> Ending {
        match result {
            Ok((true, value)) => Ending::Returned(value),
            Ok((false, Value::Table(object))) => {
                Ending::Failed(Trouble::read(&self.lua, &object).unwrap_or_default())
            }
            Ok((false, other)) => Ending::Failed(Trouble {
                text: match &other {
                    Value::String(text) => text.as_bytes().to_vec(),
                    Value::Error(error) => Failure::of(error).to_string().into_bytes(),
                    _ => b"execution failure".to_vec(),
                },
                fatal: true,
                ..Trouble::default()
            }),
            Err(error) => Ending::Failed(Trouble {
                text: Failure::of(&error).to_string().into_bytes(),
                fatal: true,
                ..Trouble::default()
            }),
        }
    }

    /// Clears up behind a script that used a good part of the memory there is, so that the next
    /// one finds it free: Lua does not collect garbage when memory is refused.
    pub(crate) fn clear_up(&self) {
        if self.lua.used_memory() > self.memory_limit / 2 {
            // Collecting fails only in finalizers, which scripts cannot have.
            self.lua.gc_collect().ok();
        }
    }

    fn list(&self, items: &[bytes::Bytes]) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(items.len(), 0)?;
        for (index, item) in items.iter().enumerate() {
            table.raw_set(index + 1, self.lua.create_string(item)?)?;
        }
        if let Some(seal) = &self.seal {
            seal.call::<()>(&table)?;
        }
        Ok(table)
    }
}

/// The first byte of compiled code.
const BYTECODE: u8 = 0x1b;

/// What the code of the sandbox is called.
pub(super) const SANDBOX_NAME: &str = "=sandbox";

fn add_random(lua: &Lua, world: &Table, random: &Random) -> mlua::Result<()> {
    let generator = random.clone();
    world.raw_set(
        "random",
        lua.create_function(move |lua, args: MultiValue| {
            let between = random_range(lua, &args)?;
            let number = generator.next();
            Ok(match between {
                None => number,
                Some((low, high)) => (number * (high - low + 1.0)).floor() + low,
            })
        })?,
    )?;
    let generator = random.clone();
    world.raw_set(
        "randomseed",
        lua.create_function(move |lua, args: MultiValue| {
            generator.seed(integer_argument(lua, &args, 1)?);
            Ok(())
        })?,
    )
}

fn random_range(lua: &Lua, args: &MultiValue) -> Result<Option<(f64, f64)>, Failure> {
    match args.len() {
        0 => Ok(None),
        1 => {
            let high = integer_argument(lua, args, 1)?;
            if high < 1 {
                return Err(Failure::bad_argument(lua, 1, "interval is empty"));
            }
            Ok(Some((1.0, f64::from(high))))
        }
        2 => {
            let low = integer_argument(lua, args, 1)?;
            let high = integer_argument(lua, args, 2)?;
            if low > high {
                return Err(Failure::bad_argument(lua, 2, "interval is empty"));
            }
            Ok(Some((f64::from(low), f64::from(high))))
        }
        _ => Err(Failure::located(lua, "wrong number of arguments")),
    }
}

/// An argument as a C `int`, as `luaL_checkint` reads one.
fn integer_argument(lua: &Lua, args: &MultiValue, index: usize) -> Result<i32, Failure> {
    let value = args.get(index - 1);
    let number = value
        .filter(|value| {
            matches!(
                value,
                Value::Integer(_) | Value::Number(_) | Value::String(_)
            )
        })
        .and_then(|value| lua.coerce_number(value.clone()).ok().flatten());
    match number {
        Some(number) => Ok(number as i64 as i32),
        None => {
            let given = match value.map_or("no value", Value::type_name) {
                "lightuserdata" | "error" => "userdata",
                other => other,
            };
            Err(Failure::bad_argument(
                lua,
                index,
                &format!("number expected, got {given}"),
            ))
        }
    }
}

/// `loadstring`, for text alone.
fn load_text(lua: &Lua, args: MultiValue) -> mlua::Result<MultiValue> {
    let Some(text) = args.front().and_then(|text| text_of(lua, text)) else {
        let given = args.front().map_or("no value", Value::type_name);
        let given = match given {
            "integer" => "number",
            "lightuserdata" | "error" => "userdata",
            other => other,
        };
        let why = format!("string expected, got {given}");
        return Err(Failure::bad_argument(lua, 1, &why).into());
    };
    let name = args.get(1).and_then(|name| text_of(lua, name));
    // Lua names a chunk without a name after its text.
    let name = match &name {
        Some(name) => String::from_utf8_lossy(&name.as_bytes()).replace('\0', ""),
        None => String::from_utf8_lossy(&text.as_bytes()).replace('\0', ""),
    };
    let chunk = lua
        .load(&text.as_bytes()[..])
        .set_name(name)
        .set_mode(ChunkMode::Text)
        .into_function();
    Ok(match chunk {
        Ok(function) => MultiValue::from_vec(vec![Value::Function(function)]),
        Err(error) => {
            let message = lua.create_string(Failure::of(&error).to_string())?;
            MultiValue::from_vec(vec![Value::Nil, Value::String(message)])
        }
    })
}

/// The error value behind what a protected call caught.
fn describe(lua: &Lua, value: Value) -> mlua::Result<Value> {
    match value {
        Value::Error(error) => Failure::of(&error).to_lua(lua),
        other => Ok(other),
    }
}
