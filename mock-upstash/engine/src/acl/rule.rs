//! The rules of ACL SETUSER: `on`, `>password`, `~keys:*`, `+get`, `-@dangerous`.

use bytes::Bytes;

use super::permission::{KeyPattern, Permissions, category, row};
use super::user::{PasswordHash, User, hash};

/// Why a rule is refused, in Redis's words.
pub(super) type Why = &'static str;

const UNKNOWN: Why = "Unknown command or category name in ACL";
const FIRST_ARG: Why = "Allowing first-arg of a subcommand is not supported";
const SYNTAX: Why = "Syntax error";
const AFTER_ALL_KEYS: Why = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns";
const AFTER_ALL_CHANNELS: Why = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels";
const BAD_HASH: Why = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";
const NO_SUCH_PASSWORD: Why = "The password you are trying to remove from the user does not exist";

impl User {
    /// Applies one rule.
    ///
    /// # Errors
    /// With the reason, in Redis's words, when it is none.
    pub fn apply(&mut self, rule: &[u8]) -> Result<(), &'static str> {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => {}
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => {
                self.no_password = true;
                self.passwords.clear();
            }
            b"resetpass" => {
                self.no_password = false;
                self.passwords.clear();
            }
            b"sanitize-payload" => self.skips_sanitizing = false,
            b"skip-sanitize-payload" => self.skips_sanitizing = true,
            b"clearselectors" => self.selectors.clear(),
            b"reset" => *self = User::default(),
            _ => match rule {
                [b'>', password @ ..] => self.add_password(hash(password)),
                [b'<', password @ ..] => self.remove_password(&hash(password))?,
                [b'#', digest @ ..] => self.add_password(parse_hash(digest)?),
                [b'!', digest @ ..] => self.remove_password(&parse_hash(digest)?)?,
                [b'(', inner @ .., b')'] => {
                    let mut selector = Permissions::default();
                    for rule in inner
                        .split(u8::is_ascii_whitespace)
                        .filter(|rule| !rule.is_empty())
                    {
                        selector.apply(rule)?;
                    }
                    self.selectors.push(selector);
                }
                _ => self.root.apply(rule)?,
            },
        }
        Ok(())
    }

    fn add_password(&mut self, password: PasswordHash) {
        if !self.passwords.contains(&password) {
            self.passwords.push(password);
        }
        self.no_password = false;
    }

    fn remove_password(&mut self, password: &PasswordHash) -> Result<(), Why> {
        let at = self
            .passwords
            .iter()
            .position(|known| known == password)
            .ok_or(NO_SUCH_PASSWORD)?;
        self.passwords.remove(at);
        Ok(())
    }
}

fn parse_hash(digits: &[u8]) -> Result<PasswordHash, Why> {
    let valid = digits.len() == 64
        && digits
            .iter()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if !valid {
        return Err(BAD_HASH);
    }
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    let mut hash = PasswordHash::default();
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0]) * 16 + value(pair[1]);
    }
    Ok(hash)
}

/// A pattern with a space could not be told from two rules.
fn check_pattern(pattern: &[u8]) -> Result<(), Why> {
    let is_space = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    if pattern.iter().any(is_space) {
        return Err(SYNTAX);
    }
    Ok(())
}

impl Permissions {
    /// Applies one rule on commands, keys or channels.
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), Why> {
        match rule.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => {
                self.all_keys = true;
                self.keys.clear();
            }
            b"resetkeys" => {
                self.all_keys = false;
                self.keys.clear();
            }
            b"allchannels" | b"&*" => {
                self.all_channels = true;
                self.channels.clear();
            }
            b"resetchannels" => {
                self.all_channels = false;
                self.channels.clear();
            }
            b"allcommands" | b"+@all" => self.set_all_commands(true),
            b"nocommands" | b"-@all" => self.set_all_commands(false),
            _ => match rule {
                [b'~', pattern @ ..] => self.add_key_pattern(true, true, pattern)?,
                [b'%', rest @ ..] => self.apply_key_access(rest)?,
                [b'&', pattern @ ..] => self.add_channel(pattern)?,
                [sign @ (b'+' | b'-'), name @ ..] => self.apply_command(*sign == b'+', name)?,
                _ => return Err(SYNTAX),
            },
        }
        Ok(())
    }

    /// `R~pattern`, `W~pattern`, `RW~pattern`, behind the `%`.
    fn apply_key_access(&mut self, rest: &[u8]) -> Result<(), Why> {
        if self.all_keys {
            return Err(AFTER_ALL_KEYS);
        }
        let tilde = rest.iter().position(|&byte| byte == b'~').ok_or(SYNTAX)?;
        let access = rest[..tilde].to_ascii_uppercase();
        if access.is_empty() || !access.iter().all(|letter| matches!(letter, b'R' | b'W')) {
            return Err(SYNTAX);
        }
        self.add_key_pattern(
            access.contains(&b'R'),
            access.contains(&b'W'),
            &rest[tilde + 1..],
        )
    }

    fn add_key_pattern(&mut self, read: bool, write: bool, pattern: &[u8]) -> Result<(), Why> {
        if self.all_keys {
            return Err(AFTER_ALL_KEYS);
        }
        check_pattern(pattern)?;
        if let Some(known) = self.keys.iter_mut().find(|known| known.pattern == pattern) {
            known.read |= read;
            known.write |= write;
        } else {
            self.keys.push(KeyPattern {
                read,
                write,
                pattern: Bytes::copy_from_slice(pattern),
            });
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), Why> {
        if self.all_channels {
            return Err(AFTER_ALL_CHANNELS);
        }
        check_pattern(pattern)?;
        if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(Bytes::copy_from_slice(pattern));
        }
        Ok(())
    }

    fn apply_command(&mut self, open: bool, name: &[u8]) -> Result<(), Why> {
        let name = std::str::from_utf8(name)
            .map_err(|_| UNKNOWN)?
            .to_ascii_lowercase();
        if let Some(category_name) = name.strip_prefix('@') {
            let categories = category(category_name).ok_or(UNKNOWN)?;
            self.set_category(categories, category_name, open);
            return Ok(());
        }
        if open && let Some((command, word)) = name.rsplit_once('|') {
            let command = row(command).ok_or(UNKNOWN)?;
            match () {
                () if command.name.contains(' ') => return Err(FIRST_ARG),
                () if word.is_empty() => return Err(SYNTAX),
                () if command.subcommands.is_empty() => {
                    self.open_first_arg(command, word);
                    return Ok(());
                }
                () => {}
            }
        }
        self.set_command(row(&name).ok_or(UNKNOWN)?, open);
        Ok(())
    }
}
