//! The commands, a module for each group; each begins with its rows of the command table.

pub(crate) mod argument;
pub mod bitmap;
pub mod connection;
pub mod function;
pub mod generic;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod json;
pub mod list;
pub mod pubsub;
pub(crate) mod scan;
pub mod scripting;
pub mod server;
pub mod set;
pub mod sorted_set;
pub mod stream;
pub mod string;
pub mod transaction;

use crate::call::Call;
use crate::command::Command;
use crate::error::ReplyError;
use crate::reply::Outcome;

/// The rows of every group.
pub const GROUPS: &[&[Command]] = &[
    bitmap::COMMANDS,
    connection::COMMANDS,
    function::COMMANDS,
    generic::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    json::COMMANDS,
    list::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    sorted_set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
];

/// What a container such as XGROUP answers without a subcommand.
///
/// # Errors
/// Always: containers need a subcommand.
pub fn container(call: &mut Call<'_>) -> Outcome {
    Err(ReplyError::arity(&call.command.full_name()))
}
