//! The REST front: HTTP requests to engine commands, replies to JSON.

mod argument;
mod encode;
mod handler;
mod mangle;
mod path;
mod stream;

use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::shared::Shared;

/// Accepts connections, HTTP/1.1 and HTTP/2 with prior knowledge alike, until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    let builder = auto::Builder::new(TokioExecutor::new());
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The sender is dropped to stop; nothing is ever sent.
            _ = stopped.changed() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, or the client gone already: let others finish first.
            tokio::task::yield_now().await;
            continue;
        };
        stream.set_nodelay(true).ok();
        let shared = shared.clone();
        let stopped = stopped.clone();
        let service =
            service_fn(move |request| handler::handle(shared.clone(), request, stopped.clone()));
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a REST connection ended early");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
