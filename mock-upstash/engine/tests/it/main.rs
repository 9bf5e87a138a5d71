//! The engine's integration tests, a module for each topic.

mod acl;
mod bitmap;
mod blocking;
mod differential;
mod disposal;
mod dump;
mod function;
mod fuzz;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod json;
mod list;
mod pattern;
mod quirk;
mod replica;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod table;
mod testing;
