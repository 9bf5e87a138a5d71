//! The integration tests of the harness, a module for each topic.

mod cli;
mod fake;
mod fault;
mod report;
mod server;
mod target;
mod verdict;
