//! What a guest never sends: commands that reach beyond its own keys.

use scenarios::client::Command;
use scenarios::key_position::keys;

use super::command::name;

/// Why a command is refused, or that it may be sent.
pub(crate) type Verdict = Result<(), String>;

/// Whether a guest whose keys begin with `prefix` may send the command.
pub(crate) fn judge(command: &Command, prefix: &[u8]) -> Verdict {
    let name = name(command);
    let subcommand = command
        .get(1)
        .map(|sub| String::from_utf8_lossy(sub).to_ascii_uppercase())
        .unwrap_or_default();
    if let Some(reason) = forbidden(&name, &subcommand) {
        return Err(refusal(&full_name(&name, &subcommand), reason));
    }
    match name.as_str() {
        "EVAL" | "EVAL_RO" => judge_script(command.get(1))?,
        "SCRIPT" if subcommand == "LOAD" => judge_script(command.get(2))?,
        "SELECT" if command.len() == 2 && subcommand != "0" => {
            return Err(refusal(
                "SELECT",
                "its keys would be in a database where nobody looks for them",
            ));
        }
        "SCAN" => judge_scan(command, prefix)?,
        _ => {}
    }
    // Of a command that nobody knows, the first argument is taken for its key.
    match keys(command).iter().find(|key| !key.starts_with(prefix)) {
        Some(key) => Err(format!(
            "{name} is not sent to a server that swapcheck did not start: '{}' does not begin with \
             this scenario's prefix. Write keys and channels as {{name}}",
            shown(key)
        )),
        None => Ok(()),
    }
}

/// Channels are shared between all clients of a server: a message to another's channel is heard.
pub(crate) fn judge_channels(channels: &[Vec<u8>], prefix: &[u8]) -> Verdict {
    match channels.iter().find(|channel| !channel.starts_with(prefix)) {
        Some(channel) => Err(format!(
            "the channel '{}' is not used on a server that swapcheck did not start: it does not \
             begin with this scenario's prefix. Write channels as {{name}}",
            shown(channel)
        )),
        None => Ok(()),
    }
}

/// Whether a script calls a forbidden command by name. A name that is put together while the script
/// runs cannot be seen.
fn judge_script(text: Option<&Vec<u8>>) -> Verdict {
    let Some(text) = text else { return Ok(()) };
    let text = String::from_utf8_lossy(text);
    for call in text.split("call").skip(1) {
        let mut words = literals(call);
        let Some(name) = words.next() else { continue };
        let subcommand = words.next().unwrap_or_default();
        if let Some(reason) = forbidden(&name, &subcommand) {
            return Err(refusal(
                &format!("a script with {}", full_name(&name, &subcommand)),
                reason,
            ));
        }
    }
    Ok(())
}

/// The string literals that begin a list of arguments: `('CONFIG', "SET", x)` has two.
fn literals(call: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = call.trim_start();
    rest = rest.strip_prefix('(').unwrap_or(rest);
    std::iter::from_fn(move || {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let end = rest[1..].find(quote)?;
        let word = rest[1..=end].to_ascii_uppercase();
        rest = &rest[end + 2..];
        Some(word)
    })
}

/// A scan of other people's keys would show their names in a report. A scan that the server refuses
/// for its arguments scans nothing.
fn judge_scan(command: &Command, prefix: &[u8]) -> Verdict {
    let digits = |text: &Vec<u8>| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if !command.get(1).is_some_and(digits) {
        return Ok(());
    }
    let after = |word: &[u8]| {
        let at = command
            .iter()
            .skip(2)
            .position(|argument| argument.eq_ignore_ascii_case(word))?;
        command.get(at + 3)
    };
    let wrong_count = after(b"COUNT")
        .is_some_and(|count| !digits(count) || count.iter().all(|digit| *digit == b'0'));
    if wrong_count || after(b"MATCH").is_some_and(|pattern| pattern.starts_with(prefix)) {
        return Ok(());
    }
    Err(refusal(
        "SCAN",
        "without MATCH and this scenario's prefix it shows other people's keys",
    ))
}

