//! Users and what they may do.

use bytes::Bytes;
use indexmap::IndexMap;

use crate::command::Command;
use crate::error::ReplyError;

/// One user.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Passwords that authenticate it. Over TCP and REST alike: a token is a password.
    pub passwords: Vec<Bytes>,
    /// Any password will do.
    pub no_password: bool,
    /// Only commands that the read-only token may use.
    pub read_only: bool,
}

/// Users and what they may do.
#[derive(Debug)]
pub struct Acl {
    users: IndexMap<Bytes, User>,
}

impl Default for Acl {
    /// The user `default`, who may do everything without a password.
    fn default() -> Self {
        let default = User {
            no_password: true,
            ..User::default()
        };
        Acl {
            users: IndexMap::from([(Bytes::from_static(b"default"), default)]),
        }
    }
}

impl Acl {
    /// The user with a name.
    pub fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.get(name)
    }

    /// Adds a user, or changes it.
    pub fn set_user(&mut self, name: Bytes, user: User) {
        self.users.insert(name, user);
    }

    /// Every user, in order of creation.
    pub fn users(&self) -> impl Iterator<Item = (&Bytes, &User)> {
        self.users.iter()
    }

    /// Whether a password opens a user's account.
    pub fn authenticates(&self, name: &[u8], password: &[u8]) -> bool {
        self.users.get(name).is_some_and(|user| {
            user.no_password || user.passwords.iter().any(|known| known == password)
        })
    }

    /// The user whose token this is.
    pub fn user_of_token(&self, token: &[u8]) -> Option<&Bytes> {
        self.users
            .iter()
            .find(|(_, user)| user.passwords.iter().any(|known| known == token))
            .map(|(name, _)| name)
    }

    /// Checks that a user may run a command with these arguments.
    ///
    /// # Errors
    /// `NOPERM` when not.
    pub fn check(&self, user: &[u8], command: &Command, args: &[Bytes]) -> Result<(), ReplyError> {
        let _ = args;
        let Some(user) = self.users.get(user) else {
            return Ok(());
        };
        // Text seen by users of the read-only token.
        if user.read_only && !command.read_only_token {
            return Err(ReplyError::new(format!(
                "NOPERM this user has no permissions to run the '{}' command or its subcommand",
                command.full_name()
            )));
        }
        Ok(())
    }
}
