//! The mock's integration tests, a module for each topic.

mod resp;
mod rest;
