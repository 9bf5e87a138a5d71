//! Which arguments of a command are keys, and whether the command only reads.
//!
//! Positions are those of the Redis documentation (`COMMAND INFO` of Redis 8.0). A command that is
//! not listed has unknown keys, and a guest does not send it with arguments of other people's.

use scenarios::client::Command;

/// Where the keys of a command are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// It has none.
    None,
    /// The first argument.
    First,
    /// The first two.
    FirstTwo,
    /// Every argument.
    All,
    /// Every argument but the last.
    AllButLast,
    /// Every second, every third … argument, from the first.
    Every(usize),
    /// The second argument: the first names a subcommand.
    Second,
    /// From the second on: the first is an operator.
    FromSecond,
    /// As many as the argument at this place says, behind it.
    Counted(usize),
    /// The first, and as many as the second says, behind that.
    FirstAndCounted,
    /// The first half of what follows `STREAMS`.
    Streams,
    /// The first, and the one behind `STORE` or `STOREDIST`.
    FirstAndStore,
}

/// The keys of a command, or `None` when the command is not known.
pub(crate) fn keys(command: &Command) -> Option<Vec<&[u8]>> {
    let name = name(command);
    let position = position(&name)?;
    let arguments = &command[1..];
    let all = || arguments.iter().map(Vec::as_slice);
    Some(match position {
        Position::None => Vec::new(),
        Position::First => all().take(1).collect(),
        Position::FirstTwo => all().take(2).collect(),
        Position::All => all().collect(),
        Position::AllButLast => all().take(arguments.len().saturating_sub(1)).collect(),
        Position::Every(step) => all().step_by(step).collect(),
        Position::Second => all().skip(1).take(1).collect(),
        Position::FromSecond => all().skip(1).collect(),
        Position::Counted(at) => all().skip(at + 1).take(count(arguments, at)).collect(),
        Position::FirstAndCounted => all()
            .take(1)
            .chain(all().skip(2).take(count(arguments, 1)))
            .collect(),
        Position::Streams => match find(arguments, b"STREAMS") {
            Some(at) => all()
                .skip(at + 1)
                .take((arguments.len() - at - 1).div_ceil(2))
                .collect(),
            None => Vec::new(),
        },
        Position::FirstAndStore => {
            let store = [&b"STORE"[..], b"STOREDIST"]
                .into_iter()
                .filter_map(|word| arguments.get(find(arguments, word)? + 1))
                .map(Vec::as_slice);
            all().take(1).chain(store).collect()
        }
    })
}

/// The command's name in upper case.
pub(crate) fn name(command: &Command) -> String {
    command
        .first()
        .map(|name| String::from_utf8_lossy(name).to_ascii_uppercase())
        .unwrap_or_default()
}

fn find(arguments: &[Vec<u8>], word: &[u8]) -> Option<usize> {
    arguments
        .iter()
        .position(|argument| argument.eq_ignore_ascii_case(word))
}

fn count(arguments: &[Vec<u8>], at: usize) -> usize {
    arguments
        .get(at)
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .unwrap_or(0)
}

