//! The queue between the engine, which must not wait, and a connection, which may be slow.

use redis_engine::{Outbox, Reply};
use tokio::sync::mpsc;

/// Replies that wait to be sent at the most; a client that lets more pile up is disconnected, as
/// Redis does by its output buffer limit.
const CAPACITY: usize = 64 * 1024;

/// The engine's end.
pub(crate) struct QueuedOutbox(Option<mpsc::Sender<Reply>>);

/// A queue: the engine's end and the connection's. The connection's end closes when the client is too
/// slow.
pub(crate) fn queue() -> (QueuedOutbox, mpsc::Receiver<Reply>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (QueuedOutbox(Some(sender)), receiver)
}

impl Outbox for QueuedOutbox {
    fn push(&mut self, reply: Reply) {
        if let Some(sender) = &self.0
            && sender.try_send(reply).is_err()
        {
            self.0 = None;
        }
    }
}
