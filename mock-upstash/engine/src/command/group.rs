//! The groups that Upstash's documentation sorts commands into.

use super::Categories;

/// A command's group, as Upstash's documentation sorts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Group {
    Bitmap,
    Connection,
    Function,
    Generic,
    Geo,
    Hash,
    HyperLogLog,
    Json,
    List,
    PubSub,
    Scripting,
    Server,
    Set,
    SortedSet,
    Stream,
    String,
    Transaction,
}

impl Group {
    /// The ACL category that every command of the group belongs to.
    pub(super) const fn category(self) -> Categories {
        match self {
            Group::Bitmap => Categories::BITMAP,
            Group::Connection => Categories::CONNECTION,
            Group::Function | Group::Scripting => Categories::SCRIPTING,
            Group::Generic => Categories::KEYSPACE,
            Group::Geo => Categories::GEO,
            Group::Hash => Categories::HASH,
            Group::HyperLogLog => Categories::HYPERLOGLOG,
            Group::Json => Categories::JSON,
            Group::List => Categories::LIST,
            Group::PubSub => Categories::PUBSUB,
            Group::Server => Categories::empty(),
            Group::Set => Categories::SET,
            Group::SortedSet => Categories::SORTEDSET,
            Group::Stream => Categories::STREAM,
            Group::String => Categories::STRING,
            Group::Transaction => Categories::TRANSACTION,
        }
    }

    /// Its name in Upstash's documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Bitmap => "bitmap",
            Group::Connection => "connection",
            Group::Function => "functions",
            Group::Generic => "generic",
            Group::Geo => "geo",
            Group::Hash => "hash",
            Group::HyperLogLog => "hyperloglog",
            Group::Json => "json",
            Group::List => "list",
            Group::PubSub => "pub-sub",
            Group::Scripting => "scripting",
            Group::Server => "server",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Stream => "streams",
            Group::String => "string",
            Group::Transaction => "transactions",
        }
    }
}
