//! The RESP front: the Redis protocol over TCP.

mod connection;
mod decode;
mod encode;

use std::sync::Arc;
use std::time::Duration;

use redis_engine::{Protocol, Reply};
use tokio::io::AsyncWriteExt;
use tokio::runtime;
use tokio::sync::{oneshot, watch};

use crate::limit::TOO_MANY_CONNECTIONS;
use crate::listener::Listener;
use crate::shared::Shared;
use crate::transport::Stream;

pub(crate) use encode::encode;

/// Connections taken where neither the plan nor the user says.
const MAX_CONNECTIONS: usize = 10_000;

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
        let full = is_full(&shared, connections.len());
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

/// Whether there is no room for one more connection.
fn is_full(shared: &Shared, open: usize) -> bool {
    let (most, beside) = {
        let engine = shared.engine.lock();
        (engine.limits.connections, engine.usage.connections_beside)
    };
    let planned = most.and_then(|most| usize::try_from(most).ok());
    let most = shared
        .max_connections
        .or(planned)
        .unwrap_or(MAX_CONNECTIONS);
    open.saturating_add(usize::try_from(beside).unwrap_or(usize::MAX)) >= most
}

/// Tells a client that there is no room. What it sends is read to its end for a moment: a connection
/// that closes on unread bytes loses what was written to it.
async fn turn_away(mut stream: Stream) {
    let told = async {
        let mut told = Vec::new();
        encode(
            &mut told,
            &Reply::Error(TOO_MANY_CONNECTIONS),
            Protocol::Resp2,
        );
        stream.write_all(&told).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    tokio::time::timeout(Duration::from_secs(1), told)
        .await
        .ok();
}
