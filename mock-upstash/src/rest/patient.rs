//! A connection whose client may say early that it has nothing more to say.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long an answer may take for a client that has closed its side.
const GRACE: Duration = Duration::from_millis(250);

/// A connection that keeps the end of what it reads to itself until an answer is under way.
///
/// hyper drops a request whose client closes its side, as `nc -N` and scripts do, and it does so before the
/// request is looked at when both arrive together. Allowing half-closed connections in hyper instead would
/// let no stream of events notice that its client is gone.
pub(super) struct Patient<S> {
    stream: S,
    /// What was read of it before.
    read: BytesMut,
    ended: bool,
    /// Whether something was read since something was last written.
    unanswered: bool,
    grace: Option<Pin<Box<Sleep>>>,
    reader: Option<Waker>,
}

impl<S> Patient<S> {
    /// A connection of which some was read before.
    pub(super) fn new(stream: S, read: BytesMut) -> Self {
        Patient {
            stream,
            read,
            ended: false,
            unanswered: false,
            grace: None,
            reader: None,
        }
    }

    /// Notes that something was written.
    fn answered(&mut self, written: &Poll<std::io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.unanswered = false;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.read.is_empty() {
            let bytes = buffer.remaining().min(self.read.len());
            buffer.put_slice(&self.read.split_to(bytes));
            self.unanswered = true;
            return Poll::Ready(Ok(()));
        }
        if !self.ended {
            let before = buffer.filled().len();
            let read = Pin::new(&mut self.stream).poll_read(context, buffer);
            if !matches!(read, Poll::Ready(Ok(()))) {
                return read;
            }
            if buffer.filled().len() > before || buffer.remaining() == 0 {
                self.unanswered |= buffer.filled().len() > before;
                return read;
            }
            self.ended = true;
        }
        if self.unanswered {
            let grace = self
                .grace
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(GRACE)));
            if grace.as_mut().poll(context).is_pending() {
                self.reader = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.answered(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.answered(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
