//! When a guest may give a key an expiry without anybody noticing.

use std::time::Duration;

use scenarios::client::Command;

use super::command::name;

/// Longer than any scenario takes, and short enough that a forgotten key is no burden.
pub(crate) const SAFETY_EXPIRY: Duration = Duration::from_secs(3600);

/// Whether a scenario can see that a key was given an expiry; whoever runs it knows its commands,
/// and decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyExpiry {
    /// The scenario looks at expiries (`TTL`, `PERSIST`, `EXPIRE … NX`) or watches keys: its keys
    /// are left as it makes them, journalled, and deleted at its end.
    Observed,
    /// It does not: on other people's servers every key it makes is given an expiry right after,
    /// so that nothing stays behind if this process dies.
    Guarded,
}

/// What a command does to the expiry of the keys it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The key has an expiry of its own now, or is gone.
    Settled,
    /// The key is there, and an expiry it had stands.
    Kept,
    /// Anything may have happened: written anew, moved, emptied.
    Unknown,
}

pub(crate) fn effect(command: &Command) -> Effect {
    let has = |words: &[&[u8]]| {
        command[1..]
            .iter()
            .any(|argument| words.iter().any(|word| argument.eq_ignore_ascii_case(word)))
    };
    match name(command).as_str() {
        "DEL" | "UNLINK" | "GETDEL" | "SETEX" | "PSETEX" | "EXPIRE" | "PEXPIRE" | "EXPIREAT"
        | "PEXPIREAT" => Effect::Settled,
        // Words among the value's could only be taken for options wrongly if the value itself is
        // one, and the journal has the key all the same.
        "SET" if command.len() > 4 && has(&[b"EX", b"PX", b"EXAT", b"PXAT"]) => Effect::Settled,
        "APPEND" | "SETRANGE" | "SETBIT" | "INCR" | "INCRBY" | "INCRBYFLOAT" | "DECR"
        | "DECRBY" | "HSET" | "HMSET" | "HSETNX" | "HINCRBY" | "HINCRBYFLOAT" | "LPUSH"
        | "RPUSH" | "LINSERT" | "LSET" | "SADD" | "ZADD" | "ZINCRBY" | "XADD" | "XGROUP"
        | "XACK" | "PFADD" | "GEOADD" => Effect::Kept,
        _ => Effect::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        text.split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect()
    }

    #[test]
    fn the_effect_on_an_expiry_is_known() {
        assert_eq!(effect(&command("SET k v EX 10")), Effect::Settled);
        assert_eq!(effect(&command("SET k EX")), Effect::Unknown);
        assert_eq!(effect(&command("INCR k")), Effect::Kept);
        assert_eq!(effect(&command("LPOP k")), Effect::Unknown);
        assert_eq!(effect(&command("DEL k")), Effect::Settled);
    }
}
