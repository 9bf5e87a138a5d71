//! The RESP front: the Redis protocol over TCP.

mod connection;
mod decode;
mod encode;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::runtime;
use tokio::sync::{oneshot, watch};

use crate::listener::Listener;
use crate::shared::Shared;
use crate::transport::Stream;

pub(crate) use encode::encode;

/// What a client is told that comes when there are as many as there may be (Upstash docs,
/// troubleshooting/max_concurrent_connections).
const TOO_MANY: &[u8] = b"-ERR max concurrent connections exceeded\r\n";

/// Serves connections on a thread of its own until told to stop; the receiver learns when it has.
///
/// One thread, as in Redis: commands run one at a time anyway, and when several threads shared the
/// connections, handing the engine from one to the other cost more than half of the throughput.
pub(crate) fn spawn(
    listener: Listener,
    shared: Arc<Shared>,
    stopped: watch::Receiver<()>,
) -> std::io::Result<oneshot::Receiver<()>> {
    let suspended = listener.suspend()?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("resp".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                match Listener::resume(suspended) {
                    Ok(listener) => serve(listener, shared, stopped).await,
                    Err(error) => tracing::error!(%error, "the Redis protocol is not served"),
                }
            });
            end.send(()).ok();
        })?;
    Ok(ended)
}

/// Accepts connections until told to stop.
async fn serve(mut listener: Listener, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopped.changed() => break,
        };
        let Some((stream, address)) = accepted else {
            continue;
        };
        let full = connections.len() >= shared.max_connections;
        let shared = shared.clone();
        connections.spawn(async move {
            let stream = match stream.secure().await {
                Ok(stream) => stream,
                Err(error) => return tracing::debug!(%error, %address, "a TLS handshake failed"),
            };
            if full {
                turn_away(stream).await;
            } else {
                connection::serve(stream, address, shared).await;
            }
        });
    }
    connections.shutdown().await;
}

/// Tells a client that there is no room. What it sends is read to its end for a moment: a connection
/// that closes on unread bytes loses what was written to it.
async fn turn_away(mut stream: Stream) {
    let told = async {
        stream.write_all(TOO_MANY).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    tokio::time::timeout(Duration::from_secs(1), told)
        .await
        .ok();
}
