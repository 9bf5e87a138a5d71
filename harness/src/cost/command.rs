//! What a bill needs to know of a command: whether it writes, and what a script calls.

use scenarios::client::Command;

/// Commands that write, by Redis's own `write` flag (COMMAND INFO of Redis 8.0) and, for JSON, by
/// the RedisJSON documentation. EVAL and its kin are counted by what they call.
const WRITES: &[&str] = &[
    "APPEND",
    "BITFIELD",
    "BITOP",
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "COPY",
    "DECR",
    "DECRBY",
    "DEL",
    "DELEX",
    "EXPIRE",
    "EXPIREAT",
    "FLUSHALL",
    "FLUSHDB",
    "GEOADD",
    "GEOSEARCHSTORE",
    "GETDEL",
    "GETEX",
    "GETSET",
    "HDEL",
    "HEXPIRE",
    "HEXPIREAT",
    "HGETDEL",
    "HGETEX",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HMSET",
    "HPERSIST",
    "HPEXPIRE",
    "HPEXPIREAT",
    "HSET",
    "HSETEX",
    "HSETNX",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "JSON.ARRAPPEND",
    "JSON.ARRINSERT",
    "JSON.ARRPOP",
    "JSON.ARRTRIM",
    "JSON.CLEAR",
    "JSON.DEL",
    "JSON.FORGET",
    "JSON.MERGE",
    "JSON.MSET",
    "JSON.NUMINCRBY",
    "JSON.NUMMULTBY",
    "JSON.SET",
    "JSON.STRAPPEND",
    "JSON.TOGGLE",
    "LINSERT",
    "LMOVE",
    "LMPOP",
    "LPOP",
    "LPUSH",
    "LPUSHX",
    "LREM",
    "LSET",
    "LTRIM",
    "MSET",
    "MSETEX",
    "MSETNX",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PFADD",
    "PFMERGE",
    "PSETEX",
    "RENAME",
    "RENAMENX",
    "RESTORE",
    "RPOP",
    "RPOPLPUSH",
    "RPUSH",
    "RPUSHX",
    "SADD",
    "SDIFFSTORE",
    "SET",
    "SETBIT",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SINTERSTORE",
    "SMOVE",
    "SPOP",
    "SREM",
    "SUNIONSTORE",
    "UNLINK",
    "XACK",
    "XACKDEL",
    "XADD",
    "XAUTOCLAIM",
    "XCLAIM",
    "XDEL",
    "XDELEX",
    "XGROUP",
    "XREADGROUP",
    "XTRIM",
    "ZADD",
    "ZDIFFSTORE",
    "ZINCRBY",
    "ZINTERSTORE",
    "ZMPOP",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANGESTORE",
    "ZREM",
    "ZREMRANGEBYLEX",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYSCORE",
    "ZUNIONSTORE",
];

/// Whether a command of this name writes.
pub(super) fn writes(name: &[u8]) -> bool {
    let upper = name.to_ascii_uppercase();
    WRITES
        .binary_search_by(|known| known.as_bytes().cmp(&upper))
        .is_ok()
}

/// The script's text, where the command carries one.
pub(super) fn script(command: &Command) -> Option<&[u8]> {
    let name = command.first()?.to_ascii_uppercase();
    matches!(name.as_slice(), b"EVAL" | b"EVAL_RO").then(|| command.get(1).map(Vec::as_slice))?
}

/// How many `redis.call`s and `redis.pcall`s a script spells out, and how many of them write.
///
/// A loop runs its calls more often and a branch fewer times than they are written: an estimate.
pub(super) fn calls(script: &[u8]) -> (u64, u64) {
    let text = String::from_utf8_lossy(script);
    let mut counted = (0, 0);
    for opening in ["redis.call(", "redis.pcall("] {
        for (index, _) in text.match_indices(opening) {
            let argument = text[index + opening.len()..].trim_start();
            let name: String = argument
                .trim_start_matches(['"', '\''])
                .chars()
                .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '.')
                .collect();
            counted.0 += 1;
            counted.1 += u64::from(writes(name.as_bytes()));
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(WRITES.is_sorted());
        assert!(writes(b"zadd") && writes(b"APPEND") && !writes(b"GET"));
    }
}
