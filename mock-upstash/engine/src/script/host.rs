//! What scripts reach of the engine: the functions of the `redis` library.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mlua::{Lua, MultiValue, Table, Value};
use sha1::{Digest, Sha1};

use super::conversion::{number_argument, to_lua, truncated};
use super::failure::{Failure, text_of, with_code};
use crate::call::Origin;
use crate::command::{Command, Flags};
use crate::dialect::Quirk;
use crate::engine::Engine;
use crate::error::ReplyError;
use crate::reply::Reply;
use crate::session::{ClientId, Protocol};

/// The version that scripts are told; the engine follows this one.
pub(crate) const VERSION: &str = "8.10.2";
const VERSION_NUMBER: u32 = 0x0008_0A02;

const REPL_AOF: i64 = 1;
const REPL_REPLICA: i64 = 2;

/// The script that runs, and the engine it works on.
pub(crate) struct Running {
    /// The engine, lent for as long as the script runs.
    pub(crate) engine: Box<Engine>,
    /// The client that called the script.
    pub(crate) client: ClientId,
    /// The instant at which the script sees the world.
    pub(crate) now_ms: u64,
    /// It may not write.
    pub(crate) read_only: bool,
    /// The only keys it may touch, where it promised so.
    pub(crate) declared: Option<HashSet<Bytes>>,
}

/// Where the functions that Lua calls find the script that runs.
#[derive(Clone, Default)]
pub(crate) struct Host(Arc<Mutex<Option<Running>>>);

impl Host {
    /// The script that runs; nothing between scripts and while a library is loaded.
    pub(crate) fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How replies are shown to the script that runs.
    pub(crate) fn protocol(&self) -> Protocol {
        let running = self.running();
        running
            .as_ref()
            .map_or(Protocol::Resp2, |running| running.engine.scripts.protocol)
    }

    /// Carries out a command for a script.
    fn command(&self, args: MultiValue) -> Result<(Reply, Protocol), Failure> {
        let mut guard = self.running();
        let Some(running) = guard.as_mut() else {
            return Err(Failure::library(
                "redis.call/pcall can only be called inside a script invocation",
            ));
        };
        let truncates = running.engine.dialect.has(Quirk::ScriptTruncatesNumbers);
        let args = arguments(args, truncates)?;
        let command = running.admit(&args)?;
        let Running {
            engine,
            client,
            now_ms,
            ..
        } = running;
        let db = engine.session_mut(*client).db;
        engine.show_script_to_monitors(db, &args);
        let reply = engine.call(*client, command, &args, Origin::Script, *now_ms);
        Ok((reply.unwrap_or_else(Reply::Error), engine.scripts.protocol))
    }

    fn call(&self, lua: &Lua, args: MultiValue) -> mlua::Result<Value> {
        match self.command(args)? {
            (Reply::Error(error), _) => Err(reply_failure(&error).into()),
            (reply, protocol) => to_lua(lua, reply, protocol),
        }
    }

    fn pcall(&self, lua: &Lua, args: MultiValue) -> mlua::Result<Value> {
        match self.command(args) {
            Ok((reply, protocol)) => to_lua(lua, reply, protocol),
            Err(failure) => failure.to_lua(lua),
        }
    }

    fn set_protocol(&self, lua: &Lua, args: &MultiValue) -> Result<(), Failure> {
        let [version] = args.iter().collect::<Vec<_>>()[..] else {
            return Err(Failure::library("redis.setresp() requires one argument."));
        };
        let protocol = match number_of(lua, version).map(truncated) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            _ => return Err(Failure::library("RESP version must be 2 or 3.")),
        };
        if let Some(running) = self.running().as_mut() {
            running.engine.scripts.protocol = protocol;
        }
        Ok(())
    }

    fn may_run(&self, args: MultiValue) -> Result<bool, Failure> {
        let mut guard = self.running();
        let Some(running) = guard.as_mut() else {
            return Err(Failure::library(
                "redis.acl_check_cmd can only be called inside a script invocation",
            ));
        };
        let args = arguments(args, false)?;
        let command = running
            .engine
            .find(&args)
            .map_err(|_| Failure::library("Invalid command passed to redis.acl_check_cmd()"))?;
        if !running.engine.accepts(command, args.len()) {
            return Err(Failure::library(
                "Wrong number of args for redis.acl_check_cmd()",
            ));
        }
        let session = running.engine.session(running.client);
        Ok(match session.and_then(|session| session.user.as_ref()) {
            Some(user) => running.engine.acl.check(user, command, &args).is_ok(),
            None => true,
        })
    }
}

