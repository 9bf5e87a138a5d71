//! What may be done: commands, keys and channels.

use std::collections::HashSet;

use bytes::Bytes;

use super::{Refusal, access_to_key};
use crate::command::{self, Categories, Command};
use crate::glob;

/// A key pattern with what it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyPattern {
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) pattern: Bytes,
}

impl KeyPattern {
    fn describe(&self) -> String {
        let pattern = String::from_utf8_lossy(&self.pattern);
        match (self.read, self.write) {
            (true, true) => format!("~{pattern}"),
            (true, false) => format!("%R~{pattern}"),
            (false, _) => format!("%W~{pattern}"),
        }
    }
}

/// Commands, keys and channels that are open. Begins with none.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// Every command, those to come as well.
    pub(super) all_commands: bool,
    /// Names of rows, subcommands' too.
    pub(super) commands: HashSet<&'static str>,
    /// Names of rows that are open with one first argument alone, `select|0`.
    pub(super) first_args: Vec<(&'static str, String)>,
    /// The rules behind `all_commands` and `commands`, the first left out.
    pub(super) rules: Vec<String>,
    pub(super) all_keys: bool,
    pub(super) keys: Vec<KeyPattern>,
    pub(super) all_channels: bool,
    pub(super) channels: Vec<Bytes>,
}

impl Permissions {
    /// Everything.
    pub fn all() -> Permissions {
        let mut all = Permissions {
            all_keys: true,
            all_channels: true,
            ..Permissions::default()
        };
        all.set_all_commands(true);
        all
    }

    /// Whether nothing is denied.
    pub fn is_unrestricted(&self) -> bool {
        self.all_commands && self.rules.is_empty() && self.all_keys && self.all_channels
    }

    /// Opens or closes every command.
    pub(super) fn set_all_commands(&mut self, open: bool) {
        self.all_commands = open;
        self.rules.clear();
        self.commands.clear();
        self.first_args.clear();
        if open {
            self.commands.extend(every_row().map(|row| row.name));
        }
    }

    /// Opens or closes one row, with its subcommands.
    pub(super) fn set_command(&mut self, row: &'static Command, open: bool) {
        for row in std::iter::once(row).chain(row.subcommands) {
            self.set_row(row, open);
        }
        self.add_command_rule(&row.full_name(), open);
    }

    /// Opens a row for calls with one first argument, as `+select|0` does.
    pub(super) fn open_first_arg(&mut self, row: &'static Command, arg: &str) {
        self.first_args.push((row.name, arg.to_owned()));
        self.add_command_rule(&format!("{}|{arg}", row.full_name()), true);
    }

    /// Opens or closes a command that a rule on a category includes in a dialect.
    pub(super) fn set_quietly(&mut self, name: &str, open: bool) {
        for row in every_row().filter(|row| row.name == name) {
            self.set_row(row, open);
        }
    }

    fn set_row(&mut self, row: &'static Command, open: bool) {
        self.first_args.retain(|(name, _)| *name != row.name);
        if open {
            self.commands.insert(row.name);
        } else {
            self.commands.remove(row.name);
        }
    }

    fn add_command_rule(&mut self, name: &str, open: bool) {
        // A rule for a container makes those for its subcommands moot.
        let below = format!("{name}|");
        self.rules
            .retain(|rule| rule[1..] != *name && !rule[1..].starts_with(&below));
        self.add_rule(open, name);
    }

    /// Opens or closes a category.
    pub(super) fn set_category(&mut self, categories: Categories, name: &str, open: bool) {
        for row in every_row().filter(|row| row.all_categories().intersects(categories)) {
            self.set_row(row, open);
        }
        let name = format!("@{name}");
        self.rules.retain(|rule| rule[1..] != name);
        self.add_rule(open, &name);
    }

    fn add_rule(&mut self, open: bool, name: &str) {
        self.rules
            .push(format!("{}{name}", if open { '+' } else { '-' }));
    }

