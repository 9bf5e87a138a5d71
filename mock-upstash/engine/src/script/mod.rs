//! Scripts and functions: the Lua state, what is loaded into it, and how it is run.

mod conversion;
mod failure;
pub mod function;
mod host;
mod library;
mod limit;
mod random;
pub mod shebang;
mod state;
mod trouble;
pub(crate) mod word;
mod wording;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use sha1::{Digest, Sha1};

use crate::call::Call;
use crate::config::Config;
use crate::dialect::Quirk;
use crate::engine::{Engine, Options};
use crate::error::{ReplyError, as_c_text};
use crate::reply::Outcome;
use crate::rollback::Rollback;
use crate::session::Protocol;
use function::{Libraries, LibraryFunction};
use host::Running;
use random::Random;
use shebang::ScriptFlags;
use state::{ChunkId, Ending, Purpose, State};
use trouble::Trouble;

/// The SHA-1 digest of a script's text.
pub type Sha = [u8; 20];

/// How many scripts that came with EVAL are kept; beyond it, the one unused for longest goes
/// (redis-server 7.4 and later). Those of SCRIPT LOAD stay.
const KEPT_FROM_EVAL: usize = 500;

/// Everything that EVAL and FUNCTION keep.
#[derive(Default)]
pub struct Scripts {
    state: Option<State>,
    function_state: Option<State>,
    /// Libraries of functions.
    pub libraries: Libraries,
    scripts: HashMap<Sha, Script, foldhash::fast::RandomState>,
    from_eval: usize,
    uses: u64,
    random: Random,
    /// How replies are shown to the script that runs.
    pub(crate) protocol: Protocol,
    /// Stands in the engine's place while the engine is lent to a script.
    stand_in: Option<Box<Engine>>,
}

#[derive(Debug, Clone, Copy)]
struct Script {
    chunk: ChunkId,
    flags: ScriptFlags,
    /// It came with EVAL, and this is when it was last used.
    from_eval: Option<u64>,
}

/// A script or function that is to be run.
pub(crate) struct Run<'a> {
    pub(crate) chunk: ChunkId,
    /// What error texts call it: a digest, or a function's name.
    pub(crate) name: &'a str,
    pub(crate) flags: ScriptFlags,
    /// The command that calls it allows no writes.
    pub(crate) read_only: bool,
    pub(crate) purpose: Purpose,
    pub(crate) keys: &'a [Bytes],
    pub(crate) argv: &'a [Bytes],
}

