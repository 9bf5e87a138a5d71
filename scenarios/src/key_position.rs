//! Which arguments of a command are keys, channels, or patterns of them: everything that must stay
//! under the run's own prefix on a server that others use.
//!
//! The positions are those of Redis's command documentation. A command that is not in the table is
//! taken to have one key, its first argument, as nearly all module commands have.

use std::collections::BTreeSet;

use crate::client::Command;

/// Where a command has its keys. Index 0 is the command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// It has none.
    None,
    /// At one index.
    At(usize),
    /// At the first two indexes.
    Two,
    /// From an index to the end, less some at the end, every so many.
    Range {
        first: usize,
        spare: usize,
        every: usize,
    },
    /// A count at an index, and that many keys after it, every so many.
    Counted { at: usize, every: usize },
    /// A destination at index 1, a count at 2, and that many keys after it.
    Store,
    /// The first half of what follows `STREAMS`.
    Streams,
    /// At index 1, and after each of these option words.
    Options(&'static [&'static str]),
    /// The pattern after `MATCH`, which must be there.
    Match,
    /// At index 2 for these subcommands, and none for the others.
    Subcommand(&'static [&'static str]),
}

/// Commands in upper case with their rule.
fn rule(name: &str) -> Rule {
    match name {
        "ACL" | "ASKING" | "AUTH" | "BGREWRITEAOF" | "BGSAVE" | "CLIENT" | "CLUSTER"
        | "COMMAND" | "CONFIG" | "DBSIZE" | "DISCARD" | "ECHO" | "EXEC" | "FAILOVER"
        | "FLUSHALL" | "FLUSHDB" | "FUNCTION" | "HELLO" | "INFO" | "LASTSAVE" | "LATENCY"
        | "LOLWUT" | "MODULE" | "MONITOR" | "MULTI" | "PING" | "QUIT" | "RANDOMKEY"
        | "READONLY" | "READWRITE" | "REPLICAOF" | "RESET" | "ROLE" | "SAVE" | "SCRIPT"
        | "SELECT" | "SHUTDOWN" | "SLAVEOF" | "SLOWLOG" | "SWAPDB" | "TIME" | "UNSUBSCRIBE"
        | "PUNSUBSCRIBE" | "UNWATCH" | "WAIT" | "WAITAOF" => Rule::None,

        "DEL" | "EXISTS" | "MGET" | "PFCOUNT" | "PFMERGE" | "SDIFF" | "SDIFFSTORE" | "SINTER"
        | "SINTERSTORE" | "SUNION" | "SUNIONSTORE" | "TOUCH" | "UNLINK" | "WATCH" | "SUBSCRIBE"
        | "PSUBSCRIBE" | "SSUBSCRIBE" => Rule::Range {
            first: 1,
            spare: 0,
            every: 1,
        },
        "BLPOP" | "BRPOP" | "BZPOPMAX" | "BZPOPMIN" | "JSON.MGET" => Rule::Range {
            first: 1,
            spare: 1,
            every: 1,
        },
        "BITOP" => Rule::Range {
            first: 2,
            spare: 0,
            every: 1,
        },
        "MSET" | "MSETNX" => Rule::Range {
            first: 1,
            spare: 0,
            every: 2,
        },
        "JSON.MSET" => Rule::Range {
            first: 1,
            spare: 0,
            every: 3,
        },

        "BLMOVE" | "BLMOVEM" | "BRPOPLPUSH" | "COPY" | "GEOSEARCHSTORE" | "LCS" | "LMOVE"
        | "LMOVEM" | "RENAME" | "RENAMENX" | "RPOPLPUSH" | "SMOVE" | "ZRANGESTORE" => Rule::Two,

        "LMPOP" | "SDIFFCARD" | "SINTERCARD" | "SUNIONCARD" | "ZDIFF" | "ZINTER" | "ZINTERCARD"
        | "ZMPOP" | "ZUNION" => Rule::Counted { at: 1, every: 1 },
        "MSETEX" => Rule::Counted { at: 1, every: 2 },
        "BLMPOP" | "BZMPOP" | "EVAL" | "EVALSHA" | "EVALSHA_RO" | "EVAL_RO" | "FCALL"
        | "FCALL_RO" => Rule::Counted { at: 2, every: 1 },
        "ZDIFFSTORE" | "ZINTERSTORE" | "ZUNIONSTORE" => Rule::Store,

        "XREAD" | "XREADGROUP" => Rule::Streams,
        "GEORADIUS" | "GEORADIUSBYMEMBER" => Rule::Options(&["STORE", "STOREDIST"]),
        "SORT" | "SORT_RO" => Rule::Options(&["STORE", "BY", "GET"]),
        "SCAN" => Rule::Match,

        "DEBUG" => Rule::Subcommand(&["OBJECT", "SDSLEN", "LISTPACK"]),
        "JSON.DEBUG" => Rule::Subcommand(&["MEMORY", "FIELDS"]),
        "MEMORY" => Rule::Subcommand(&["USAGE"]),
        "OBJECT" => Rule::Subcommand(&["ENCODING", "FREQ", "IDLETIME", "REFCOUNT"]),
        "PUBSUB" => Rule::Subcommand(&["CHANNELS", "NUMSUB", "SHARDCHANNELS", "SHARDNUMSUB"]),
        "XGROUP" => Rule::Subcommand(&[
            "CREATE",
            "CREATECONSUMER",
            "DELCONSUMER",
            "DESTROY",
            "SETID",
        ]),
        "XINFO" => Rule::Subcommand(&["CONSUMERS", "GROUPS", "STREAM"]),

        _ => Rule::At(1),
    }
}

