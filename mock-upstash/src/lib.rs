//! A local Upstash: the REST API and the Redis protocol over an embedded engine.
//!
//! # Getting started
//!
//! Add `mock-upstash` to the `dev-dependencies`, with `tokio` and the client that the application
//! uses. A mock starts in milliseconds, on free ports, and stops when it is dropped, so each test has
//! one of its own:
//!
//! ```
//! use mock_upstash::MockUpstash;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # rustls::crypto::ring::default_provider().install_default().ok();
//! // Given a mock …
//! let mock = MockUpstash::builder().start().await?;
//!
//! // … when the application talks to it …
//! let response = reqwest::Client::new()
//!     .post(mock.url())
//!     .bearer_auth(mock.token())
//!     .body(r#"["SET", "greeting", "hello"]"#)
//!     .send()
//!     .await?;
//!
//! // … then it gets what Upstash would answer.
//! assert_eq!(response.text().await?, r#"{"result":"OK"}"#);
//! # Ok(())
//! # }
//! ```
//!
//! The SDKs take [`MockUpstash::url`] and [`MockUpstash::token`] as they take those of a database.
//! [`MockUpstash::redis_url`] is the same keyspace over the Redis protocol:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = mock_upstash::MockUpstash::builder().start().await?;
//! let url = mock.redis_url().expect("spoken unless told otherwise");
//! let mut redis = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
//! let length: usize = redis::cmd("RPUSH").arg("jobs").arg("a").query_async(&mut redis).await?;
//! assert_eq!(length, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! What expires in a day is tested in a moment. [`MockUpstash::advance`] moves the mock's clock,
//! [`MockUpstash::freeze`] stops it:
//!
//! ```
//! # use std::time::Duration;
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = mock_upstash::MockUpstash::builder().start().await?;
//! # let url = mock.redis_url().expect("spoken unless told otherwise");
//! # let mut redis = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
//! # let set = redis::cmd("SET").arg("session").arg("x").arg("EX").arg(86_400).to_owned();
//! let () = set.query_async(&mut redis).await?;
//! mock.advance(Duration::from_secs(86_401));
//! let left: bool = redis::cmd("EXISTS").arg("session").query_async(&mut redis).await?;
//! assert!(!left);
//! # Ok(())
//! # }
//! ```
//!
//! # What was asked
//!
//! [`MockUpstash::requests`] tells what came, from whom, and how it was answered:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = mock_upstash::MockUpstash::builder().start().await?;
//! # let url = mock.redis_url().expect("spoken unless told otherwise");
//! # let mut redis = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
//! # let () = redis::cmd("SET").arg("k").arg("v").query_async(&mut redis).await?;
//! let writes = mock.requests().into_iter().filter(|request| request.is("SET"));
//! assert_eq!(writes.count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # When things go wrong
//!
//! A [`Fault`] says which commands it strikes and what it does to them: a late answer, an error, a
//! status, a connection that ends before or after the command took effect, half an answer, none.
//!
//! ```
//! # use mock_upstash::{Effect, Fault};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = mock_upstash::MockUpstash::builder().start().await?;
//! // The first SET of an order takes effect, and its answer is lost.
//! mock.inject(Fault::new(Effect::ResetAfter).on("SET").on_key("order:*").times(1));
//! // Every tenth request finds the gateway down.
//! mock.inject(Fault::status(502, "<html>bad gateway</html>").every(10));
//! mock.clear_faults();
//! # Ok(())
//! # }
//! ```
//!
//! # Plans and limits
//!
//! [`Builder::plan`] holds the mock to what a plan allows: sizes, storage, commands. A test comes to a
//! limit without the way there by setting the limit or the counter; the answer is Upstash's:
//!
//! ```
//! # use mock_upstash::{Limit, MockUpstash, Plan, UsageChange};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # rustls::crypto::ring::default_provider().install_default().ok();
//! let mock = MockUpstash::builder().plan(Plan::Free).start().await?;
//! let used_up = mock.limit(Limit::MonthlyCommands);
//! mock.set_usage(UsageChange { month_commands: used_up, ..UsageChange::default() });
//! let response = reqwest::Client::new()
//!     .post(format!("{}/get/k", mock.url()))
//!     .bearer_auth(mock.token())
//!     .send()
//!     .await?;
//! assert_eq!(response.status(), 400);
//! assert!(response.text().await?.contains("ERR max requests limit exceeded. Limit: 500000"));
//! # Ok(())
//! # }
//! ```
//!
//! [`MockUpstash::usage`] tells how many commands a bill would count, by name; [`Fault::limit`] lets a
//! limit be reached now and then.
//!
//! # Between tests
//!
//! [`MockUpstash::reset`] returns to the state of a mock that has just started;
//! [`MockUpstash::snapshot`] and [`MockUpstash::restore`] go back to any other:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = mock_upstash::MockUpstash::builder().start().await?;
//! let prepared = mock.snapshot();
//! mock.reset();
//! mock.restore(&prepared);
//! # Ok(())
//! # }
//! ```
//!
//! # Stale reads
//!
//! Upstash answers reads from replicas, which trail. With [`Builder::replica_lag`] the mock does so too,
//! by its own clock: a read without the sync token of a write is stale until the clock has moved by the
//! lag. [`MockUpstash::failover`] loses what the replica has not got:
//!
//! ```
//! # use std::time::Duration;
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # rustls::crypto::ring::default_provider().install_default().ok();
//! # use mock_upstash::MockUpstash;
//! let mock = MockUpstash::builder().replica_lag(Duration::from_millis(50)).start().await?;
//! mock.freeze();
//! # let client = reqwest::Client::new();
//! let ask = async |body: &'static str| {
//!     let request = client.post(mock.url()).bearer_auth(mock.token()).body(body);
//!     request.send().await?.text().await
//! };
//! ask(r#"["SET", "seat", "taken"]"#).await?;
//! assert_eq!(ask(r#"["GET", "seat"]"#).await?, r#"{"result":null}"#);
//! mock.advance(Duration::from_millis(50));
//! assert_eq!(ask(r#"["GET", "seat"]"#).await?, r#"{"result":"taken"}"#);
//! # Ok(())
//! # }
//! ```
//!
//! Tests in other languages ask the same over HTTP, under `/_mock/`, with the standard token:
//! `GET` and `POST /_mock/time` (`{"advance_ms": 1000, "frozen": true}`), `POST /_mock/reset`,
//! `GET` and `POST /_mock/replica` (`{"lag_ms": 50}`), `POST /_mock/failover`,
//! `GET` and `DELETE /_mock/requests`, `GET`, `POST`, `PUT` and `DELETE /_mock/faults`,
//! `GET` and `PUT /_mock/usage`, `GET` and `PUT /_mock/limits`, `PUT /_mock/plan`,
//! `PUT` and `DELETE /_mock/snapshots/NAME`, `POST /_mock/restore/NAME`. See [`Builder::control`].
//!
//! # As Upstash, as Redis, or in between
//!
//! The mock answers as Upstash does. Each way in which Upstash departs from Redis is a [`Quirk`] with
//! its source, and each gap in what is known of it an [`Assumption`]; both can be switched
//! one by one. TLS is a switch too:
//!
//! ```
//! use mock_upstash::{Assumption, MockUpstash, Quirk};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mock = MockUpstash::builder()
//!     .quirk(Quirk::ScriptRollback, false)
//!     .assume(Assumption::ForbiddenStatus, true)
//!     .tls(true)
//!     .start()
//!     .await?;
//! assert!(mock.url().starts_with("https://"));
//! let to_trust = mock.tls_ca_pem().expect("TLS is on");
//! assert!(to_trust.starts_with("-----BEGIN CERTIFICATE-----"));
//! # Ok(())
//! # }
//! ```
//!
//! Who outgrows the engine puts a Redis behind the same REST front: [`Builder::upstream`].
//!
//! In reading order: [`MockUpstash`] and its [`Builder`], [`fault`], [`journal`], [`plan`], [`limit`],
//! [`usage`], [`assumption`]; then
//! `shared` (what both fronts work on), `rest` and `resp` (the fronts), `upstream`.

pub mod assumption;
mod bound;
mod clock;
mod disposal;
pub mod fault;
pub mod journal;
pub mod limit;
mod listener;
mod outbox;
mod pace;
pub mod plan;
mod replica;
mod resp;
mod rest;
mod server;
mod shared;
mod snapshot;
mod tls;
mod transport;
mod upstream;
pub mod usage;

pub use assumption::Assumption;
pub use fault::{Effect, Fault};
pub use journal::{Request, RequestKind};
pub use limit::{Limit, LimitSetting};
pub use plan::Plan;
pub use redis_engine::dialect::{self, Dialect, Quirk};
pub use server::{Builder, MockUpstash, Snapshot, StartError};
pub use upstream::UpstreamUrlError;
pub use usage::{Usage, UsageChange};
