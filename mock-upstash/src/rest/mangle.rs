//! Answers that a fault mangles: cut in half, or sent drop by drop.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::response::{self, HungUp};

/// What happens to an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    /// Its first half is sent, then the connection ends.
    Half,
    /// It is sent in small pieces with pauses.
    Drip {
        /// Bytes in a piece.
        bytes: usize,
        /// Time between pieces.
        interval: Duration,
    },
}

/// A body that is mangled on its way. Its announced length is that of the whole.
pub(crate) struct Mangled {
    rest: Bytes,
    announced: u64,
    how: How,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Mangled {
    pub(crate) fn new(whole: Full<Bytes>, how: How) -> Self {
        let rest = response::whole(whole);
        Mangled {
            announced: rest.len() as u64,
            rest,
            how,
            pause: None,
        }
    }
}

impl Body for Mangled {
    type Data = Bytes;
    type Error = HungUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HungUp>>> {
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pause = None;
        }
        match self.how {
            How::Half if self.rest.len() as u64 == self.announced && !self.rest.is_empty() => {
                let half = self.rest.len() / 2;
                let piece = self.rest.split_to(half.max(1));
                // Let the first half go out before the connection ends.
                self.pause = Some(Box::pin(tokio::time::sleep(Duration::from_millis(5))));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            How::Half => Poll::Ready(Some(Err(HungUp))),
            How::Drip { .. } if self.rest.is_empty() => Poll::Ready(None),
            How::Drip { bytes, interval } => {
                let length = bytes.max(1).min(self.rest.len());
                let piece = self.rest.split_to(length);
                self.pause = Some(Box::pin(tokio::time::sleep(interval)));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