/// Why the keys of a command cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// The number of keys, at this index, is not written out.
    Count(usize),
    /// A `SCAN` without `MATCH` walks over keys of others.
    Unbounded,
}

/// The indexes of a command's keys, in ascending order, 0 being the command's name. `None` stands
/// for an argument that is not known before the run. Too few arguments have fewer keys: to send
/// them is an error of the server's, which a scenario may be about.
pub(crate) fn positions(arguments: &[Option<Vec<u8>>]) -> Result<Vec<usize>, Unclear> {
    let name = word(arguments, 0).unwrap_or_default();
    let count = arguments.len();
    let mut found = BTreeSet::new();
    match rule(&name) {
        Rule::None => {}
        Rule::At(index) => {
            found.insert(index);
        }
        Rule::Two => found.extend([1, 2]),
        Rule::Range {
            first,
            spare,
            every,
        } => {
            found.extend((first..count.saturating_sub(spare)).step_by(every));
        }
        Rule::Counted { at, every } => found.extend(counted(arguments, at, every)?),
        Rule::Store => {
            found.insert(1);
            found.extend(counted(arguments, 2, 1)?);
        }
        Rule::Streams => {
            // XREADGROUP's group and consumer come first and may have any name.
            let from = if name == "XREADGROUP" { 4 } else { 1 };
            let keyword = (from..count).find(|&index| is(arguments, index, "STREAMS"));
            if let Some(keyword) = keyword {
                found.extend(keyword + 1..keyword + 1 + (count - keyword - 1) / 2);
            }
        }
        Rule::Options(options) => {
            found.insert(1);
            let option = |index: &usize| options.iter().any(|option| is(arguments, *index, option));
            let value = (2..count.saturating_sub(1))
                .filter(option)
                .map(|index| index + 1);
            // `BY nosort` and `GET #` name no key.
            found
                .extend(value.filter(|&value| {
                    !is(arguments, value, "NOSORT") && !is(arguments, value, "#")
                }));
        }
        Rule::Match => {
            match (2..count.saturating_sub(1)).find(|&index| is(arguments, index, "MATCH")) {
                Some(keyword) => found.extend([keyword + 1]),
                None => return Err(Unclear::Unbounded),
            }
        }
        Rule::Subcommand(with_key) => {
            let subcommand = word(arguments, 1).unwrap_or_default();
            if with_key.contains(&subcommand.as_str()) {
                found.insert(2);
            }
        }
    }
    Ok(found.into_iter().filter(|&index| index < count).collect())
}

/// Whether the table knows a command.
pub(crate) fn is_known(name: &str) -> bool {
    rule(name) != Rule::At(1) || SINGLE_KEY.binary_search(&name).is_ok()
}

/// The keys, channels and patterns that a command touches, so that a runner can account for them.
pub fn keys(command: &Command) -> Vec<&[u8]> {
    let arguments: Vec<Option<Vec<u8>>> = command.iter().cloned().map(Some).collect();
    let positions = positions(&arguments).unwrap_or_default();
    positions
        .into_iter()
        .filter_map(|index| command.get(index).map(Vec::as_slice))
        .collect()
}

