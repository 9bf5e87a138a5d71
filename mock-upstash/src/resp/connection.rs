//! One TCP connection: reads commands, writes replies in order, waits while a command blocks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use redis_engine::{ClientId, Clock, Connect, Reply, ReplyError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::decode::decode;
use super::encode::encode;
use crate::outbox;
use crate::shared::Shared;

/// Serves a connection until it ends.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
    shared: Arc<Shared>,
) {
    let (outbox, pushes) = outbox::queue();
    let client = shared.engine.lock().connect(Connect {
        address: address.to_string(),
        user: None,
        rest: false,
        outbox: Box::new(outbox),
    });
    let mut connection = Connection {
        stream,
        shared,
        client,
        pushes,
        input: BytesMut::with_capacity(16 * 1024),
        output: Vec::with_capacity(16 * 1024),
    };
    if let Err(error) = connection.run().await {
        tracing::debug!(%error, %address, "a Redis connection ended early");
    }
    connection.shared.engine.lock().disconnect(client);
}

struct Connection<S> {
    stream: S,
    shared: Arc<Shared>,
    client: ClientId,
    pushes: mpsc::Receiver<Reply>,
    input: BytesMut,
    output: Vec<u8>,
}

/// What a connection does next.
#[derive(PartialEq, Eq)]
enum Next {
    /// Reads more commands.
    Read,
    /// Waits for the command that blocks, until the time given in milliseconds since the Unix epoch.
    Wait(Option<u64>),
    /// Ends.
    Close,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self) -> std::io::Result<()> {
        loop {
            let next = self.execute();
            self.flush().await?;
            match next {
                Next::Close => return Ok(()),
                Next::Wait(deadline_ms) => {
                    if !self.wait(deadline_ms).await? {
                        return Ok(());
                    }
                }
                Next::Read => {
                    tokio::select! {
                        read = self.stream.read_buf(&mut self.input) => {
                            if read? == 0 {
                                return Ok(());
                            }
                        }
                        push = self.pushes.recv() => match push {
                            Some(push) => self.write(&push),
                            // Too slow for what was published to it.
                            None => return Ok(()),
                        },
                    }
                }
            }
        }
    }

    /// Carries out the commands that have arrived, until there are no more or one blocks.
    fn execute(&mut self) -> Next {
        let shared = self.shared.clone();
        let mut engine = shared.engine.lock();
        loop {
            let session = engine.session_mut(self.client);
            if let Some(blocked) = &session.blocked {
                return Next::Wait(blocked.deadline_ms);
            }
            let trusted = session.user.is_some();
            let command = match decode(&mut self.input, trusted) {
                Ok(None) => return Next::Read,
                Ok(Some(command)) => command,
                Err(error) => {
                    self.write_as(&Reply::Error(ReplyError::new(error.0)), session.protocol);
                    return Next::Close;
                }
            };
            let reply = engine.execute(self.client, &command);
            let session = engine.session_mut(self.client);
            let protocol = session.protocol;
            while let Ok(push) = self.pushes.try_recv() {
                self.write_as(&push, protocol);
            }
            self.write_as(&reply, protocol);
            if session.closing {
                return Next::Close;
            }
        }
    }

    /// Waits for the reply of a command that blocks; answers whether the connection is still there.
    async fn wait(&mut self, deadline_ms: Option<u64>) -> std::io::Result<bool> {
        loop {
            let moved = self.shared.clock_moved.notified();
            let remaining = deadline_ms.map(|deadline| {
                let now_ms = self.shared.clock.now_us() / 1000;
                Duration::from_millis(deadline.saturating_sub(now_ms))
            });
            let frozen = self.shared.clock.is_frozen();
            let time_is_up = async {
                match remaining {
                    Some(remaining) if !frozen => tokio::time::sleep(remaining).await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                reply = self.pushes.recv() => {
                    let Some(reply) = reply else { return Ok(false) };
                    self.write(&reply);
                    return Ok(true);
                }
                () = time_is_up => self.shared.engine.lock().tick(),
                () = moved => {}
                read = self.stream.read_buf(&mut self.input) => {
                    if read? == 0 {
                        return Ok(false);
                    }
                }
            }
        }
    }

    fn write(&mut self, reply: &Reply) {
        let protocol = self.shared.engine.lock().session_mut(self.client).protocol;
        self.write_as(reply, protocol);
    }

    fn write_as(&mut self, reply: &Reply, protocol: redis_engine::Protocol) {
        encode(&mut self.output, reply, protocol);
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.output.clear();
            // One large reply should not hold its memory for ever.
            self.output.shrink_to(64 * 1024);
        }
        Ok(())
    }
}
