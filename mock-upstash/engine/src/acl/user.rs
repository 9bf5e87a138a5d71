//! One user: passwords, permissions, and both as text.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::permission::Permissions;

/// SHA-256 of a password.
pub type PasswordHash = [u8; 32];

/// The hash under which a password is kept.
pub fn hash(password: &[u8]) -> PasswordHash {
    Sha256::digest(password).into()
}

/// One user.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// It may log in.
    pub enabled: bool,
    /// Any password will do.
    pub no_password: bool,
    /// Hashes of the passwords that open its account.
    pub passwords: Vec<PasswordHash>,
    /// RESTORE takes its payloads without a close look; said and shown, for every one is looked at here.
    pub skips_sanitizing: bool,
    /// Only commands open to Upstash's read-only token.
    pub read_only: bool,
    /// Of the commands of which nothing is known with the read-only token it may use the others.
    pub swaps_unknown: bool,
    /// What it may do.
    pub root: Permissions,
    /// What it may do besides: a command that one of them allows is allowed.
    pub selectors: Vec<Permissions>,
}

impl User {
    /// A user that may do everything without a password.
    pub fn unrestricted() -> User {
        User {
            enabled: true,
            no_password: true,
            root: Permissions::all(),
            ..User::default()
        }
    }

    /// The same with a password.
    #[must_use]
    pub fn with_password(mut self, password: &[u8]) -> User {
        self.no_password = false;
        self.passwords.push(hash(password));
        self
    }

    /// Whether a password opens its account.
    pub fn accepts(&self, password: &[u8]) -> bool {
        self.enabled && (self.no_password || self.passwords.contains(&hash(password)))
    }

    /// Whether nothing is denied to it.
    pub fn is_unrestricted(&self) -> bool {
        self.root.is_unrestricted()
    }

    /// Opens or closes a command without a rule that shows it.
    pub(crate) fn set_quietly(&mut self, name: &str, open: bool) {
        self.root.set_quietly(name, open);
    }

    /// Its flags, as ACL GETUSER shows them.
    pub fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.enabled { "on" } else { "off" }];
        if self.no_password {
            flags.push("nopass");
        }
        flags.push(if self.skips_sanitizing {
            "skip-sanitize-payload"
        } else {
            "sanitize-payload"
        });
        flags
    }

    /// Its rules as ACL LIST shows them, without its name.
    pub fn describe(&self) -> String {
        let mut text = self.flags().join(" ");
        for password in &self.passwords {
            write!(text, " #{}", hex(password)).ok();
        }
        write!(text, " {}", self.root.describe()).ok();
        for selector in &self.selectors {
            write!(text, " ({})", selector.describe()).ok();
        }
        text
    }
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}
