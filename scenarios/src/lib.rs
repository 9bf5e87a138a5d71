//! What swapcheck checks: scenario documents and concurrent workloads, independent of how they are run.
//!
//! A scenario document is a Markdown file that people read and a runner executes. This crate parses
//! it ([`document`]), matches replies against what it expects, prints replies the way redis-cli does,
//! and names the one trait through which every target is spoken to ([`client`]).

pub mod client;
pub mod reply;

pub use client::{Client, ClientError, Connector};
pub use reply::Reply;