    /// Checks a command with its keys and channels.
    pub(super) fn check(&self, command: &Command, args: &[Bytes]) -> Result<(), Refusal> {
        if !self.commands.contains(command.name) && !self.opens_first_arg(command, args) {
            return Err(Refusal::Command);
        }
        if !self.all_keys {
            for (place, at) in command.key_positions(args).into_iter().enumerate() {
                let Some(key) = args.get(at) else { continue };
                let access = access_to_key(command, args, place);
                let open = self.keys.iter().any(|rule| {
                    (rule.read || !access.read)
                        && (rule.write || !access.write)
                        && (rule.pattern == "*" || glob::matches(&rule.pattern, key))
                });
                if !open {
                    return Err(Refusal::Key(key.clone()));
                }
            }
        }
        if !self.all_channels {
            for (channel, pattern) in channels(command, args) {
                if !self.opens_channel(channel, pattern) {
                    return Err(Refusal::Channel(channel.clone()));
                }
            }
        }
        Ok(())
    }

    fn opens_first_arg(&self, command: &Command, args: &[Bytes]) -> bool {
        let opens = |(name, first): &(&str, String)| {
            let arg = args.get(1);
            *name == command.name
                && arg.is_some_and(|arg| arg.eq_ignore_ascii_case(first.as_bytes()))
        };
        self.first_args.iter().any(opens)
    }

    /// A pattern can be subscribed to only when it is itself among the rules: what it matches cannot
    /// be foretold.
    fn opens_channel(&self, channel: &Bytes, pattern: bool) -> bool {
        self.channels.iter().any(|rule| {
            if pattern {
                rule == channel
            } else {
                glob::matches(rule, channel)
            }
        })
    }

    /// Command rules as text, `-@all +get`.
    pub fn command_rules(&self) -> String {
        let mut text = if self.all_commands { "+@all" } else { "-@all" }.to_owned();
        for rule in &self.rules {
            text.push(' ');
            text.push_str(rule);
        }
        text
    }

    /// Key rules as text, `~a:* %R~b:*`.
    pub fn key_rules(&self) -> String {
        if self.all_keys {
            return "~*".to_owned();
        }
        self.keys
            .iter()
            .map(KeyPattern::describe)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Channel rules as text, `&chat:*`.
    pub fn channel_rules(&self) -> String {
        if self.all_channels {
            return "&*".to_owned();
        }
        let rules: Vec<String> = self
            .channels
            .iter()
            .map(|rule| format!("&{}", String::from_utf8_lossy(rule)))
            .collect();
        rules.join(" ")
    }

    /// All rules as ACL LIST shows them.
    pub(super) fn describe(&self) -> String {
        let mut parts = Vec::new();
        if self.all_keys || !self.keys.is_empty() {
            parts.push(self.key_rules());
        }
        if self.all_channels {
            parts.push("&*".to_owned());
        } else {
            parts.push("resetchannels".to_owned());
            if !self.channels.is_empty() {
                parts.push(self.channel_rules());
            }
        }
        parts.push(self.command_rules());
        parts.join(" ")
    }
}

/// Channels among a command's arguments, each with whether it is a pattern.
fn channels<'a>(command: &Command, args: &'a [Bytes]) -> Vec<(&'a Bytes, bool)> {
    let rest = args.get(1..).unwrap_or_default();
    match command.name {
        "PUBLISH" => rest
            .iter()
            .take(1)
            .map(|channel| (channel, false))
            .collect(),
        "SUBSCRIBE" => rest.iter().map(|channel| (channel, false)).collect(),
        "PSUBSCRIBE" => rest.iter().map(|channel| (channel, true)).collect(),
        _ => Vec::new(),
    }
}

fn every_row() -> impl Iterator<Item = &'static Command> {
    command::all().flat_map(|row| std::iter::once(row).chain(row.subcommands))
}

/// The row that an ACL rule names: `get`, `config|get`.
pub fn row(name: &str) -> Option<&'static Command> {
    match name.split_once('|') {
        None => command::find(name.as_bytes()),
        Some((container, subcommand)) => {
            command::find(container.as_bytes())?.subcommand(subcommand.as_bytes())
        }
    }
}

/// The category with a name, in lower case and without its `@`.
pub fn category(name: &str) -> Option<Categories> {
    Categories::all()
        .iter_names()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, category)| category)
}
