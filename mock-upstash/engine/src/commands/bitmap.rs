//! The bitmap commands.

use crate::command::Command;

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[];
