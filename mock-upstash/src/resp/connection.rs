//! One TCP connection: reads commands, writes replies in order, waits while a command blocks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use redis_engine::{ClientId, Clock, Connect, Engine, Reply, ReplyError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::decode::Decoder;
use super::encode::encode;
use crate::fault::Effect;
use crate::journal::RequestKind;
use crate::outbox::{self, Pending};
use crate::pace::SLOWED_US;
use crate::shared::Shared;
use crate::transport::send;

/// Bytes that are read of what a client sends while its command blocks.
const MAX_AHEAD: usize = 1024 * 1024;

/// Serves a connection until it ends.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
    shared: Arc<Shared>,
) {
    let (outbox, pushes) = outbox::queue(shared.bounds.max_pending);
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
        decoder: Decoder::default(),
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
    pushes: Pending,
    decoder: Decoder,
    input: BytesMut,
    output: Vec<u8>,
}

/// What a connection does next.
enum Next {
    /// Reads more commands.
    Read,
    /// Waits for the command that blocks, until the time given in milliseconds since the Unix epoch.
    Wait(Option<u64>),
    /// Does to a command what a fault says.
    Struck(Effect, Vec<Bytes>),
    /// Carries out a command that came too fast, at an instant in microseconds since the Unix epoch.
    Paced(u64, Vec<Bytes>),
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
                Next::Struck(effect, command) => {
                    let shared = self.shared.clone();
                    self.note(&mut shared.engine.lock(), &command);
                    if !self.struck(effect, &command).await? {
                        return Ok(());
                    }
                }
                Next::Paced(due_us, command) => {
                    let shared = self.shared.clone();
                    shared.sleep_until(due_us).await;
                    if self.execute_noted(&mut shared.engine.lock(), &command) {
                        return self.flush().await;
                    }
                }
                Next::Wait(deadline_ms) => {
                    if !self.wait(deadline_ms).await? {
                        return Ok(());
                    }
                }
                Next::Read => {
                    let shared = self.shared.clone();
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
                        () = shared.idle() => return Ok(()),
                    }
                }
            }
        }
    }

    /// Carries out the commands that have arrived, until there are no more or one blocks.
    fn execute(&mut self) -> Next {
        let shared = self.shared.clone();
        let mut engine = shared.engine.lock();
        let mut command = Vec::new();
        loop {
            let session = engine.session_mut(self.client);
            // Its user is no more.
            if session.closing {
                return Next::Close;
            }
            if let Some(blocked) = &session.blocked {
                return Next::Wait(blocked.deadline_ms);
            }
            let trusted = session.user.is_some();
            match self.decoder.decode(&mut self.input, trusted, &mut command) {
                Ok(false) if self.input.len() > shared.bounds.max_body => {
                    let error = ReplyError::fixed("ERR Protocol error: too big command");
                    self.write_as(&Reply::Error(error), session.protocol);
                    return Next::Close;
                }
                Ok(false) => return Next::Read,
                Ok(true) => {}
                Err(error) => {
                    self.write_as(&Reply::Error(ReplyError::new(error.0)), session.protocol);
                    return Next::Close;
                }
            };
            if shared.faults.any()
                && let Some(user) = engine.session_mut(self.client).user.clone()
                && let Some(effect) = shared.faults.strike(&user, &command)
            {
                return Next::Struck(effect, command);
            }
            if shared.pace.is_on()
                && let Some(due_us) = shared
                    .pace
                    .due_us(&mut engine, std::iter::once(&command[..]))
            {
                return Next::Paced(due_us, command);
            }
            if self.execute_noted(&mut engine, &command) {
                return Next::Close;
            }
        }
    }

    /// Notes a command in the journal.
    fn note(&self, engine: &mut Engine, command: &[Bytes]) {
        static NOBODY: Bytes = Bytes::new();
        let journal = &self.shared.journal;
        if journal.is_on() && !command.is_empty() {
            let user = engine.session_mut(self.client).user.as_ref();
            let commands = std::iter::once(command);
            journal.note(RequestKind::Redis, user.unwrap_or(&NOBODY), commands, None);
        }
    }

    /// As [`Connection::execute_one`], and notes the command in the journal.
    fn execute_noted(&mut self, engine: &mut Engine, command: &[Bytes]) -> bool {
        let closing = self.execute_one(engine, command);
        self.note(engine, command);
        closing
    }

    /// Carries out one command and writes what it answers; says whether the connection ends.
    fn execute_one(&mut self, engine: &mut Engine, command: &[Bytes]) -> bool {
        let reply = engine.execute(self.client, command);
        let session = engine.session_mut(self.client);
        let (protocol, closing) = (session.protocol, session.closing);
        // What the command published to its own client comes behind its reply, as in Redis.
        let mut published = Vec::new();
        while let Some(push) = self.pushes.try_recv() {
            if matches!(push, Reply::Push(_)) && reply != Reply::None {
                published.push(push);
            } else {
                self.write_as(&push, protocol);
            }
        }
        self.write_as(&reply, protocol);
        for push in published {
            self.write_as(&push, protocol);
        }
        closing
    }

    /// Does to a command what a fault says; answers whether the connection goes on.
    async fn struck(&mut self, effect: Effect, command: &[Bytes]) -> std::io::Result<bool> {
        let shared = self.shared.clone();
        match effect {
            Effect::Delay { ms, .. } => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                let mut engine = shared.engine.lock();
                return Ok(!self.execute_one(&mut engine, command));
            }
            Effect::Limit(limit) => {
                let error = limit.error(&shared.engine.lock().limits);
                if let Some(error) = error {
                    self.write(&Reply::Error(error));
                    return Ok(true);
                }
                shared.sleep_until(shared.clock.now_us() + SLOWED_US).await;
                return Ok(!self.execute_one(&mut shared.engine.lock(), command));
            }
            Effect::Error(message) => self.write(&Reply::Error(ReplyError::new(message))),
            // There are no statuses here; the connection ends, as it does when a gateway is down.
            Effect::Status { .. } | Effect::ResetBefore => return Ok(false),
            Effect::ResetAfter => {
                self.execute_one(&mut shared.engine.lock(), command);
                self.output.clear();
                return Ok(false);
            }
            Effect::HalfAnswer => {
                self.execute_one(&mut shared.engine.lock(), command);
                self.output.truncate(self.output.len() / 2);
                self.flush().await?;
                return Ok(false);
            }
            Effect::Drip { bytes, interval_ms } => {
                self.execute_one(&mut shared.engine.lock(), command);
                for piece in std::mem::take(&mut self.output).chunks(bytes.max(1)) {
                    send(&mut self.stream, piece).await?;
                    tokio::time::sleep(Duration::from_millis(interval_ms)).await;
                }
            }
            Effect::BlackHole => {
                // The client may hang up; what else it sends is not heard.
                while self.stream.read_buf(&mut self.input).await? > 0 {
                    self.input.clear();
                }
                return Ok(false);
            }
        }
        Ok(true)
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
                // What it sends meanwhile waits its turn, and may not pile up.
                read = self.stream.read_buf(&mut self.input), if self.input.len() < MAX_AHEAD => {
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
            let too_slow = self.pushes.too_slow();
            tokio::select! {
                sent = send(&mut self.stream, &self.output) => sent?,
                () = too_slow.notified() => return Err(std::io::ErrorKind::TimedOut.into()),
            }
            self.output.clear();
            // One large reply should not hold its memory for ever.
            self.output.shrink_to(64 * 1024);
        }
        Ok(())
    }
}
