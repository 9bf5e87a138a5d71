//! The REST front: HTTP requests to engine commands, replies to JSON.

mod argument;
mod control;
mod encode;
mod handler;
mod mangle;
mod path;
mod patient;
mod plain;
mod response;
mod stream;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use handler::Asked;
use patient::Patient;

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
    let (stream, read) = match plain::serve(stream, &shared, &stopped).await {
        Ok(Some(rest)) => rest,
        Ok(None) => return,
        Err(error) => return tracing::debug!(%error, "a REST connection ended early"),
    };
    let header_timeout = shared.bounds.header_timeout;
    let asked = Arc::new(AtomicBool::new(false));
    let service = {
        let (stopped, asked) = (stopped.clone(), asked.clone());
        service_fn(move |request| {
            asked.store(true, Ordering::Relaxed);
            let (shared, stopped) = (shared.clone(), stopped.clone());
            async move { handler::handle(&shared, Asked::of(request, &shared), &stopped).await }
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout);
    // Before the first request it is not known which protocol will be spoken.
    let silent = async {
        tokio::time::sleep(header_timeout).await;
        if asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let connection = builder.serve_connection(TokioIo::new(Patient::new(stream, read)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = silent => return tracing::debug!("a REST connection asked for nothing"),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a REST connection ended early");
    }
}