fn position(name: &str) -> Option<Position> {
    use Position::*;
    Some(match name {
        "PING" | "ECHO" | "TIME" | "DBSIZE" | "SCAN" | "INFO" | "COMMAND" | "CLIENT" | "HELLO"
        | "AUTH" | "SELECT" | "RESET" | "QUIT" | "MULTI" | "EXEC" | "DISCARD" | "UNWATCH"
        | "SCRIPT" | "FUNCTION" | "PUBLISH" | "SPUBLISH" | "PUBSUB" | "UNSUBSCRIBE"
        | "PUNSUBSCRIBE" | "SUNSUBSCRIBE" | "CONFIG" | "ACL" | "WAIT" | "WAITAOF" | "READONLY"
        | "READWRITE" | "ASKING" | "CLUSTER" | "ROLE" | "LASTSAVE" | "SUBSCRIBE" | "PSUBSCRIBE"
        | "SSUBSCRIBE" | "LOLWUT" | "MODULE" | "LATENCY" | "SLOWLOG" => None,
        "DEL" | "UNLINK" | "EXISTS" | "TOUCH" | "MGET" | "WATCH" | "SINTER" | "SUNION"
        | "SDIFF" | "PFCOUNT" | "SINTERSTORE" | "SUNIONSTORE" | "SDIFFSTORE" | "PFMERGE" => All,
        "MSET" | "MSETNX" => Every(2),
        "JSON.MSET" => Every(3),
        "BLPOP" | "BRPOP" | "BZPOPMIN" | "BZPOPMAX" | "JSON.MGET" => AllButLast,
        "RENAME" | "RENAMENX" | "COPY" | "SMOVE" | "LMOVE" | "RPOPLPUSH" | "BLMOVE"
        | "BRPOPLPUSH" | "GEOSEARCHSTORE" | "ZRANGESTORE" | "LCS" => FirstTwo,
        "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO" | "FCALL" | "FCALL_RO" => Counted(1),
        "LMPOP" | "ZMPOP" | "SINTERCARD" | "ZINTERCARD" | "ZUNION" | "ZINTER" | "ZDIFF"
        | "MSETEX" => Counted(0),
        "BLMPOP" | "BZMPOP" => Counted(1),
        "ZUNIONSTORE" | "ZINTERSTORE" | "ZDIFFSTORE" => FirstAndCounted,
        "BITOP" => FromSecond,
        "XREAD" | "XREADGROUP" => Streams,
        "OBJECT" | "XINFO" | "XGROUP" | "MEMORY" | "JSON.DEBUG" => Second,
        "SORT" | "SORT_RO" | "GEORADIUS" | "GEORADIUSBYMEMBER" => FirstAndStore,
        "GET"
        | "SET"
        | "SETEX"
        | "PSETEX"
        | "SETNX"
        | "GETSET"
        | "GETDEL"
        | "GETEX"
        | "APPEND"
        | "STRLEN"
        | "SUBSTR"
        | "GETRANGE"
        | "SETRANGE"
        | "INCR"
        | "INCRBY"
        | "INCRBYFLOAT"
        | "DECR"
        | "DECRBY"
        | "DELEX"
        | "DIGEST"
        | "TYPE"
        | "TTL"
        | "PTTL"
        | "EXPIRE"
        | "PEXPIRE"
        | "EXPIREAT"
        | "PEXPIREAT"
        | "EXPIRETIME"
        | "PEXPIRETIME"
        | "PERSIST"
        | "DUMP"
        | "RESTORE"
        | "BITCOUNT"
        | "BITPOS"
        | "BITFIELD"
        | "BITFIELD_RO"
        | "GETBIT"
        | "SETBIT"
        | "HSET"
        | "HMSET"
        | "HSETNX"
        | "HGET"
        | "HMGET"
        | "HGETALL"
        | "HDEL"
        | "HEXISTS"
        | "HLEN"
        | "HKEYS"
        | "HVALS"
        | "HSTRLEN"
        | "HINCRBY"
        | "HINCRBYFLOAT"
        | "HRANDFIELD"
        | "HSCAN"
        | "HEXPIRE"
        | "HPEXPIRE"
        | "HEXPIREAT"
        | "HPEXPIREAT"
        | "HTTL"
        | "HPTTL"
        | "HEXPIRETIME"
        | "HPEXPIRETIME"
        | "HPERSIST"
        | "HGETDEL"
        | "HGETEX"
        | "HSETEX"
        | "LPUSH"
        | "RPUSH"
        | "LPUSHX"
        | "RPUSHX"
        | "LPOP"
        | "RPOP"
        | "LLEN"
        | "LINDEX"
        | "LINSERT"
        | "LSET"
        | "LRANGE"
        | "LTRIM"
        | "LREM"
        | "LPOS"
        | "SADD"
        | "SREM"
        | "SMEMBERS"
        | "SISMEMBER"
        | "SMISMEMBER"
        | "SCARD"
        | "SPOP"
        | "SRANDMEMBER"
        | "SSCAN"
        | "ZADD"
        | "ZREM"
        | "ZSCORE"
        | "ZMSCORE"
        | "ZINCRBY"
        | "ZCARD"
        | "ZCOUNT"
        | "ZLEXCOUNT"
        | "ZRANK"
        | "ZREVRANK"
        | "ZRANGE"
        | "ZREVRANGE"
        | "ZRANGEBYSCORE"
        | "ZREVRANGEBYSCORE"
        | "ZRANGEBYLEX"
        | "ZREVRANGEBYLEX"
        | "ZREMRANGEBYRANK"
        | "ZREMRANGEBYSCORE"
        | "ZREMRANGEBYLEX"
        | "ZPOPMIN"
        | "ZPOPMAX"
        | "ZRANDMEMBER"
        | "ZSCAN"
        | "XADD"
        | "XLEN"
        | "XRANGE"
        | "XREVRANGE"
        | "XDEL"
        | "XTRIM"
        | "XACK"
        | "XACKDEL"
        | "XDELEX"
        | "XPENDING"
        | "XCLAIM"
        | "XAUTOCLAIM"
        | "XSETID"
        | "GEOADD"
        | "GEODIST"
        | "GEOHASH"
        | "GEOPOS"
        | "GEOSEARCH"
        | "GEORADIUS_RO"
        | "GEORADIUSBYMEMBER_RO"
        | "PFADD"
        | "VADD"
        | "VREM"
        | "VSIM"
        | "VCARD"
        | "VDIM"
        | "VEMB" => First,
        _ if name.starts_with("JSON.") => First,
        _ => return Option::None,
    })
}

