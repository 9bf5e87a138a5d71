//! The command table, held against what real redis-servers and Upstash say of their commands.

mod call;
mod exercise;
mod page;
mod recording;
mod redis;
mod upstash;

use redis_engine::command::{self, Command};

/// Every row, subcommands too.
fn rows() -> impl Iterator<Item = &'static Command> {
    command::all().flat_map(|row| std::iter::once(row).chain(row.subcommands))
}
