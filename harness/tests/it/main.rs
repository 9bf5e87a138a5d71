//! The integration tests of the harness, a module for each topic.

mod attribution;
mod bench;
mod cli;
mod cost;
mod fake;
mod fault;
mod quirk;
mod report;
mod server;
mod target;
mod verdict;
mod workload;
