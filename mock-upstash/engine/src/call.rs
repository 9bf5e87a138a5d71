//! One command being carried out: its arguments and the way to everything it may touch.

use bytes::Bytes;

use crate::command::Command;
use crate::dialect::Quirk;
use crate::engine::Engine;
use crate::error::{ReplyError, SYNTAX};
use crate::keyspace::{Database, Key};
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::session::{Blocked, ClientId, Protocol, Session};
use crate::value::{Kind, Value};

/// Who asks for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client, directly.
    Client,
    /// EXEC, or a REST transaction.
    Transaction,
    /// A script or function.
    Script,
}

/// One command being carried out.
pub struct Call<'e> {
    /// The whole engine.
    pub engine: &'e mut Engine,
    /// The client on whose behalf it runs.
    pub client: ClientId,
    /// The command and its arguments as sent; index 0 is the name.
    pub args: &'e [Bytes],
    /// Its row of the command table (of the subcommand, where there is one).
    pub command: &'static Command,
    /// Who asks for it.
    pub origin: Origin,
    /// Milliseconds since the Unix epoch; the same throughout a command, a transaction, a script.
    pub now_ms: u64,
    /// The database it works on.
    pub db: usize,
    /// The protocol its reply is for. Scripts see RESP2 unless they ask otherwise.
    pub protocol: Protocol,
}

impl<'e> Call<'e> {
    /// The database it works on.
    pub fn db(&mut self) -> &mut Database {
        &mut self.engine.databases[self.db]
    }

    /// The client's state.
    ///
    /// A call always stands for a connected client, so this is never a missing one; a detached
    /// session takes its place should that be untrue, and nothing it says is sent.
    pub fn session(&mut self) -> &mut Session {
        self.engine.session_mut(self.client)
    }

    /// The argument at an index; the arity in the command table vouches that it is there.
    pub fn arg(&self, index: usize) -> &'e Bytes {
        static EMPTY: Bytes = Bytes::new();
        self.args.get(index).unwrap_or(&EMPTY)
    }

    /// The arguments from an index on; none when there are fewer.
    pub fn args_from(&self, index: usize) -> &'e [Bytes] {
        self.args.get(index..).unwrap_or_default()
    }

    /// The argument as an integer.
    ///
    /// # Errors
    /// When it is not a decimal integer of 64 bits, as Redis reads one: no leading zeros, no plus.
    pub fn integer(&self, index: usize) -> Result<i64, ReplyError> {
        number::integer(self.arg(index)).ok_or(self.not_an_integer())
    }

    /// The argument as an integer between two bounds, both included.
    ///
    /// # Errors
    /// When it is no integer, or outside the bounds.
    pub fn integer_in(&self, index: usize, lowest: i64, highest: i64) -> Result<i64, ReplyError> {
        let n = self.integer(index)?;
        if (lowest..=highest).contains(&n) {
            Ok(n)
        } else {
            Err(ReplyError::outside(lowest, highest))
        }
    }

    /// The error for an argument that is no integer.
    pub fn not_an_integer(&self) -> ReplyError {
        if self.quirk(Quirk::IntegerErrorText) {
            ReplyError::fixed("ERR value is not an int or out of range")
        } else {
            crate::error::NOT_AN_INTEGER
        }
    }

    /// Whether the argument is a word, in any case.
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.args
            .get(index)
            .is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// What TYPE and SCAN call a kind of value.
    pub fn kind_name(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Json if self.quirk(Quirk::JsonTypeName) => "json",
            kind => kind.name(),
        }
    }

    /// Whether a quirk is on.
    pub fn quirk(&self, quirk: Quirk) -> bool {
        self.engine.dialect.has(quirk)
    }

    /// Whether the reply is for RESP3.
    pub fn resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// Says that a key changed: watchers are told, and clients blocked on it get their turn after
    /// the command.
    pub fn modified(&mut self, key: &[u8]) {
        self.engine.key_modified(self.db, key);
    }

    /// Publishes a keyspace notification, if its class is switched on.
    pub fn notify(&mut self, class: Class, event: &str, key: &[u8]) {
        self.engine.notify(class, event, key, self.db);
    }

    /// Says that a key changed and publishes the notification for it.
    pub fn changed(&mut self, class: Class, event: &str, key: &[u8]) {
        self.modified(key);
        self.notify(class, event, key);
    }

    /// Says that a key changed in a way that serves none of the clients that wait for it, and publishes
    /// the notification for it: Redis does not look at them then.
    pub fn reduced(&mut self, class: Class, event: &str, key: &[u8]) {
        self.engine.key_reduced(self.db, key);
        self.notify(class, event, key);
    }

    /// Puts a value in the place of whatever a key holds, and publishes the notification for it.
    ///
    /// As with Redis's `setKey`, clients that wait for the key are not woken when it was there before,
    /// of another type: only those that wait for it to be gone.
    pub fn set_key(&mut self, key: &[u8], value: Value, class: Class, event: &str) {
        let is_new = !self.db().contains(key);
        self.db().insert(key, value);
        if is_new {
            self.modified(key);
        } else {
            self.engine.key_overwritten(self.db, key);
        }
        self.notify(class, event, key);
    }

    /// Takes a key out when its collection has become empty, and says so with the `del` event.
    pub fn drop_if_empty(&mut self, key: &[u8]) -> bool {
        let dropped = self.db().remove_if_empty(key);
        if dropped {
            self.notify(Class::GENERIC, "del", key);
        }
        dropped
    }

    /// Whether blocking is out of the question: in scripts, in transactions, over REST. A blocking
    /// command answers there at once what it would answer on timeout.
    pub fn cannot_block(&mut self) -> bool {
        self.origin != Origin::Client || self.session().rest
    }

    /// Blocks the client until one of `keys` holds something of `kind` or the time is up.
    ///
    /// The command is run again from its beginning when that may be so. `timeout_ms` of `None` waits
    /// for ever. Returns what the handler returns.
    ///
    /// # Errors
    /// Never; the type is that of handlers.
    pub fn block(
        &mut self,
        keys: Vec<Key>,
        kind: Kind,
        wakes_when_gone: bool,
        timeout_ms: Option<u64>,
        on_timeout: Reply,
    ) -> Outcome {
        let args = self.args.to_vec();
        self.block_as(args, keys, kind, wakes_when_gone, timeout_ms, on_timeout)
    }

    /// As [`Call::block`], and runs `args` later in place of the command as it was sent, for what an
    /// argument means now (`$`) it does not mean then.
    ///
    /// # Errors
    /// Never; the type is that of handlers.
    pub fn block_as(
        &mut self,
        args: Vec<Bytes>,
        keys: Vec<Key>,
        kind: Kind,
        wakes_when_gone: bool,
        timeout_ms: Option<u64>,
        on_timeout: Reply,
    ) -> Outcome {
        if self.cannot_block() {
            return Ok(on_timeout);
        }
        let deadline_ms = timeout_ms.map(|ms| self.now_ms.saturating_add(ms));
        let since = self.engine.next_arrival();
        let blocked = Blocked {
            args,
            keys,
            kind,
            wakes_when_gone,
            deadline_ms,
            on_timeout,
            since,
        };
        self.engine.block(self.client, self.db, blocked);
        Ok(Reply::None)
    }

    /// The error for arguments that do not follow the command's grammar.
    ///
    /// # Errors
    /// Always: it is the syntax error itself, in the form a handler returns.
    pub fn syntax_error<T>(&self) -> Result<T, ReplyError> {
        Err(SYNTAX)
    }
}
