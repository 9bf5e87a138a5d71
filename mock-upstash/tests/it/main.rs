//! The mock's integration tests, a module for each topic.

mod assumption;
mod binary;
mod bound;
mod disturbance;
mod fact;
mod fact_page;
mod fault;
mod fuzz;
mod library;
mod limit;
mod plain;
mod quota;
mod read_only;
mod replica;
mod reply;
mod resp;
mod rest;
mod script_time;
#[path = "../../../harness/tests/it/server.rs"]
#[expect(dead_code, reason = "the harness's tests use more of it")]
mod server;
mod upstream;
