//! What MONITOR shows: a line for every command, before it is carried out.

use bytes::Bytes;

use crate::command::{Command, Flags};
use crate::dialect::Quirk;
use crate::engine::Engine;
use crate::reply::Reply;
use crate::session::ClientId;

impl Engine {
    /// Shows a command to every client that monitors.
    pub(crate) fn show_to_monitors(&mut self, client: ClientId, command: &Command, args: &[Bytes]) {
        // What is flagged SKIP_MONITOR, scripts, is left out of Redis's common path alone: it shows them
        // itself, before what they call.
        if self.monitors.is_empty() || command.flags.contains(Flags::ADMIN) {
            return;
        }
        let session = self.session_mut(client);
        // Upstash hides addresses (Upstash docs, features/restapi).
        let (db, address) = (session.db, session.address.clone());
        let address = if self.dialect.has(Quirk::MonitorAddress) {
            "0.0.0.0:0".to_owned()
        } else {
            address
        };
        self.monitor_line(&format!("{db} {address}"), args);
    }

    /// Shows a command that a script runs.
    pub(crate) fn show_script_to_monitors(&mut self, db: usize, args: &[Bytes]) {
        if !self.monitors.is_empty() {
            self.monitor_line(&format!("{db} lua"), args);
        }
    }

    fn monitor_line(&mut self, source: &str, args: &[Bytes]) {
        let now_us = self.clock.now_us();
        let mut line = format!(
            "{}.{:06} [{source}]",
            now_us / 1_000_000,
            now_us % 1_000_000
        );
        for arg in args {
            line.push_str(" \"");
            line.push_str(&quote(arg));
            line.push('"');
        }
        for client in self.monitors.clone() {
            let reply = Reply::Status(Bytes::copy_from_slice(line.as_bytes()));
            self.session_mut(client).outbox.push(reply);
        }
    }
}

/// Escapes an argument as Redis's `sdscatrepr` does.
fn quote(arg: &[u8]) -> String {
    let mut out = String::with_capacity(arg.len());
    for &byte in arg {
        match byte {
            b'\\' | b'"' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            7 => out.push_str("\\a"),
            8 => out.push_str("\\b"),
            b' '..=b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out
}
