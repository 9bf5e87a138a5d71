//! What is not offered to clients that send their commands over REST.

use bytes::Bytes;

use super::admission::not_available;
use crate::command::{Command, Flags, Rest};
use crate::commands::stream;
use crate::error::ReplyError;

/// What no source tells of commands over REST; each is off in the likelier way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RestChoices {
    /// XREAD and XREADGROUP with BLOCK answer at once, as without it, in place of being refused.
    pub block_passed_over: bool,
    /// What would block is refused as a command that there is not, rather than in the words for what
    /// needs a connection.
    pub blocking_unavailable: bool,
    /// SELECT is refused, as the rest of the commands about connections is.
    pub select_refused: bool,
    /// WAIT and WAITAOF are refused, too.
    pub wait_refused: bool,
}

/// Whether a command may be sent over REST.
pub(super) fn offers(command: &Command, args: &[Bytes], choices: RestChoices) -> bool {
    match command.name {
        "SELECT" => !choices.select_refused,
        "WAIT" | "WAITAOF" => !choices.wait_refused,
        // Forms that block are not supported (Upstash docs, features/restapi).
        "XREAD" | "XREADGROUP" => choices.block_passed_over || !stream::asks_to_block(args),
        _ => command.rest == Rest::Yes,
    }
}

/// Whether none of a container's subcommands is offered over REST.
pub(super) fn only_tcp(container: &Command) -> bool {
    let mut offered = container.subcommands.iter().filter(|row| row.upstash);
    container.upstash && offered.all(|row| row.rest != Rest::Yes)
}

/// Upstash's refusal of what needs a connection. The names it was seen for are those of connections
/// and transactions (probe of a live database, published August 2026); for what blocks, which REST
/// does not offer either, no text is known.
pub(super) fn refusal(command: &Command, choices: RestChoices) -> ReplyError {
    let name = command.name.split(' ').next().unwrap_or_default();
    if command.flags.contains(Flags::BLOCKING) && choices.blocking_unavailable {
        return not_available(name.as_bytes());
    }
    ReplyError::new(format!(
        "ERR Command \"{name}\" is not allowed in REST or it has a special context path"
    ))
}
