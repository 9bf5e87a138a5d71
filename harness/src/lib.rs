//! Runs one scenario suite against Redis, a mock of Upstash and Upstash, and reports what differs.
//!
//! The command line is made of this library, and a program of one's own can use it the same way:
//! choose scenarios ([`suite`]), open targets ([`target`]), run ([`run`]), and read the
//! [`run::Outcome`], from which every report ([`report`]) is made.
//!
//! ```
//! use swapcheck::suite::{Selection, load};
//!
//! let locks = Selection { areas: vec!["locks".into()], ..Selection::default() };
//! let scenarios = load(&locks)?;
//! assert!(scenarios.iter().all(|planned| planned.scenario.id.starts_with("locks/")));
//! # Ok::<(), swapcheck::suite::SuiteError>(())
//! ```
//!
//! In reading order: [`suite`], [`target`], [`run`], [`compare`], [`baseline`], [`latency`],
//! [`cost`], [`mod@bench`], [`report`], [`cli`], [`exit`].

pub mod baseline;
pub mod bench;
pub mod cli;
pub mod compare;
pub mod cost;
pub mod exit;
pub mod latency;
pub mod report;
pub mod run;
pub mod suite;
pub mod target;
