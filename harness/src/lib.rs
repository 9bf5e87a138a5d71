//! Runs one scenario suite against Redis, a mock of Upstash and Upstash, and reports what differs.

pub mod target;
