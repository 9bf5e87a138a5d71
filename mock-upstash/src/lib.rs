//! A local Upstash: the REST API and the Redis protocol over an embedded engine.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), mock_upstash::StartError> {
//! let mock = mock_upstash::MockUpstash::builder().start().await?;
//! // Point a client at `mock.url()` with `mock.token()`, or at `mock.redis_url()`.
//! mock.advance(std::time::Duration::from_secs(60)); // what expires within a minute has expired
//! # Ok(())
//! # }
//! ```
//!
//! The server stops when it is dropped. Many can run in one process.
//!
//! In reading order: [`MockUpstash`] and its [`Builder`], `shared` (what both fronts work on),
//! `rest` and `resp` (the fronts).

pub mod assumption;
mod clock;
pub mod fault;
pub mod journal;
mod listener;
mod outbox;
mod resp;
mod rest;
mod server;
mod shared;
mod snapshot;
mod tls;
mod transport;
mod upstream;

pub use assumption::Assumption;
pub use fault::{Effect, Fault};
pub use journal::{Request, RequestKind};
pub use redis_engine::dialect::{self, Dialect, Quirk};
pub use server::{Builder, MockUpstash, Snapshot, StartError};
pub use upstream::UpstreamUrlError;