fn forbidden(name: &str, subcommand: &str) -> Option<&'static str> {
    Some(match (name, subcommand) {
        ("FLUSHALL" | "FLUSHDB" | "SWAPDB", _) => "it removes other people's keys",
        ("KEYS" | "RANDOMKEY", _) => {
            "it shows other people's keys, and KEYS halts the server while it looks"
        }
        ("CONFIG", "GET" | "HELP" | "") => return None,
        ("CONFIG", _) => "it changes the server for everybody",
        ("SCRIPT", "FLUSH" | "KILL" | "DEBUG") => "it takes other people's scripts away",
        ("FUNCTION", "LIST" | "DUMP" | "STATS" | "HELP" | "") => return None,
        ("FUNCTION", _) => "libraries of functions are shared by everybody",
        ("FCALL" | "FCALL_RO", _) => "the function would be somebody else's",
        ("ACL", "WHOAMI" | "CAT" | "HELP" | "GENPASS" | "DRYRUN" | "") => return None,
        ("ACL", _) => "it changes or shows who may do what",
        ("CLIENT", "KILL" | "PAUSE" | "UNPAUSE" | "UNBLOCK" | "NO-EVICT" | "LIST") => {
            "it concerns other people's connections"
        }
        ("CLUSTER", "INFO" | "MYID" | "NODES" | "SLOTS" | "SHARDS" | "KEYSLOT" | "HELP" | "") => {
            return None;
        }
        ("CLUSTER" | "MODULE" | "LATENCY" | "SLOWLOG", "LIST" | "LATEST" | "LEN" | "HELP" | "") => {
            return None;
        }
        (
            "CLUSTER" | "MODULE" | "LATENCY" | "SLOWLOG" | "DEBUG" | "SHUTDOWN" | "REPLICAOF"
            | "SLAVEOF" | "FAILOVER" | "SAVE" | "BGSAVE" | "BGREWRITEAOF" | "MIGRATE" | "MOVE"
            | "MONITOR" | "PSYNC" | "SYNC" | "PFDEBUG" | "RESTORE-ASKING" | "SENTINEL",
            _,
        ) => "it concerns the server as a whole",
        _ => return None,
    })
}

fn full_name(name: &str, subcommand: &str) -> String {
    match name {
        "CONFIG" | "SCRIPT" | "FUNCTION" | "ACL" | "CLIENT" | "CLUSTER" | "MODULE" | "LATENCY"
        | "SLOWLOG" => {
            format!("{name} {subcommand}")
        }
        _ => name.to_owned(),
    }
}

fn refusal(what: &str, reason: &str) -> String {
    format!("{what} is not sent to a server that swapcheck did not start: {reason}")
}

fn shown(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(60).collect();
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge_words(words: &[&str]) -> Verdict {
        let command: Command = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        judge(&command, b"our:")
    }

    #[test]
    fn what_harms_others_is_refused() {
        for words in [
            &["flushall"][..],
            &["FLUSHDB", "ASYNC"],
            &["KEYS", "our:*"],
            &["CONFIG", "SET", "maxmemory", "1"],
            &["config", "resetstat"],
            &["SCRIPT", "FLUSH"],
            &["FUNCTION", "FLUSH"],
            &["FUNCTION", "LOAD", "#!lua"],
            &["ACL", "SETUSER", "x"],
            &["ACL", "DELUSER", "x"],
            &["SHUTDOWN"],
            &["SELECT", "3"],
            &["EVAL", "return redis.call('FLUSHALL')", "0"],
            &[
                "EVAL",
                "return redis.pcall( \"config\" , 'set', 'a', 'b')",
                "0",
            ],
            &["SCRIPT", "LOAD", "redis.call('script','flush')"],
            &["SET", "theirs", "v"],
            &["DEL", "our:a", "theirs"],
            &["EVAL", "return 1", "1", "theirs"],
            &["SORT", "our:a", "STORE", "theirs"],
            &["SCAN", "0"],
            &["SCAN", "0", "MATCH", "*"],
            &["FT.DROPINDEX", "theirs"],
            &["PUBLISH", "theirs", "x"],
        ] {
            assert!(judge_words(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn what_stays_at_home_is_sent() {
        for words in [
            &["SET", "our:a", "FLUSHALL"][..],
            &["PING"],
            &["CONFIG", "GET", "maxmemory"],
            &[
                "EVAL",
                "return redis.call('GET', KEYS[1]) -- not flushall",
                "1",
                "our:a",
            ],
            &["EVAL", "return cjson.encode({'KEYS'})", "0"],
            &["SCAN", "0", "MATCH", "our:*", "COUNT", "10"],
            &["SCAN", "abc"],
            &["SCAN", "0", "COUNT", "0"],
            &["NOSUCHCOMMAND"],
            &["NOSUCHCOMMAND", "our:a"],
            &["PUBLISH", "our:news", "x"],
            &["SELECT", "0"],
            &["GET"],
        ] {
            assert_eq!(judge_words(words), Ok(()), "{words:?}");
        }
    }
}
