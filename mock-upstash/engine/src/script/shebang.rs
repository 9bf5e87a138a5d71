//! The first line of a script or library: `#!lua flags=no-writes name=mylib`.

use bitflags::bitflags;

use crate::error::ReplyError;

bitflags! {
    /// What a script or function says of itself.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct ScriptFlags: u8 {
        /// It writes nothing.
        const NO_WRITES = 1;
        /// It may run when memory is full.
        const ALLOW_OOM = 1 << 1;
        /// It may run on a stale replica.
        const ALLOW_STALE = 1 << 2;
        /// It does not run in cluster mode.
        const NO_CLUSTER = 1 << 3;
        /// It may touch keys of several slots.
        const ALLOW_CROSS_SLOT_KEYS = 1 << 4;
        /// It touches only the keys it declares, so that Upstash need not run it alone.
        const ALLOW_KEY_LOCKING = 1 << 5;
        /// It has no first line of this kind: what it may do is only known as it does it.
        const UNDECLARED = 1 << 6;
    }
}

impl ScriptFlags {
    /// Names as scripts write and FUNCTION LIST shows them, in Redis's order.
    pub const NAMES: &[(&'static str, ScriptFlags)] = &[
        ("no-writes", ScriptFlags::NO_WRITES),
        ("allow-oom", ScriptFlags::ALLOW_OOM),
        ("allow-stale", ScriptFlags::ALLOW_STALE),
        ("no-cluster", ScriptFlags::NO_CLUSTER),
        ("allow-cross-slot-keys", ScriptFlags::ALLOW_CROSS_SLOT_KEYS),
        ("allow-key-locking", ScriptFlags::ALLOW_KEY_LOCKING),
    ];

    /// The flag with a name; `key_locking` says whether Upstash's own is known.
    pub fn named(name: &[u8], key_locking: bool) -> Option<ScriptFlags> {
        Self::NAMES
            .iter()
            .find(|(known, _)| known.as_bytes() == name)
            .map(|(_, flag)| *flag)
            .filter(|flag| key_locking || *flag != ScriptFlags::ALLOW_KEY_LOCKING)
    }
}

/// Splits a script into what its first line declares and the code. The code keeps an empty first
/// line, so that line numbers stay right.
///
/// # Errors
/// With Redis's texts, when the line is malformed or has an unknown engine, option or flag.
pub fn read_script(body: &[u8], key_locking: bool) -> Result<(ScriptFlags, &[u8]), ReplyError> {
    if !body.starts_with(b"#!") {
        return Ok((ScriptFlags::UNDECLARED, body));
    }
    let end = end_of_line(body).ok_or(ReplyError::fixed("ERR Invalid script shebang"))?;
    let words = crate::script::word::split(&body[..end])
        .ok_or(ReplyError::fixed("ERR Invalid engine in script shebang"))?;
    let (engine, options) = match words.split_first() {
        Some((engine, options)) => (&engine[..], options),
        None => (&b""[..], &[][..]),
    };
    if engine != b"#!lua" {
        return Err(ReplyError::naming(
            "ERR Unexpected engine in script shebang: ",
            engine,
        ));
    }
    let mut flags = ScriptFlags::empty();
    for option in options {
        let Some(list) = option.strip_prefix(b"flags=") else {
            return Err(ReplyError::naming(
                "ERR Unknown lua shebang option: ",
                option,
            ));
        };
        if list.is_empty() {
            continue;
        }
        for name in list.split(|&b| b == b',') {
            flags |= ScriptFlags::named(name, key_locking).ok_or_else(|| {
                ReplyError::naming("ERR Unexpected flag in script shebang: ", name)
            })?;
        }
    }
    Ok((flags, &body[end..]))
}

/// Where the first line ends. Redis looks for that as C does, which stops at a zero byte.
pub(super) fn end_of_line(code: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\n', 0, code).filter(|end| code[*end] == b'\n')
}
