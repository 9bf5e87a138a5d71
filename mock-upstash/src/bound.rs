//! What bounds the memory and the connections that clients may hold on to, whatever they send.

use std::time::Duration;

use redis_engine::Reply;

use crate::server::Builder;

/// How much, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// How long the header of a request may take to arrive, and a connection may wait for it.
    pub(crate) header_timeout: Duration,
    /// How long a body may take to arrive.
    pub(crate) body_timeout: Duration,
    /// Largest body, and largest command over TCP, in bytes. Upstash limits commands, not bodies.
    pub(crate) max_body: usize,
    /// Bytes of replies that may wait for a subscriber, who is let go when there are more.
    pub(crate) max_pending: usize,
    /// How long a connection over TCP may be idle, in the mock's time; `None` for as long as it likes.
    pub(crate) idle_timeout: Option<Duration>,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            max_body: 512 * 1024 * 1024,
            // As Redis bounds the output buffers of subscribers.
            max_pending: 32 * 1024 * 1024,
            idle_timeout: None,
        }
    }
}

impl Builder {
    /// How long the header of a request may take to arrive over REST, and an idle connection is kept; by
    /// default a minute.
    #[must_use]
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.bounds.header_timeout = timeout;
        self
    }

    /// How long a connection over TCP may be idle before it is closed, in the mock's time, so that
    /// [`crate::MockUpstash::advance`] brings it about. Upstash closes idle connections (Developer API, 6
    /// hours as a sample value; users saw 1 and 24 hours); by default the mock does not.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.bounds.idle_timeout = timeout;
        self
    }

    /// How long the body of a request may take to arrive over REST; by default a minute.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.bounds.body_timeout = timeout;
        self
    }

    /// Largest body over REST, and largest command over TCP, in bytes; by default 512 MB. It bounds the
    /// mock's memory; what a plan allows of a single command is [`crate::Limit::MaxRequestSize`].
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.bounds.max_body = bytes;
        self
    }

    /// Bytes of messages that may wait for a subscriber who does not read them; by default 32 MB, as in
    /// Redis. One for whom more would wait is let go.
    #[must_use]
    pub fn subscriber_buffer(mut self, bytes: usize) -> Self {
        self.bounds.max_pending = bytes;
        self
    }
}

/// Bytes that a reply takes while it waits, about.
pub(crate) fn weight(reply: &Reply) -> usize {
    /// What a reply takes beside its text.
    const PER_REPLY: usize = 64;
    let all = |parts: &[Reply]| parts.iter().map(weight).sum::<usize>();
    PER_REPLY
        + match reply {
            Reply::Status(text) | Reply::Bulk(text) | Reply::Verbatim(_, text) => text.len(),
            Reply::Array(parts) | Reply::Set(parts) | Reply::Push(parts) => all(parts),
            Reply::Map(pairs) => pairs
                .iter()
                .map(|(key, value)| weight(key) + weight(value))
                .sum(),
            Reply::Error(error) => error.as_bytes().len(),
            _ => 0,
        }
}
