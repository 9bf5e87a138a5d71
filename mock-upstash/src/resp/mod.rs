//! The RESP front: the Redis protocol over TCP.

mod connection;
mod decode;
mod encode;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::shared::Shared;

pub(crate) use encode::encode;

/// Accepts connections until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
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
        let Ok((stream, address)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        stream.set_nodelay(true).ok();
        connections.spawn(connection::serve(stream, address, shared.clone()));
    }
    connections.shutdown().await;
}
