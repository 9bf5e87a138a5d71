//! What a bill needs to know of a command: whether it writes, and what a script calls.

use scenarios::client::Command;
use sha1::{Digest, Sha1};

use super::Billed;

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
    "GEORADIUS",
    "GEORADIUSBYMEMBER",
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
    "MOVE",
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
    "SORT",
    "SPOP",
    "SREM",
    "SUNIONSTORE",
    "SWAPDB",
    "UNLINK",
    "XACK",
    "XACKDEL",
    "XADD",
    "XAUTOCLAIM",
    "XCLAIM",
    "XDEL",
    "XDELEX",
    "XREADGROUP",
    "XSETID",
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

/// Subcommands that write, of commands whose others do not.
const WRITING_SUBCOMMANDS: &[(&str, &[&str])] = &[
    ("FUNCTION", &["DELETE", "FLUSH", "LOAD", "RESTORE"]),
    (
        "XGROUP",
        &[
            "CREATE",
            "CREATECONSUMER",
            "DELCONSUMER",
            "DESTROY",
            "SETID",
        ],
    ),
];

/// Whether a command writes.
pub(super) fn writes(command: &Command) -> bool {
    let Some(name) = command.first() else {
        return false;
    };
    let is = |one: &[u8], other: &str| one.eq_ignore_ascii_case(other.as_bytes());
    let container = WRITING_SUBCOMMANDS
        .iter()
        .find(|(known, _)| is(name, known));
    match container {
        Some((_, subcommands)) => command
            .get(1)
            .is_some_and(|word| subcommands.iter().any(|known| is(word, known))),
        None => is_write(name),
    }
}

/// Whether commands of this name write.
fn is_write(name: &[u8]) -> bool {
    let upper = name.to_ascii_uppercase();
    WRITES
        .binary_search_by(|known| known.as_bytes().cmp(&upper))
        .is_ok()
}

/// Whether a command is not billed: what makes and ends connections. Nothing is documented.
pub(super) fn is_free(name: &[u8]) -> bool {
    ["AUTH", "HELLO", "QUIT", "RESET", "CLIENT"]
        .iter()
        .any(|free| name.eq_ignore_ascii_case(free.as_bytes()))
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
    /// A library of functions, by its text.
    Library(&'a [u8]),
    /// By the name of a function.
    Function(&'a [u8]),
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
        b"FCALL" | b"FCALL_RO" => Some(Script::Function(argument(1)?)),
        // The text stands behind REPLACE, where that is given.
        b"FUNCTION" if argument(1)?.eq_ignore_ascii_case(b"LOAD") => {
            Some(Script::Library(command.last()?))
        }
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

/// The `redis.call`s and `redis.pcall`s that a script spells out, each as one command.
///
/// A loop runs its calls more often and a branch fewer times than they are written: an estimate.
pub(super) fn calls(script: &[u8]) -> Billed {
    let text = String::from_utf8_lossy(script);
    let mut counted = Billed::default();
    for word in ["redis.call", "redis.pcall"] {
        for (index, _) in text.match_indices(word) {
            let rest = &text[index + word.len()..];
            if rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_') {
                continue;
            }
            let words = rest.trim_start_matches(['(', ' ', '\t', '\n']);
            let command: Command = words.split(',').take(2).map(unquoted).collect();
            counted.commands += 1;
            counted.writes += u64::from(writes(&command));
            counted.estimated += 1;
        }
    }
    counted
}

/// What stands between quotation marks at the beginning.
fn unquoted(text: &str) -> Vec<u8> {
    let is_word = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_');
    let bare = text.trim_start().trim_start_matches(['"', '\'']);
    bare.chars()
        .take_while(is_word)
        .collect::<String>()
        .into_bytes()
}

/// The names of the functions that a library registers.
pub(super) fn functions(library: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(library);
    let registered = text
        .match_indices("register_function")
        .filter_map(|(index, word)| {
            let rest = &text[index + word.len()..];
            let named = match rest.trim_start_matches(['(', ' ']).strip_prefix('{') {
                Some(fields) => fields.split_once("function_name")?.1,
                None => rest,
            };
            let begin = named.find(['"', '\''])?;
            Some(unquoted(&named[begin..]))
        });
    registered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(WRITES.is_sorted());
        assert!(is_write(b"zadd") && is_write(b"APPEND") && !is_write(b"GET"));
        let group = |word: &str| writes(&vec![b"xgroup".to_vec(), word.as_bytes().to_vec()]);
        assert!(group("create") && !group("help"));
    }
}
