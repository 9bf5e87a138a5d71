//! What swapcheck checks: scenario documents and concurrent workloads, independent of how they are run.
//!
//! A scenario document is a Markdown file that people read and a runner executes. This crate parses
//! it ([`document`]), matches replies against what it expects, prints replies the way redis-cli does,
//! and names the one trait through which every target is spoken to ([`client`]).

pub mod client;
pub mod cursor;
pub mod document;
pub mod error;
pub mod expectation;
pub mod glob;
pub mod key_position;
mod matching;
pub mod print;
pub mod record;
pub mod reply;
pub mod requirement;
pub mod selector;
pub mod step;
pub mod suite;
mod syntax;

pub use client::{Client, ClientError, Connector};
pub use document::{Document, Location, Scenario};
pub use error::ParseErrors;
pub use expectation::{Expectation, Mismatch};
pub use reply::Reply;
pub use requirement::Requirement;
pub use selector::Selector;
pub use step::{Action, Argument, Bindings, Captures, CommandTemplate, Step};
pub use suite::suite;
