//! The queue between the engine, which must not wait, and a connection, which may be slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use redis_engine::{Outbox, Reply};
use tokio::sync::{Notify, mpsc};

use crate::bound::weight;

/// Replies that wait to be sent at the most; a client that lets more pile up is disconnected, as
/// Redis does by its output buffer limit.
const CAPACITY: usize = 64 * 1024;

/// The engine's end.
pub(crate) struct QueuedOutbox {
    /// `None` once the client was too slow.
    sender: Option<mpsc::Sender<Reply>>,
    pending: Arc<AtomicUsize>,
    most: usize,
    too_slow: Arc<Notify>,
}

/// The connection's end. It closes when the client is too slow.
pub(crate) struct Pending {
    replies: mpsc::Receiver<Reply>,
    pending: Arc<AtomicUsize>,
    too_slow: Arc<Notify>,
}

/// A queue for so many bytes: the engine's end and the connection's.
pub(crate) fn queue(most: usize) -> (QueuedOutbox, Pending) {
    let (sender, replies) = mpsc::channel(CAPACITY);
    let pending = Arc::<AtomicUsize>::default();
    let too_slow = Arc::<Notify>::default();
    let outbox = QueuedOutbox {
        sender: Some(sender),
        pending: pending.clone(),
        most,
        too_slow: too_slow.clone(),
    };
    let pending = Pending {
        replies,
        pending,
        too_slow,
    };
    (outbox, pending)
}

impl Outbox for QueuedOutbox {
    fn push(&mut self, reply: Reply) {
        let Some(sender) = &self.sender else { return };
        let bytes = weight(&reply);
        let waiting = self.pending.fetch_add(bytes, Ordering::Relaxed);
        // A single reply may be larger: a client that reads is never too slow.
        let too_slow = waiting > 0 && waiting.saturating_add(bytes) > self.most;
        if too_slow || sender.try_send(reply).is_err() {
            self.sender = None;
            // Kept for whoever asks later.
            self.too_slow.notify_one();
        }
    }
}

impl Pending {
    /// What comes from elsewhere, and is bounded there.
    pub(crate) fn of(replies: mpsc::Receiver<Reply>) -> Pending {
        Pending {
            replies,
            pending: Arc::default(),
            too_slow: Arc::default(),
        }
    }

    /// Is notified once when the client was too slow: whoever writes to it need not go on.
    pub(crate) fn too_slow(&self) -> Arc<Notify> {
        self.too_slow.clone()
    }

    /// The next reply; `None` when the client was too slow.
    pub(crate) async fn recv(&mut self) -> Option<Reply> {
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// As [`Pending::recv`].
    pub(crate) fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Reply>> {
        self.replies
            .poll_recv(context)
            .map(|reply| self.took(reply))
    }

    /// A reply that waits already.
    pub(crate) fn try_recv(&mut self) -> Option<Reply> {
        let reply = self.replies.try_recv().ok();
        self.took(reply)
    }

    fn took(&self, reply: Option<Reply>) -> Option<Reply> {
        if let Some(reply) = &reply {
            let bytes = weight(reply);
            let less = |waiting: usize| Some(waiting.saturating_sub(bytes));
            self.pending
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
                .ok();
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_read_is_let_go() {
        let message = || Reply::bulk("x".repeat(100));
        let (mut outbox, mut pending) = queue(500);
        for _ in 0..10 {
            outbox.push(message());
            assert_eq!(pending.try_recv(), Some(message()));
        }
        for _ in 0..10 {
            outbox.push(message());
        }
        // Three times 164 bytes fit; with the fourth it is over.
        for _ in 0..3 {
            assert_eq!(pending.try_recv(), Some(message()));
        }
        assert_eq!(pending.try_recv(), None);
        outbox.push(message());
        assert_eq!(pending.try_recv(), None);
    }

    #[test]
    fn one_large_reply_passes() {
        let (mut outbox, mut pending) = queue(10);
        outbox.push(Reply::bulk("x".repeat(100)));
        assert!(pending.try_recv().is_some());
    }
}
