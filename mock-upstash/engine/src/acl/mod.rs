//! Users, their passwords and tokens, and what they may do.

mod access;
mod log;
mod permission;
mod rule;
mod user;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::command::{Command, Flags};
use crate::dialect::{Dialect, Quirk};
use crate::error::ReplyError;

pub use access::{Access, access_to_key};
pub use log::{Denial, Log};
pub use permission::{Permissions, category, row};
pub(crate) use user::hex;
pub use user::{PasswordHash, User, hash};

/// The user that every server has and none may delete.
pub const DEFAULT_USER: &[u8] = b"default";

/// Users and what they may do.
#[derive(Debug)]
pub struct Acl {
    users: BTreeMap<Bytes, User>,
    /// REST tokens that stand for a user, beside passwords: ACL RESTTOKEN gives them out.
    tokens: BTreeMap<Bytes, Bytes>,
    /// What ACL GENTOKEN gave out: Upstash takes these alone as passwords.
    issued: Vec<PasswordHash>,
    /// What ACL RESTTOKEN gave out, for users who may be gone.
    given: Vec<PasswordHash>,
    /// Counts changes to users and tokens.
    generation: u64,
    /// Denials, for ACL LOG.
    pub log: Log,
}

impl Default for Acl {
    /// The user `default`, who may do everything without a password.
    fn default() -> Self {
        Acl {
            users: BTreeMap::from([(Bytes::from_static(DEFAULT_USER), User::unrestricted())]),
            tokens: BTreeMap::new(),
            issued: Vec::new(),
            given: Vec::new(),
            generation: 0,
            log: Log::default(),
        }
    }
}

/// Why a command is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The command itself.
    Command,
    /// One of its keys.
    Key(Bytes),
    /// A channel.
    Channel(Bytes),
}

impl Acl {
    /// The user with a name.
    pub fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.get(name)
    }

    /// The user with a name, made as ACL SETUSER makes one when there is none.
    pub fn user_or_new(&self, name: &[u8]) -> User {
        self.users.get(name).cloned().unwrap_or_default()
    }

    /// Adds a user, or changes it.
    pub fn set_user(&mut self, name: Bytes, user: User) {
        self.generation += 1;
        self.users.insert(name, user);
    }

    /// Takes out a user, with the tokens that stand for it; says whether there was one.
    pub fn remove_user(&mut self, name: &[u8]) -> bool {
        self.generation += 1;
        self.tokens.retain(|_, user| user != name);
        self.users.remove(name).is_some()
    }

    /// A number that grows whenever users or tokens change: as long as it stays, so does what
    /// [`Acl::user_of_token`] answers.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Every user, by name.
    pub fn users(&self) -> impl Iterator<Item = (&Bytes, &User)> {
        self.users.iter()
    }

    /// Whether anyone may act as `default` without a password.
    pub fn is_open(&self) -> bool {
        self.user(DEFAULT_USER)
            .is_some_and(|user| user.enabled && user.no_password)
    }

    /// Whether a password opens a user's account.
    pub fn authenticates(&self, name: &[u8], password: &[u8]) -> bool {
        self.users
            .get(name)
            .is_some_and(|user| user.accepts(password))
    }

    /// The user whose token this is: a token is a password, or was given out for a user.
    pub fn user_of_token(&self, token: &[u8]) -> Option<&Bytes> {
        if let Some(name) = self.tokens.get(token) {
            return self
                .users
                .get(name)
                .filter(|user| user.enabled)
                .and(Some(name));
        }
        let hash = hash(token);
        self.users
            .iter()
            .find(|(_, user)| user.enabled && user.passwords.contains(&hash))
            .map(|(name, _)| name)
    }

    /// Lets a token stand for a user.
    pub fn add_token(&mut self, token: Bytes, user: Bytes) {
        self.generation += 1;
        self.given.push(hash(&token));
        self.tokens.insert(token, user);
    }

    /// Whether a token was given out at some time, for a user who may be gone.
    pub fn has_given(&self, token: &[u8]) -> bool {
        let hash = hash(token);
        self.given.contains(&hash) || self.issued.contains(&hash)
    }

    /// Notes a token as fit to become a password.
    pub fn issue(&mut self, token: &[u8]) {
        self.issued.push(hash(token));
    }

    /// Whether a token was given out as fit to become a password.
    pub fn has_issued(&self, token: &[u8]) -> bool {
        self.issued.contains(&hash(token))
    }

    /// Checks that a user may run a command with these arguments.
    ///
    /// # Errors
    /// With what is refused.
    pub fn check(&self, user: &[u8], command: &Command, args: &[Bytes]) -> Result<(), Refusal> {
        let Some(user) = self.users.get(user) else {
            return Err(Refusal::Command);
        };
        // What every connection needs is open to all, as in Redis.
        if command.flags.contains(Flags::NO_AUTH) {
            return Ok(());
        }
        let swapped = user.swaps_unknown && unknown_of_read_only(command);
        if user.read_only && command.read_only_token == swapped {
            return Err(Refusal::Command);
        }
        if user.is_unrestricted() {
            return Ok(());
        }
        let mut refusal = Refusal::Command;
        for permissions in std::iter::once(&user.root).chain(&user.selectors) {
            match permissions.check(command, args) {
                Ok(()) => return Ok(()),
                // The refusal that came furthest says most.
                Err(Refusal::Command) => {}
                Err(other) => refusal = other,
            }
        }
        Err(refusal)
    }
}

/// Whether no source tells if Upstash's read-only token may use a command. Of scripts that only read
/// nothing is known either; rules close those.
fn unknown_of_read_only(command: &Command) -> bool {
    matches!(
        command.name,
        "SELECT" | "WAIT" | "WAITAOF" | "SUBSCRIBE" | "PSUBSCRIBE" | "COMMAND" | "INFO"
    ) || command.name.starts_with("PUBSUB")
}

/// The reply that refuses a command.
pub fn denial(dialect: Dialect, user: &[u8], command: &Command, refusal: &Refusal) -> ReplyError {
    if dialect.has(Quirk::AclTokens) {
        // Texts seen by users of tokens with restricted rights; that for channels is Redis 6's.
        return match refusal {
            Refusal::Command => ReplyError::new(format!(
                "NOPERM this user has no permissions to run the '{}' command or its subcommand",
                command.full_name()
            )),
            Refusal::Key(_) => ReplyError::fixed(
                "NOPERM this user has no permissions to access one of the keys used as arguments",
            ),
            Refusal::Channel(_) => ReplyError::fixed(
                "NOPERM this user has no permissions to access one of the channels used as arguments",
            ),
        };
    }
    match refusal {
        Refusal::Command => {
            let mut text = b"NOPERM User ".to_vec();
            text.extend_from_slice(user);
            text.extend_from_slice(b" has no permissions to run the '");
            text.extend_from_slice(command.full_name().as_bytes());
            text.extend_from_slice(b"' command");
            ReplyError::new(text)
        }
        Refusal::Key(_) => ReplyError::fixed("NOPERM No permissions to access a key"),
        Refusal::Channel(_) => ReplyError::fixed("NOPERM No permissions to access a channel"),
    }
}
