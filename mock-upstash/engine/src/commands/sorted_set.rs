//! The sorted_set commands.

use crate::command::Command;

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[];