fn counted(
    arguments: &[Option<Vec<u8>>],
    at: usize,
    every: usize,
) -> Result<impl Iterator<Item = usize>, Unclear> {
    let count = match arguments.get(at) {
        Some(None) => return Err(Unclear::Count(at)),
        Some(Some(text)) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok()),
        None => None,
    };
    Ok((at + 1..arguments.len())
        .step_by(every)
        .take(count.unwrap_or(0)))
}

fn word(arguments: &[Option<Vec<u8>>], index: usize) -> Option<String> {
    let bytes = arguments.get(index)?.as_ref()?;
    Some(String::from_utf8_lossy(bytes).to_ascii_uppercase())
}

fn is(arguments: &[Option<Vec<u8>>], index: usize, expected: &str) -> bool {
    let bytes = arguments.get(index).and_then(Option::as_ref);
    bytes.is_some_and(|bytes| bytes.eq_ignore_ascii_case(expected.as_bytes()))
}

/// The commands whose one key is their first argument, sorted.
const SINGLE_KEY: &[&str] = &[
    "APPEND",
    "BITCOUNT",
    "BITFIELD",
    "BITFIELD_RO",
    "BITPOS",
    "DECR",
    "DECRBY",
    "DELEX",
    "DIGEST",
    "DUMP",
    "EXPIRE",
    "EXPIREAT",
    "EXPIRETIME",
    "GEOADD",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEORADIUSBYMEMBER_RO",
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "GETSET",
    "HDEL",
    "HEXISTS",
    "HEXPIRE",
    "HEXPIREAT",
    "HEXPIRETIME",
    "HGET",
    "HGETALL",
    "HGETDEL",
    "HGETEX",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HMSET",
    "HPERSIST",
    "HPEXPIRE",
    "HPEXPIREAT",
    "HPEXPIRETIME",
    "HPTTL",
    "HRANDFIELD",
    "HSCAN",
    "HSET",
    "HSETEX",
    "HSETNX",
    "HSTRLEN",
    "HTTL",
    "HVALS",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "INCREX",
    "JSON.ARRAPPEND",
    "JSON.ARRINDEX",
    "JSON.ARRINSERT",
    "JSON.ARRLEN",
    "JSON.ARRPOP",
    "JSON.ARRTRIM",
    "JSON.CLEAR",
    "JSON.DEL",
    "JSON.FORGET",
    "JSON.GET",
    "JSON.MERGE",
    "JSON.NUMINCRBY",
    "JSON.NUMMULTBY",
    "JSON.OBJKEYS",
    "JSON.OBJLEN",
    "JSON.RESP",
    "JSON.SET",
    "JSON.STRAPPEND",
    "JSON.STRLEN",
    "JSON.TOGGLE",
    "JSON.TYPE",
    "KEYS",
    "LINDEX",
    "LINSERT",
    "LLEN",
    "LPOP",
    "LPOS",
    "LPUSH",
    "LPUSHX",
    "LRANGE",
    "LREM",
    "LSET",
    "LTRIM",
    "MOVE",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PEXPIRETIME",
    "PFADD",
    "PSETEX",
    "PTTL",
    "PUBLISH",
    "RESTORE",
    "RPOP",
    "RPUSH",
    "RPUSHX",
    "SADD",
    "SCARD",
    "SET",
    "SETBIT",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SPOP",
    "SPUBLISH",
    "SRANDMEMBER",
    "SREM",
    "SSCAN",
    "STRLEN",
    "SUBSTR",
    "TTL",
    "TYPE",
    "VADD",
    "VCARD",
    "VDIM",
    "VEMB",
    "VGETATTR",
    "VINFO",
    "VISMEMBER",
    "VLINKS",
    "VRANDMEMBER",
    "VRANGE",
    "VREM",
    "VSETATTR",
    "VSIM",
    "XACK",
    "XACKDEL",
    "XADD",
    "XAUTOCLAIM",
    "XCLAIM",
    "XDEL",
    "XDELEX",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREVRANGE",
    "XSETID",
    "XTRIM",
    "ZADD",
    "ZCARD",
    "ZCOUNT",
    "ZINCRBY",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREM",
    "ZREMRANGEBYLEX",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYSCORE",
    "ZREVRANGE",
    "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCAN",
    "ZSCORE",
];