/// The digest of a script's text.
pub fn sha_of(body: &[u8]) -> Sha {
    Sha1::digest(body).into()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads a digest of 40 hexadecimal digits in any case.
pub fn read_sha(text: &[u8]) -> Option<Sha> {
    if text.len() != 40 {
        return None;
    }
    let mut sha = [0; 20];
    for (byte, digits) in sha.iter_mut().zip(text.chunks(2)) {
        let digit = |at: usize| char::from(digits[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(sha)
}

impl Scripts {
    fn state_for(&mut self, purpose: Purpose) -> &mut Option<State> {
        match purpose {
            Purpose::Scripts => &mut self.state,
            Purpose::Functions => &mut self.function_state,
        }
    }

    /// Whether a script is kept.
    pub fn contains(&self, sha: &Sha) -> bool {
        self.scripts.contains_key(sha)
    }

    /// Lets go of every script, and of the settings that scripts made in the libraries.
    pub fn flush(&mut self) {
        self.scripts = HashMap::default();
        self.from_eval = 0;
        self.state = None;
    }

    /// The script with a digest, noted as used.
    fn get(&mut self, sha: &Sha) -> Option<Script> {
        self.uses += 1;
        let script = self.scripts.get_mut(sha)?;
        if let Some(used) = &mut script.from_eval {
            *used = self.uses;
        }
        Some(*script)
    }

    fn keep(&mut self, sha: Sha, script: Script) {
        if script.from_eval.is_some() {
            self.from_eval += 1;
            if self.from_eval > KEPT_FROM_EVAL {
                self.let_oldest_go();
            }
        }
        self.scripts.insert(sha, script);
    }

    fn let_oldest_go(&mut self) {
        let oldest = self
            .scripts
            .iter()
            .filter_map(|(sha, script)| Some((script.from_eval?, *sha)))
            .min();
        if let Some((_, sha)) = oldest
            && let Some(script) = self.scripts.remove(&sha)
        {
            self.from_eval -= 1;
            if let Some(state) = &mut self.state {
                state.forget(script.chunk);
            }
        }
    }
}

impl Engine {
    /// The Lua state for scripts or for functions, made when it is first needed.
    fn lua_state(&mut self, purpose: Purpose) -> Result<&mut State, ReplyError> {
        if self.scripts.state_for(purpose).is_none() {
            let state = State::new(
                purpose,
                self.dialect,
                &self.config,
                Arc::clone(&self.clock),
                &self.scripts.random,
            )
            .map_err(|error| {
                ReplyError::new(format!("ERR Lua could not be started for scripts: {error}"))
            })?;
            *self.scripts.state_for(purpose) = Some(state);
        }
        self.scripts
            .state_for(purpose)
            .as_mut()
            .ok_or(ReplyError::fixed("ERR Lua is busy with another script"))
    }

    /// Compiles a script and keeps it, unless it is kept already. `from_eval` says that it came
    /// with EVAL, and so may be let go again.
    ///
    /// # Errors
    /// When it does not compile or its first line is wrong.
    pub(crate) fn load_script(&mut self, body: &[u8], from_eval: bool) -> Result<Sha, ReplyError> {
        let sha = sha_of(body);
        if let Some(script) = self.scripts.scripts.get_mut(&sha) {
            if !from_eval && script.from_eval.take().is_some() {
                self.scripts.from_eval -= 1;
            }
            return Ok(sha);
        }
        let (flags, code) = shebang::read_script(body, self.dialect.has(Quirk::KeyLocking))?;
        let own_texts = self.dialect.has(Quirk::ScriptErrorText);
        let chunk = self
            .lua_state(Purpose::Scripts)?
            .compile(code)
            .map_err(|message| {
                if own_texts {
                    return upstash_syntax_error(code, &message);
                }
                let mut text = b"ERR Error compiling script (new function): ".to_vec();
                text.extend_from_slice(&message);
                ReplyError::new(text)
            })?;
        self.scripts.uses += 1;
        let from_eval = from_eval.then_some(self.scripts.uses);
        let script = Script {
            chunk,
            flags,
            from_eval,
        };
        self.scripts.keep(sha, script);
        Ok(sha)
    }
}

/// Runs the script with a digest.
///
/// # Errors
/// `NOSCRIPT` when it is not kept; what the script fails with.
pub(crate) fn run_script(
    call: &mut Call<'_>,
    sha: &Sha,
    read_only: bool,
    keys: &[Bytes],
    argv: &[Bytes],
) -> Outcome {
    let script = call.engine.scripts.get(sha).ok_or(NO_SCRIPT)?;
    run(
        call,
        &Run {
            chunk: script.chunk,
            name: &hex(sha),
            flags: script.flags,
            read_only,
            purpose: Purpose::Scripts,
            keys,
            argv,
        },
    )
}

/// Runs a function of a library.
///
/// # Errors
/// What the function fails with.
pub(crate) fn run_function(
    call: &mut Call<'_>,
    function: &LibraryFunction,
    read_only: bool,
    keys: &[Bytes],
    argv: &[Bytes],
) -> Outcome {
    run(
        call,
        &Run {
            chunk: function.chunk,
            name: &String::from_utf8_lossy(&function.name),
            flags: function.flags,
            read_only,
            purpose: Purpose::Functions,
            keys,
            argv,
        },
    )
}

/// The error for a digest that no script has.
pub(crate) const NO_SCRIPT: ReplyError =
    ReplyError::fixed("NOSCRIPT No matching script. Please use EVAL.");

/// Runs a script or function: lends the engine to it, and takes back what it wrote when it fails
/// where the dialect says so.
pub(crate) fn run(call: &mut Call<'_>, run: &Run<'_>) -> Outcome {
    let late_check = run.purpose == Purpose::Functions && call.quirk(Quirk::ReadOnlyFunctionCall);
    if run.read_only
        && !late_check
        && !run
            .flags
            .intersects(ScriptFlags::NO_WRITES | ScriptFlags::UNDECLARED)
    {
        return Err(ReplyError::fixed(
            "ERR Can not execute a script with write flag using *_ro command.",
        ));
    }
    call.engine.lua_state(run.purpose)?;
    let Some(state) = call.engine.scripts.state_for(run.purpose).take() else {
        return Err(ReplyError::fixed("ERR Lua is busy with another script"));
    };
    let longest_ms = call.engine.config.script_time_limit_ms;
    let limit_ms = longest_ms.min(call.engine.limits.script_ms.unwrap_or(u64::MAX));
    let rollback = call
        .quirk(Quirk::ScriptRollback)
        .then(|| Rollback::begin(call.engine));
    let db = call.session().db;
    lend(call, run, &state);
    let ending = state.run(run.chunk, run.keys, run.argv, limit_ms);
    let outcome = match ending {
        Ending::Returned(value) => {
            let protocol = state.host.protocol();
            conversion::to_reply(value, protocol).map_err(|error| fatal(run.name, &error))
        }
        Ending::Failed(trouble) => Err(error_of(call, run.name, trouble)),
    };
    state.clear_up();
    give_back(call, &state);
    call.engine.count_script(call.now_ms, state.used_us());
    call.engine.set_db(call.client, db);
    *call.engine.scripts.state_for(run.purpose) = Some(state);
    if let Some(rollback) = rollback {
        rollback.end(call.engine, outcome.is_ok());
    }
    outcome
}

/// Puts a stand-in into the engine's place and the engine into the script's host.
fn lend(call: &mut Call<'_>, run: &Run<'_>, state: &State) {
    let mut lent = call.engine.scripts.stand_in.take().unwrap_or_else(|| {
        Box::new(Engine::new(Options {
            dialect: call.engine.dialect,
            config: Config {
                databases: 1,
                ..Config::default()
            },
            clock: Arc::clone(&call.engine.clock),
            seed: 0,
        }))
    });
    std::mem::swap(call.engine, &mut *lent);
    lent.scripts.protocol = Protocol::Resp2;
    let declared = run
        .flags
        .contains(ScriptFlags::ALLOW_KEY_LOCKING)
        .then(|| run.keys.iter().cloned().collect());
    *state.host.running() = Some(Running {
        engine: lent,
        client: call.client,
        now_ms: call.now_ms,
        read_only: run.read_only || run.flags.contains(ScriptFlags::NO_WRITES),
        declared,
    });
}

fn give_back(call: &mut Call<'_>, state: &State) {
    if let Some(mut running) = state.host.running().take() {
        std::mem::swap(call.engine, &mut *running.engine);
        call.engine.scripts.stand_in = Some(running.engine);
    }
}

/// The error reply for a script that failed.
fn error_of(call: &Call<'_>, name: &str, mut trouble: Trouble) -> ReplyError {
    if trouble.fatal {
        return fatal(name, &String::from_utf8_lossy(&trouble.text));
    }
    if trouble.plain
        && call.quirk(Quirk::ScriptErrorText)
        && call.quirk(Quirk::LuaErrorWords)
        && let Some(message) = trouble.text.strip_prefix(b"ERR ")
        && let Some(reworded) = wording::reworded(message)
    {
        trouble.text = [b"ERR ", &reworded[..]].concat();
    }
    if let Some(traceback) = &trouble.traceback
        && call.quirk(Quirk::ScriptErrorText)
    {
        return upstash_error(&trouble, traceback);
    }
    let mut text = as_c_text(&trouble.text).to_vec();
    if let Some((source, line)) = trouble.place {
        text.extend_from_slice(format!(" script: {name}, on {source}:{line}.").as_bytes());
    }
    ReplyError::new(text)
}

fn fatal(name: &str, error: &dyn std::fmt::Display) -> ReplyError {
    let message: String = error.to_string().chars().take(100).collect();
    ReplyError::new(format!("ERR Error running script {name}, {message}"))
}

/// `ERR Error running script: @user_script:2: READONLY Write …`, with the stack behind it
/// (@upstash/redis test suite, functions).
fn upstash_error(trouble: &Trouble, traceback: &str) -> ReplyError {
    let mut text = b"ERR Error running script: ".to_vec();
    let message = if trouble.plain {
        trouble.text.strip_prefix(b"ERR ").unwrap_or(&trouble.text)
    } else {
        &trouble.text
    };
    if trouble.plain && message.starts_with(b"user_") {
        text.push(b'@');
    } else if trouble.plain && message.starts_with(b"@user_") {
        // It tells the place itself.
    } else if let Some((source, line)) = &trouble.place {
        text.extend_from_slice(format!("{source}:{line}: ").as_bytes());
    }
    text.extend_from_slice(message);
    text.push(b'\n');
    text.extend_from_slice(traceback.as_bytes());
    ReplyError::lines(text)
}

/// `ERR Error running script: @user_script line:2(column:7) near 'local': syntax error`, made from
/// Lua's `user_script:2: '=' expected near 'local'`.
fn upstash_syntax_error(code: &[u8], message: &[u8]) -> ReplyError {
    let message = String::from_utf8_lossy(message);
    let rest = message.strip_prefix("user_script:").unwrap_or(&message);
    let line = rest
        .split(':')
        .next()
        .and_then(|line| line.parse::<usize>().ok())
        .unwrap_or(1);
    let near = message
        .rsplit_once("near '")
        .map_or("", |(_, near)| near.trim_end_matches('\''));
    let source = code
        .split(|&b| b == b'\n')
        .nth(line.saturating_sub(1))
        .unwrap_or_default();
    let column = String::from_utf8_lossy(source)
        .rfind(near)
        .map_or(1, |at| at + 1);
    ReplyError::new(format!(
        "ERR Error running script: {} line:{line}(column:{column}) near '{near}': syntax error",
        state::SCRIPT_NAME
    ))
}

/// The reply that nothing runs, to SCRIPT KILL and FUNCTION KILL: a script runs to its end before
/// anything else is heard.
pub(crate) fn nothing_to_kill() -> Outcome {
    Err(ReplyError::fixed(
        "NOTBUSY No scripts in execution right now.",
    ))
}
