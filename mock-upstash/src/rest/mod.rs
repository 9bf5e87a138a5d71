//! The REST front: HTTP requests to engine commands, replies to JSON.

mod argument;
mod control;
mod encode;
mod handler;
mod mangle;
mod path;
mod response;
mod stream;
mod work;

use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::listener::Listener;
use crate::shared::Shared;

/// How long connections may take to end when the mock stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Connections taken unless told otherwise; Upstash says nothing of a limit over REST.
const MAX_CONNECTIONS: usize = 10_000;

/// Protocols offered over TLS, the preferred first.
pub(crate) const PROTOCOLS: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Accepts connections, HTTP/1.1 and HTTP/2 with prior knowledge alike, until told to stop.
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
            // The sender is dropped to stop; nothing is ever sent.
            _ = stopped.changed() => break,
        };
        let Some((stream, _)) = accepted else {
            continue;
        };
        if connections.len() >= shared.max_connections.unwrap_or(MAX_CONNECTIONS) {
            continue;
        }
        let shared = shared.clone();
        let stopped = stopped.clone();
        connections.spawn(async move {
            match stream.secure().await {
                Ok(stream) => converse(stream, shared, stopped).await,
                Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
            }
        });
    }
    drop(listener);
    let farewell = async { while connections.join_next().await.is_some() {} };
    tokio::time::timeout(FAREWELL, farewell).await.ok();
    connections.shutdown().await;
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    let service = {
        let stopped = stopped.clone();
        service_fn(move |request| handler::handle(shared.clone(), request, stopped.clone()))
    };
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a REST connection ended early");
    }
}
