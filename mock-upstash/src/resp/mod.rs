//! The RESP front: the Redis protocol over TCP.

mod connection;
mod decode;
mod encode;

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::watch;

use crate::listener::Listener;
use crate::shared::Shared;

pub(crate) use encode::encode;

/// What a client is told that comes when there are as many as there may be (Upstash docs,
/// troubleshooting/max_concurrent_connections).
const TOO_MANY: &[u8] = b"-ERR max concurrent connections exceeded\r\n";

/// Accepts connections until told to stop.
pub(crate) async fn serve(
    mut listener: Listener,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
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
            let mut stream = match stream.secure().await {
                Ok(stream) => stream,
                Err(error) => return tracing::debug!(%error, %address, "a TLS handshake failed"),
            };
            if full {
                stream.write_all(TOO_MANY).await.ok();
                stream.shutdown().await.ok();
            } else {
                connection::serve(stream, address, shared).await;
            }
        });
    }
    connections.shutdown().await;
}
