//! The engine's integration tests, a module for each topic.

mod differential;
mod generic;
mod hash;
mod acl;
mod list;
mod server;
mod set;
mod sorted_set;
mod scripting;
mod string;
mod testing;
