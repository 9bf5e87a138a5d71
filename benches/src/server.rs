//! Servers that the fronts are compared with.

use std::net::SocketAddr;
use std::process::{Child, Stdio};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;

use crate::process;

/// An axum server that answers every POST to `/` with one constant JSON: what HTTP costs on this
/// machine when nothing is done.
///
/// # Panics
/// When no port is free: a benchmark has no other way to go on.
pub async fn bare_axum() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move { axum::serve(listener, constant()).await });
    address
}

/// The same, for as long as the process lives.
///
/// # Errors
/// When the address is taken.
pub async fn serve_bare_axum(address: SocketAddr) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, constant()).await
}

fn constant() -> Router {
    let answer = || async { ([(CONTENT_TYPE, "application/json")], r#"{"result":"v"}"#) };
    Router::new().route("/", post(move |_body: bytes::Bytes| answer()))
}

/// A redis-server on a free port, ended when dropped.
pub struct RedisServer {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl RedisServer {
    /// Starts the one that the variable `REDIS_SERVER` names, or the one on the PATH; `None` when
    /// there is none.
    pub fn start() -> Option<RedisServer> {
        let program = std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .ok()?
            .local_addr()
            .ok()?
            .port();
        let process = process::server(program, "1")
            .args([
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let server = RedisServer { process, address };
        for _ in 0..200 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Some(server);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        None
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
