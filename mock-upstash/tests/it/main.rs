//! The mock's integration tests, a module for each topic.

mod fault;
mod resp;
mod rest;
