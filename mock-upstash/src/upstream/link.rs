//! One connection to the Redis behind the mock: sends commands, reads replies.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use redis_engine::{Reply, ReplyError};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Location;
use crate::transport::Stream;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Deepest nesting of a reply.
const MAX_DEPTH: usize = 64;

/// A connection, authenticated and in its database.
pub(super) struct Link {
    stream: BufReader<Stream>,
    output: Vec<u8>,
}

impl Link {
    /// Connects to a node, with the credentials and the database of `location`.
    pub(super) async fn open(location: &Location, node: &str) -> std::io::Result<Link> {
        let connecting = async {
            let stream = TcpStream::connect(node).await?;
            stream.set_nodelay(true)?;
            let stream = match &location.tls {
                None => Stream::Plain(stream),
                Some(config) => {
                    let host = node.rsplit_once(':').map_or(node, |(host, _)| host);
                    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                        .map_err(std::io::Error::other)?;
                    let tls = TlsConnector::from(Arc::clone(config));
                    Stream::Tls(Box::new(tls.connect(name, stream).await?.into()))
                }
            };
            let mut link = Link {
                stream: BufReader::with_capacity(16 * 1024, stream),
                output: Vec::new(),
            };
            link.greet(location).await?;
            Ok(link)
        };
        tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    async fn greet(&mut self, location: &Location) -> std::io::Result<()> {
        let mut greetings: Vec<Vec<Bytes>> = Vec::new();
        if let Some(password) = &location.password {
            let mut auth = vec![Bytes::from_static(b"AUTH")];
            auth.extend(location.user.iter().chain([password]).cloned());
            greetings.push(auth);
        }
        if location.db != "0" {
            greetings.push(vec![Bytes::from_static(b"SELECT"), location.db.clone()]);
        }
        for greeting in &greetings {
            if let Reply::Error(error) = self.ask(greeting).await? {
                return Err(std::io::Error::other(error.to_string()));
            }
        }
        Ok(())
    }

    /// Whether the connection, unused for a while, is still there.
    pub(super) fn is_alive(&self) -> bool {
        let mut byte = [0];
        let read = self.stream.get_ref().tcp().try_read(&mut byte);
        // Nobody has asked for anything, so all there can be to read is the end.
        matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Sends one command and reads its reply.
    pub(super) async fn ask(&mut self, command: &[Bytes]) -> std::io::Result<Reply> {
        self.send([command]).await?;
        self.reply().await
    }

    /// Sends commands without waiting for replies.
    pub(super) async fn send<'c>(
        &mut self,
        commands: impl IntoIterator<Item = &'c [Bytes]>,
    ) -> std::io::Result<()> {
        self.output.clear();
        for command in commands {
            self.output
                .extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
            for arg in command {
                self.output
                    .extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
                self.output.extend_from_slice(arg);
                self.output.extend_from_slice(b"\r\n");
            }
        }
        self.stream.write_all(&self.output).await?;
        self.stream.flush().await?;
        self.output.shrink_to(64 * 1024);
        Ok(())
    }

    /// Reads the next reply.
    pub(super) async fn reply(&mut self) -> std::io::Result<Reply> {
        self.nested_reply(0).await
    }

    fn nested_reply(&mut self, depth: usize) -> BoxFuture<'_, std::io::Result<Reply>> {
        Box::pin(async move {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line).await?;
            let Some((&mark, text)) = line.split_first() else {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            };
            let text = text
                .strip_suffix(b"\r\n")
                .ok_or_else(|| broken("no line end"))?;
            let number = || {
                redis_engine::number::integer(text).ok_or_else(|| broken("a length is no number"))
            };
            Ok(match mark {
                b'+' => Reply::Status(Bytes::copy_from_slice(text)),
                b'-' => Reply::Error(ReplyError::new(text)),
                b':' => Reply::Integer(number()?),
                b'$' => match usize::try_from(number()?) {
                    Err(_) => Reply::Nil,
                    Ok(length) => Reply::Bulk(self.bulk(length).await?),
                },
                b'*' => match usize::try_from(number()?) {
                    Err(_) => Reply::NilArray,
                    Ok(_) if depth == MAX_DEPTH => return Err(broken("nested too deep")),
                    Ok(count) => {
                        let mut items = Vec::with_capacity(count.min(1024));
                        for _ in 0..count {
                            items.push(self.nested_reply(depth + 1).await?);
                        }
                        Reply::Array(items)
                    }
                },
                _ => return Err(broken("unknown type")),
            })
        })
    }

    async fn bulk(&mut self, length: usize) -> std::io::Result<Bytes> {
        let whole = length as u64 + 2;
        // What is announced is taken only as it arrives.
        let mut bytes = Vec::with_capacity(length.min(64 * 1024) + 2);
        (&mut self.stream)
            .take(whole)
            .read_to_end(&mut bytes)
            .await?;
        if bytes.len() as u64 != whole {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.truncate(length);
        Ok(bytes.into())
    }
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        format!("not a Redis reply: {what}"),
    )
}