impl Running {
    /// Finds the row of a command and checks that the script may run it. The order of the checks is
    /// Redis's.
    fn admit(&mut self, args: &[Bytes]) -> Result<&'static Command, Failure> {
        let own_texts = self.engine.dialect.has(Quirk::ScriptErrorText);
        let command = match self.engine.find(args) {
            Ok(command) => command,
            Err(error) if own_texts => return Err(reply_failure(&error)),
            Err(_) => {
                return Err(Failure::library("Unknown Redis command called from script"));
            }
        };
        if !self.engine.accepts(command, args.len()) {
            return Err(if own_texts {
                reply_failure(&ReplyError::arity(&command.full_name()))
            } else {
                Failure::library("Wrong number of args calling Redis command from script")
            });
        }
        if command.flags.contains(Flags::NOSCRIPT) {
            return Err(Failure::library(
                "This Redis command is not allowed from script",
            ));
        }
        self.permitted(command, args).map_err(|error| {
            let text = error.as_bytes();
            let text = text.strip_prefix(b"NOPERM ").unwrap_or(text);
            let mut line = b"ACL failure in script: ".to_vec();
            line.extend_from_slice(text);
            Failure::Reply(with_code(&line))
        })?;
        if self.read_only
            && command
                .flags
                .intersects(Flags::WRITE | Flags::MAY_REPLICATE)
        {
            return Err(if own_texts {
                Failure::library("-READONLY Write commands are not allowed from read-only scripts")
            } else {
                Failure::library("Write commands are not allowed from read-only scripts.")
            });
        }
        self.check_declared(command, args)?;
        Ok(command)
    }

    /// Checks that the user of the client that called the script may run a command.
    fn permitted(&mut self, command: &'static Command, args: &[Bytes]) -> Result<(), ReplyError> {
        let session = self.engine.session(self.client);
        match session.and_then(|session| session.user.clone()) {
            Some(user) => self.engine.permit(
                self.client,
                &user,
                command,
                args,
                Origin::Script,
                self.now_ms,
            ),
            None => Ok(()),
        }
    }

    /// Upstash locks the declared keys of a script with `allow-key-locking` and nothing else, so it
    /// may touch no other (Upstash docs, features/key-locking).
    fn check_declared(&self, command: &Command, args: &[Bytes]) -> Result<(), Failure> {
        let Some(declared) = &self.declared else {
            return Ok(());
        };
        if matches!(command.name, "FLUSHDB" | "FLUSHALL") {
            return Err(Failure::library(
                "FLUSHDB and FLUSHALL are not allowed in Lua scripts when 'allow-key-locking' flag is set",
            ));
        }
        for position in command.key_positions(args) {
            let key = args.get(position).cloned().unwrap_or_default();
            if !declared.contains(&key) {
                let mut text = b"Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: ".to_vec();
                text.extend_from_slice(&key);
                return Err(Failure::Reply(with_code(&text)));
            }
        }
        Ok(())
    }
}

/// The error that a command answered, as the object that scripts get.
fn reply_failure(error: &ReplyError) -> Failure {
    let mut line = b"-".to_vec();
    line.extend_from_slice(error.as_bytes());
    Failure::Reply(with_code(&line))
}

fn arguments(values: MultiValue, truncates: bool) -> Result<Vec<Bytes>, Failure> {
    if values.is_empty() {
        return Err(Failure::library(
            "Please specify at least one argument for this redis lib call",
        ));
    }
    let mut args = Vec::with_capacity(values.len());
    for value in values {
        args.push(match value {
            Value::String(text) => Bytes::copy_from_slice(&text.as_bytes()),
            Value::Integer(number) => number_argument(number as f64, truncates).into(),
            Value::Number(number) => number_argument(number, truncates).into(),
            _ => {
                return Err(Failure::library(
                    "Lua redis lib command arguments must be strings or integers",
                ));
            }
        });
    }
    Ok(args)
}

/// A value as a number, as `lua_tonumber` reads one.
fn number_of(lua: &Lua, value: &Value) -> Option<f64> {
    lua.coerce_number(value.clone()).ok().flatten()
}