/// Whether sending the command twice leaves the server as sending it once does: it writes nothing.
pub(crate) fn only_reads(command: &Command) -> bool {
    let name = name(command);
    let has = |word: &str| {
        command[1..]
            .iter()
            .any(|argument| argument.eq_ignore_ascii_case(word.as_bytes()))
    };
    match name.as_str() {
        "SORT" => !has("STORE"),
        "BITFIELD" => !has("SET") && !has("INCRBY"),
        _ => READS.binary_search(&name.as_str()).is_ok(),
    }
}

/// Sorted, for the search.
const READS: [&str; 104] = [
    "BITCOUNT",
    "BITFIELD_RO",
    "BITPOS",
    "COMMAND",
    "DBSIZE",
    "DIGEST",
    "DUMP",
    "ECHO",
    "EVALSHA_RO",
    "EVAL_RO",
    "EXISTS",
    "EXPIRETIME",
    "FCALL_RO",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEORADIUSBYMEMBER_RO",
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HEXPIRETIME",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HPEXPIRETIME",
    "HPTTL",
    "HRANDFIELD",
    "HSCAN",
    "HSTRLEN",
    "HTTL",
    "HVALS",
    "INFO",
    "JSON.ARRINDEX",
    "JSON.ARRLEN",
    "JSON.GET",
    "JSON.MGET",
    "JSON.OBJKEYS",
    "JSON.OBJLEN",
    "JSON.RESP",
    "JSON.STRLEN",
    "JSON.TYPE",
    "KEYS",
    "LCS",
    "LINDEX",
    "LLEN",
    "LPOS",
    "LRANGE",
    "MEMORY",
    "MGET",
    "OBJECT",
    "PEXPIRETIME",
    "PFCOUNT",
    "PING",
    "PTTL",
    "PUBSUB",
    "RANDOMKEY",
    "SCAN",
    "SCARD",
    "SDIFF",
    "SINTER",
    "SINTERCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SORT_RO",
    "SRANDMEMBER",
    "SSCAN",
    "STRLEN",
    "SUBSTR",
    "SUNION",
    "TIME",
    "TOUCH",
    "TTL",
    "TYPE",
    "XINFO",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREAD",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZDIFF",
    "ZINTER",
    "ZINTERCARD",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREVRANGE",
    "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCAN",
    "ZSCORE",
    "ZUNION",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        text.split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect()
    }

    fn check(text: &str, expected: Option<&str>) {
        let command = command(text);
        let found = keys(&command).map(|keys| {
            keys.iter()
                .map(|key| String::from_utf8_lossy(key))
                .collect::<Vec<_>>()
                .join(" ")
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn keys_are_found_where_they_are() {
        check("ping", Some(""));
        check("get k", Some("k"));
        check("GET", Some(""));
        check("DEL a b c", Some("a b c"));
        check("MSET a 1 b 2", Some("a b"));
        check("BLPOP a b 0", Some("a b"));
        check("EVAL return 2 a b arg", Some("a b"));
        check("EVAL return nonsense a", Some(""));
        check("ZUNIONSTORE d 2 a b WEIGHTS 1 2", Some("d a b"));
        check("BITOP AND d a", Some("d a"));
        check("XREADGROUP GROUP g c COUNT 1 STREAMS a b > >", Some("a b"));
        check("XREAD STREAMS a b 0", Some("a b"));
        check("XGROUP CREATE s g $", Some("s"));
        check("SORT a STORE b", Some("a b"));
        check("LMPOP 2 a b LEFT", Some("a b"));
        check("BZMPOP 0 1 a MIN", Some("a"));
        check("JSON.MSET a $ 1 b $ 2", Some("a b"));
        check("FOO a", None);
    }

    #[test]
    fn reading_is_told_from_writing() {
        assert!(READS.is_sorted());
        for reads in [
            "get k",
            "SORT k",
            "BITFIELD k GET u8 0",
            "ZRANGE k 0 -1",
            "JSON.GET k",
        ] {
            assert!(only_reads(&command(reads)), "{reads}");
        }
        for writes in [
            "SET k v",
            "SORT k STORE d",
            "BITFIELD k INCRBY u8 0 1",
            "GETEX k EX 1",
            "EVAL x 0",
            "FOO",
        ] {
            assert!(!only_reads(&command(writes)), "{writes}");
        }
    }
}
