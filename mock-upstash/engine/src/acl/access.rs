//! What commands do to their keys, for rules that open keys for reading or for writing alone
//! (`%R~pattern`, `%W~pattern`).

use bytes::Bytes;

use crate::command::{Command, Flags};

/// What a command does to one of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// What the key holds, or a part of it, reaches the client or another key.
    pub read: bool,
    /// What the key holds is changed.
    pub write: bool,
}

const NOTHING: Access = access(false, false);
const READ: Access = access(true, false);
const WRITE: Access = access(false, true);
const BOTH: Access = access(true, true);

const fn access(read: bool, write: bool) -> Access {
    Access { read, write }
}

/// What a command does to its key at a place, counted from 0 in the order of
/// [`Command::key_positions`]: what the key specifications of Redis 8.10 say (`COMMAND INFO`,
/// `COMMAND GETKEYSANDFLAGS`). To tell whether there is something, its type or its size is no access,
/// and to change something without showing what it was is no reading.
pub fn access_to_key(command: &Command, args: &[Bytes], place: usize) -> Access {
    let first_and_others = |first, others| if place == 0 { first } else { others };
    match command.name {
        "EXISTS" | "HEXISTS" | "HLEN" | "HSTRLEN" | "LLEN" | "MEMORY USAGE" | "SCARD"
        | "SISMEMBER" | "STRLEN" | "TOUCH" | "TYPE" | "WATCH" | "XLEN" | "ZCARD" => NOTHING,
        "COPY" | "GEORADIUS" | "GEORADIUSBYMEMBER" => first_and_others(READ, WRITE),
        "BLMOVE" | "BRPOPLPUSH" | "LMOVE" | "RENAME" | "RENAMENX" | "RPOPLPUSH" | "SMOVE" => {
            first_and_others(BOTH, WRITE)
        }
        "BITOP" | "GEOSEARCHSTORE" | "SDIFFSTORE" | "SINTERSTORE" | "SUNIONSTORE"
        | "ZDIFFSTORE" | "ZINTERSTORE" | "ZRANGESTORE" | "ZUNIONSTORE" => {
            first_and_others(WRITE, READ)
        }
        "PFMERGE" => first_and_others(BOTH, READ),
        "BLMPOP" | "BLPOP" | "BRPOP" | "BZMPOP" | "BZPOPMAX" | "BZPOPMIN" | "DECR" | "DECRBY"
        | "EVAL" | "EVALSHA" | "FCALL" | "GETDEL" | "GETEX" | "GETSET" | "HGETDEL" | "HGETEX"
        | "HINCRBY" | "HINCRBYFLOAT" | "INCR" | "INCRBY" | "INCRBYFLOAT" | "LMPOP" | "LPOP"
        | "RPOP" | "SETBIT" | "SPOP" | "ZINCRBY" | "ZMPOP" | "ZPOPMAX" | "ZPOPMIN" => BOTH,
        "SET" if args.iter().skip(3).any(|arg| is(arg, "GET")) => BOTH,
        "BITFIELD" if reads_alone(args) => READ,
        "BITFIELD" => BOTH,
        "XREADGROUP" => READ,
        _ if command.flags.contains(Flags::READONLY) => READ,
        _ => WRITE,
    }
}

fn is(arg: &Bytes, word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// Whether BITFIELD does nothing but GET. One that does not follow the grammar might do anything.
fn reads_alone(args: &[Bytes]) -> bool {
    let mut at = 2;
    while at < args.len() {
        let more = args.len() - at - 1;
        at += match () {
            () if is(&args[at], "GET") && more >= 2 => 3,
            () if is(&args[at], "OVERFLOW") && more >= 1 => 2,
            () => return false,
        };
    }
    true
}
