//! An embedded, synchronous store that answers Redis commands as Redis does, or as Upstash does.
//!
//! No I/O, no threads, no system clock: a front gives it a [`clock::Clock`], a seed and commands,
//! and sends out what it answers.
//!
//! ```
//! use std::sync::Arc;
//! use redis_engine::{Config, Connect, Dialect, Engine, ManualClock, Options, Reply};
//!
//! let mut engine = Engine::new(Options {
//!     dialect: Dialect::REDIS,
//!     config: Config::default(),
//!     clock: Arc::new(ManualClock::at(1_700_000_000_000)),
//!     seed: 1,
//! });
//! let client = engine.connect(Connect::default());
//! let args = ["SET", "greeting", "hello"].map(|arg| arg.as_bytes().to_vec().into());
//! assert_eq!(engine.execute(client, &args), Reply::OK);
//! ```
//!
//! In reading order: [`reply`] and [`error`], [`command`] (the table), [`call`] (what a handler
//! gets), [`keyspace`] and [`value`] (data), [`commands`] (the handlers, by group), [`engine`] (the
//! way of a command), [`session`], [`blocking`], [`replica`], [`dialect`], [`limit`] and [`usage`].

pub mod acl;
pub mod blocking;
pub mod call;
pub mod clock;
pub mod command;
pub mod commands;
pub mod config;
pub mod dialect;
pub mod disposal;
pub mod dump;
pub mod engine;
pub mod error;
pub mod expiry;
pub mod extended;
pub mod glob;
pub mod keyspace;
pub mod limit;
mod lingering;
pub mod monitor;
mod natural;
pub mod notification;
pub mod number;
pub mod pubsub;
pub mod replica;
pub mod reply;
mod rollback;
pub mod script;
pub mod session;
pub mod snapshot;
mod storage;
pub mod usage;
pub mod value;

pub use clock::{Clock, ManualClock};
pub use config::Config;
pub use dialect::{Dialect, Quirk};
pub use disposal::{Disposal, Rubbish};
pub use engine::{Engine, Options, RestChoices};
pub use error::ReplyError;
pub use limit::Limits;
pub use reply::Reply;
pub use session::{ClientId, Connect, Outbox, Protocol};
pub use usage::Usage;
