//! Which command a client means, and whether it may run it now.

use bytes::Bytes;

use super::{Engine, rest};
use crate::acl::{self, Denial, Refusal};
use crate::call::Origin;
use crate::command::{self, Command, Flags};
use crate::commands::connection;
use crate::dialect::Quirk;
use crate::error::{NO_AUTH, ReplyError, as_c_text};
use crate::limit::Limits;
use crate::session::ClientId;

impl Engine {
    /// Finds the row of a command and checks that this client may run it: known, right number of
    /// arguments, authenticated, permitted, within what is allowed. Counts it as used.
    ///
    /// # Errors
    /// With the reply that refuses it.
    pub fn admit(
        &mut self,
        client: ClientId,
        args: &[Bytes],
        now_ms: u64,
    ) -> Result<&'static Command, ReplyError> {
        let admitted = self.admissible(client, args, now_ms);
        // What strangers send is not counted.
        if self.session_mut(client).user.is_none() {
            return admitted;
        }
        self.meter(admitted, args, now_ms)
    }

    /// What answers a command that is beyond what is allowed.
    pub(super) fn beyond_limits(
        &mut self,
        command: &Command,
        args: &[Bytes],
        origin: Origin,
    ) -> Option<ReplyError> {
        let script = origin == Origin::Script;
        let sized = !script || self.limits.choices.script_calls_limited;
        // A script that has begun is not cut off: usage is seen to overshoot a quota.
        if !script
            && !self.limits.is_free(command)
            && let Some(refusal) = self.usage.refuse(&self.limits)
        {
            return Some(refusal);
        }
        if !script
            && !self.limits.choices.script_time_waits
            && Limits::runs_script(command)
            && let Some(refusal) = self.refuse_script()
        {
            return Some(refusal);
        }
        let refusal = sized.then(|| self.limits.refuse_request(args)).flatten();
        refusal
            .or_else(|| self.limits.refuse_key(command, args))
            .or_else(|| self.refuse_storage(command))
    }

    /// What answers a script when a minute's time for scripts is used up. One that has begun is not cut
    /// off.
    fn refuse_script(&mut self) -> Option<ReplyError> {
        let limit_ms = self.limits.script_ms_per_minute?;
        let now_ms = self.now_ms();
        self.usage.script_due_ms(now_ms, &self.limits)?;
        let used_ms = self.usage.minute_script_us / 1000;
        Some(Limits::script_time_used_up(limit_ms, used_ms))
    }

    /// When a script may begin, in milliseconds since the Unix epoch, where scripts wait for time.
    pub fn script_due_ms(&mut self, args: &[Bytes]) -> Option<u64> {
        if !self.limits.choices.script_time_waits || !self.find(args).is_ok_and(Limits::runs_script)
        {
            return None;
        }
        let now_ms = self.now_ms();
        self.usage.script_due_ms(now_ms, &self.limits)
    }

    /// Counts the time of a script that has ended.
    pub(crate) fn count_script(&mut self, now_ms: u64, us: u64) {
        self.usage.roll_script_time(now_ms, &self.limits);
        self.usage.count_script(us);
    }

    /// Finds the row of a command and checks that this client may run it. The order of the checks is
    /// Redis's.
    fn admissible(
        &mut self,
        client: ClientId,
        args: &[Bytes],
        now_ms: u64,
    ) -> Result<&'static Command, ReplyError> {
        let command = match self.find(args) {
            Ok(command) => command,
            Err(error) => {
                // A container that needs a connection is refused before its subcommand is looked at.
                let row = args.first().and_then(|name| command::find(name));
                return Err(match row {
                    Some(row) if self.session_mut(client).rest && rest::only_tcp(row) => {
                        rest::refusal(row, self.rest)
                    }
                    _ => error,
                });
            }
        };
        let session = self.session_mut(client);
        session.last_command_ms = now_ms;
        if session.rest && !rest::offers(command, args, self.rest) {
            return Err(rest::refusal(command, self.rest));
        }
        if !self.accepts(command, args.len()) {
            return Err(ReplyError::arity(&command.full_name()));
        }
        let session = self.session_mut(client);
        if session.user.is_none() && !command.flags.contains(Flags::NO_AUTH) {
            return Err(self.no_auth());
        }
        if let Some(user) = self.session_mut(client).user.clone() {
            self.permit(client, &user, command, args, Origin::Client, now_ms)?;
        }
        let session = self.session_mut(client);
        if session.in_subscribe_mode() && !allowed_while_subscribed(command) {
            return Err(ReplyError::new(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                command.full_name()
            )));
        }
        session.last_command = Some(command);
        Ok(command)
    }

    /// Checks that a user may run a command, and notes it when not.
    pub(crate) fn permit(
        &mut self,
        client: ClientId,
        user: &Bytes,
        command: &Command,
        args: &[Bytes],
        origin: Origin,
        now_ms: u64,
    ) -> Result<(), ReplyError> {
        let Err(refusal) = self.acl.check(user, command, args) else {
            return Ok(());
        };
        let (reason, object) = match &refusal {
            Refusal::Command => ("command", command.full_name().into()),
            Refusal::Key(key) => ("key", key.clone()),
            Refusal::Channel(channel) => ("channel", channel.clone()),
        };
        self.note_denial(client, reason, (object, user.clone()), origin, now_ms);
        Err(acl::denial(self.dialect, user, command, &refusal))
    }

    /// Notes for ACL LOG that a client was denied something: what, and who it was.
    pub(crate) fn note_denial(
        &mut self,
        client: ClientId,
        reason: &'static str,
        (object, user): (Bytes, Bytes),
        origin: Origin,
        now_ms: u64,
    ) {
        let session = self.session_mut(client);
        let context = match origin {
            Origin::Script => "lua",
            _ if session.transaction.is_some() || origin == Origin::Transaction => "multi",
            _ => "toplevel",
        };
        let described = connection::describe(session, now_ms);
        self.acl.log.add(Denial {
            count: 1,
            reason,
            context,
            object,
            user,
            client: described,
            id: 0,
            created_ms: now_ms,
            updated_ms: now_ms,
        });
    }

    /// Finds the row of a command, of the subcommand where there are some.
    ///
    /// # Errors
    /// When this dialect does not know it.
    pub fn find(&self, args: &[Bytes]) -> Result<&'static Command, ReplyError> {
        let name = args.first().ok_or_else(|| self.unknown_command(args))?;
        let command = command::find(name)
            .filter(|row| self.offers(row))
            .ok_or_else(|| self.unknown_command(args))?;
        match args.get(1) {
            Some(word) if !command.subcommands.is_empty() => command
                .subcommand(word)
                .filter(|row| self.offers(row))
                .ok_or_else(|| self.unknown_subcommand(command, args)),
            _ => Ok(command),
        }
    }

    /// Finds the row of a command and checks the number of arguments.
    ///
    /// # Errors
    /// When it is unknown or has too few or too many arguments.
    pub fn resolve(&self, args: &[Bytes]) -> Result<&'static Command, ReplyError> {
        let row = self.find(args)?;
        if self.accepts(row, args.len()) {
            Ok(row)
        } else {
            Err(ReplyError::arity(&row.full_name()))
        }
    }

    /// Whether a number of arguments is as many as a command takes in this dialect.
    pub(crate) fn accepts(&self, row: &Command, count: usize) -> bool {
        row.accepts(count)
            || match row.name {
                "UNLINK" => self.dialect.has(Quirk::UnlinkWithoutKeys),
                "DEL" => self.dialect.has(Quirk::DelWithoutKeys),
                _ => false,
            }
    }

    /// Whether this dialect has a command.
    pub(crate) fn offers(&self, row: &Command) -> bool {
        if self.dialect.has(Quirk::AclTokens) {
            row.upstash
        } else {
            row.redis
        }
    }

    fn no_auth(&self) -> ReplyError {
        if self.dialect.has(Quirk::AuthErrorText) {
            ReplyError::fixed(
                "NOAUTH Authentication required. See https://upstash.com/docs/redis/troubleshooting/no_auth for details",
            )
        } else {
            NO_AUTH
        }
    }

    /// The error for a command that is not known.
    pub fn unknown_command(&self, args: &[Bytes]) -> ReplyError {
        let name = args.first().map(|name| &name[..]).unwrap_or_default();
        if self.dialect.has(Quirk::UnknownCommand) {
            return not_available(name);
        }
        // Redis shows at most 128 bytes of the name and about as much of the arguments.
        let name = as_c_text(name);
        let mut text = b"ERR unknown command '".to_vec();
        text.extend_from_slice(&name[..name.len().min(128)]);
        text.push(b'\'');
        if args.len() > 1 {
            text.extend_from_slice(b", with args beginning with: ");
        }
        let mut shown = Vec::new();
        for arg in args.iter().skip(1) {
            if shown.len() >= 128 {
                break;
            }
            let room = 128 - shown.len();
            let arg = as_c_text(arg);
            shown.push(b'\'');
            shown.extend_from_slice(&arg[..arg.len().min(room)]);
            shown.extend_from_slice(b"' ");
        }
        text.extend_from_slice(&shown);
        ReplyError::new(text)
    }

    fn unknown_subcommand(&self, command: &Command, args: &[Bytes]) -> ReplyError {
        let word = args.get(1).map(|word| as_c_text(word)).unwrap_or_default();
        if self.dialect.has(Quirk::UnknownCommand) {
            let mut name = command.name.as_bytes().to_vec();
            name.push(b' ');
            name.extend_from_slice(word);
            return not_available(&name);
        }
        let mut text = b"ERR unknown subcommand '".to_vec();
        text.extend_from_slice(&word[..word.len().min(128)]);
        text.extend_from_slice(format!("'. Try {} HELP.", command.name).as_bytes());
        ReplyError::new(text)
    }
}

pub(super) fn not_available(name: &[u8]) -> ReplyError {
    let mut text = b"ERR Command is not available: '".to_vec();
    text.extend(name.iter().map(u8::to_ascii_uppercase));
    text.extend_from_slice(
        b"'. See https://upstash.com/docs/redis/overall/rediscompatibility for details",
    );
    ReplyError::new(text)
}

fn allowed_while_subscribed(command: &Command) -> bool {
    matches!(
        command.name,
        "SUBSCRIBE" | "UNSUBSCRIBE" | "PSUBSCRIBE" | "PUNSUBSCRIBE" | "PING" | "QUIT" | "RESET"
    )
}
