//! Taking back what a command or a script wrote.

use crate::engine::Engine;
use crate::session::ClientId;

/// What has to be known to take back writes.
pub(crate) struct Rollback {
    /// Clients whose watches were broken before.
    broken: Vec<ClientId>,
}

impl Rollback {
    /// Notes from now on what keys held before they change.
    pub(crate) fn begin(engine: &mut Engine) -> Rollback {
        for database in &mut engine.databases {
            database.begin_journal();
        }
        Rollback {
            broken: engine.clients_with_broken_watches(),
        }
    }

    /// Keeps the writes, or takes them back; then nothing changed for those who watch.
    pub(crate) fn end(self, engine: &mut Engine, keep: bool) {
        for database in &mut engine.databases {
            database.end_journal(keep);
        }
        if !keep {
            engine.mend_watches_except(&self.broken);
        }
    }
}