/// The `redis` library.
pub(crate) fn library(lua: &Lua, host: &Host) -> mlua::Result<Table> {
    let redis = lua.create_table()?;
    let constants = [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
        ("REPL_NONE", 0),
        ("REPL_AOF", REPL_AOF),
        ("REPL_SLAVE", REPL_REPLICA),
        ("REPL_REPLICA", REPL_REPLICA),
        ("REPL_ALL", REPL_AOF | REPL_REPLICA),
        ("REDIS_VERSION_NUM", i64::from(VERSION_NUMBER)),
    ];
    for (name, value) in constants {
        redis.raw_set(name, value)?;
    }
    redis.raw_set("REDIS_VERSION", VERSION)?;
    let with_host = |f: fn(&Host, &Lua, MultiValue) -> mlua::Result<Value>| {
        let host = host.clone();
        lua.create_function(move |lua, args| f(&host, lua, args))
    };
    redis.raw_set("call", with_host(Host::call)?)?;
    redis.raw_set("pcall", with_host(Host::pcall)?)?;
    redis.raw_set(
        "setresp",
        with_host(|host, lua, args| {
            host.set_protocol(lua, &args)?;
            Ok(Value::Nil)
        })?,
    )?;
    redis.raw_set(
        "acl_check_cmd",
        with_host(|host, _, args| Ok(Value::Boolean(host.may_run(args)?)))?,
    )?;
    let plain = |f: fn(&Lua, MultiValue) -> mlua::Result<Value>| lua.create_function(f);
    redis.raw_set("error_reply", plain(error_reply)?)?;
    redis.raw_set("status_reply", plain(status_reply)?)?;
    redis.raw_set("sha1hex", plain(sha1hex)?)?;
    redis.raw_set("log", plain(log)?)?;
    redis.raw_set("set_repl", plain(set_repl)?)?;
    redis.raw_set(
        "replicate_commands",
        plain(|_, _| Ok(Value::Boolean(true)))?,
    )?;
    redis.raw_set("breakpoint", plain(|_, _| Ok(Value::Boolean(false)))?)?;
    redis.raw_set("debug", plain(|_, _| Ok(Value::Nil))?)?;
    Ok(redis)
}

/// What the makers of replies answer, not raise, when they are called the wrong way.
fn bad_field(lua: &Lua) -> mlua::Result<Value> {
    let object = lua.create_table_with_capacity(0, 1)?;
    object.raw_set("err", "ERR wrong number or type of arguments")?;
    Ok(Value::Table(object))
}

fn error_reply(lua: &Lua, args: MultiValue) -> mlua::Result<Value> {
    let args: Vec<Value> = args.into_iter().collect();
    let [Value::String(text)] = &args[..] else {
        return bad_field(lua);
    };
    let mut line = text.as_bytes().to_vec();
    if line.first() != Some(&b'-') {
        line.insert(0, b'-');
    }
    let object = lua.create_table_with_capacity(0, 1)?;
    object.raw_set("err", lua.create_string(with_code(&line))?)?;
    Ok(Value::Table(object))
}

fn status_reply(lua: &Lua, args: MultiValue) -> mlua::Result<Value> {
    let args: Vec<Value> = args.into_iter().collect();
    let [Value::String(text)] = &args[..] else {
        return bad_field(lua);
    };
    let object = lua.create_table_with_capacity(0, 1)?;
    object.raw_set("ok", text)?;
    Ok(Value::Table(object))
}

fn sha1hex(lua: &Lua, args: MultiValue) -> mlua::Result<Value> {
    let args: Vec<Value> = args.into_iter().collect();
    let [value] = &args[..] else {
        return Err(Failure::library("wrong number of arguments").into());
    };
    let digest = match text_of(lua, value) {
        Some(text) => super::hex(&Sha1::digest(text.as_bytes())),
        None => super::hex(&Sha1::digest(b"")),
    };
    Ok(Value::String(lua.create_string(digest)?))
}

/// Checks its arguments as Redis does; there is no log to write to.
fn log(lua: &Lua, args: MultiValue) -> mlua::Result<Value> {
    if args.len() < 2 {
        return Err(Failure::library("redis.log() requires two arguments or more.").into());
    }
    let level = args.front().and_then(|level| number_of(lua, level));
    match level.map(truncated) {
        None => Err(Failure::library("First argument must be a number (log level).").into()),
        Some(0..=3) => Ok(Value::Nil),
        Some(_) => Err(Failure::library("Invalid log level.").into()),
    }
}

/// Checks its arguments as Redis does; there are no replicas to keep anything from.
fn set_repl(lua: &Lua, args: MultiValue) -> mlua::Result<Value> {
    let args: Vec<Value> = args.into_iter().collect();
    let [flags] = &args[..] else {
        return Err(Failure::library("redis.set_repl() requires one argument.").into());
    };
    let flags = number_of(lua, flags).map_or(0, truncated);
    if flags & !(REPL_AOF | REPL_REPLICA) != 0 {
        return Err(Failure::library(
            "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
        )
        .into());
    }
    Ok(Value::Nil)
}
