//! What a bill needs to know of a command: whether it writes, and what a script calls.

use scenarios::client::Command;
use sha1::{Digest, Sha1};

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

/// How a command names a script.
pub(super) enum Script<'a> {
    /// By its text, to run it or to load it.
    Text {
        /// The text.
        text: &'a [u8],
        /// Whether it runs now.
        runs: bool,
    },
    /// By the digest of its text.
    Digest(&'a [u8]),
}

/// The script that the command carries or names.
pub(super) fn script(command: &Command) -> Option<Script<'_>> {
    let argument = |index: usize| command.get(index).map(Vec::as_slice);
    match argument(0)?.to_ascii_uppercase().as_slice() {
        b"EVAL" | b"EVAL_RO" => Some(Script::Text {
            text: argument(1)?,
            runs: true,
        }),
        b"EVALSHA" | b"EVALSHA_RO" => Some(Script::Digest(argument(1)?)),
        b"SCRIPT" if argument(1)?.eq_ignore_ascii_case(b"LOAD") => Some(Script::Text {
            text: argument(2)?,
            runs: false,
        }),
        _ => None,
    }
}

/// The digest by which Redis knows a script: SHA-1 of its text, in lower-case hexadecimal.
pub(super) fn digest(text: &[u8]) -> Vec<u8> {
    Sha1::digest(text)
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
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
