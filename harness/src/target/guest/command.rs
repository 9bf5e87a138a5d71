//! What a command is called, and whether it only reads.

use scenarios::client::Command;

/// The command's name in upper case.
pub(crate) fn name(command: &Command) -> String {
    command
        .first()
        .map(|name| String::from_utf8_lossy(name).to_ascii_uppercase())
        .unwrap_or_default()
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
