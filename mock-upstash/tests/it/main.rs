//! The mock's integration tests, a module for each topic.

mod disturbance;
mod fact;
mod fault;
mod read_only;
mod resp;
mod rest;
