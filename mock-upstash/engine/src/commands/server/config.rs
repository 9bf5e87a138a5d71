//! CONFIG GET and CONFIG SET. Upstash knows `notify-keyspace-events` alone.

use bytes::Bytes;

use crate::call::Call;
use crate::dialect::Quirk;
use crate::engine::Engine;
use crate::error::{ReplyError, SYNTAX, as_c_text};
use crate::glob;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};

/// Sets a setting, or says why not.
type Write = fn(&mut Engine, &[u8]) -> Result<(), &'static str>;

/// A setting: its name, how it reads, and how it is set (`None` when it cannot be).
struct Setting {
    name: &'static str,
    read: fn(&Engine) -> String,
    write: Option<Write>,
}

const SETTINGS: &[Setting] = &[
    Setting {
        name: "notify-keyspace-events",
        read: |engine| engine.config.notifications.letters(),
        write: Some(|engine, value| {
            let classes = Class::parse(value)
                .ok_or("Invalid event class character. Use 'Ag$lshzxeKEtmdnoc'.")?;
            // Upstash's documentation does not know the latest two (howto/keyspacenotifications).
            if engine.dialect.has(Quirk::ConfigNotificationsOnly) {
                let unknown = Class::OVERWRITTEN | Class::TYPE_CHANGED;
                if classes.intersects(unknown) {
                    return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
                }
            }
            engine.set_notifications(classes);
            Ok(())
        }),
    },
    Setting {
        name: "databases",
        read: |engine| engine.databases.len().to_string(),
        write: None,
    },
    Setting {
        name: "maxmemory",
        read: |_| "0".to_owned(),
        write: None,
    },
    Setting {
        name: "maxmemory-policy",
        read: |_| "noeviction".to_owned(),
        write: None,
    },
    Setting {
        name: "appendonly",
        read: |_| "no".to_owned(),
        write: None,
    },
    Setting {
        name: "save",
        read: |_| String::new(),
        write: None,
    },
    Setting {
        name: "proto-max-bulk-len",
        read: |engine| engine.config.max_string_bytes.to_string(),
        write: None,
    },
    Setting {
        name: "lua-time-limit",
        read: |engine| engine.config.script_time_limit_ms.to_string(),
        write: None,
    },
];

/// The settings this dialect knows.
fn known(call: &Call<'_>) -> &'static [Setting] {
    if call.quirk(Quirk::ConfigNotificationsOnly) {
        &SETTINGS[..1]
    } else {
        SETTINGS
    }
}

/// `CONFIG GET pattern [pattern …]`
pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let mut pairs = Vec::new();
    for setting in known(call) {
        let name = setting.name.as_bytes();
        let wanted = call
            .args_from(2)
            .iter()
            .find(|pattern| glob::matches(&pattern.to_ascii_lowercase(), name));
        if let Some(pattern) = wanted {
            // A name that is written out is shown as it was written.
            let shown = if pattern.eq_ignore_ascii_case(name) {
                pattern
            } else {
                name
            };
            let value = (setting.read)(call.engine);
            pairs.push((Reply::bulk(shown), Reply::bulk(value)));
        }
    }
    if call.quirk(Quirk::ConfigGetEmptyValue) && pairs.is_empty() {
        for name in call.args_from(2) {
            pairs.push((Reply::bulk(name), Reply::bulk("")));
        }
    }
    if call.quirk(Quirk::Resp3Forms) {
        return Ok(Reply::Array(
            pairs
                .into_iter()
                .flat_map(|(name, value)| [name, value])
                .collect(),
        ));
    }
    Ok(Reply::Map(pairs))
}

/// `CONFIG SET name value [name value …]`. Redis sets all or nothing; Upstash goes from left to right
/// and keeps what it set before an error.
pub(super) fn set(call: &mut Call<'_>) -> Outcome {
    let pairs = call.args_from(2);
    if !pairs.len().is_multiple_of(2) {
        return Err(if call.quirk(Quirk::ConfigNotificationsOnly) {
            ReplyError::arity(&call.command.full_name())
        } else {
            SYNTAX
        });
    }
    let all_or_nothing = !call.quirk(Quirk::ConfigNotificationsOnly);
    let mut writes: Vec<(&Setting, Write, &[Bytes])> = Vec::new();
    for pair in pairs.chunks_exact(2) {
        let (setting, write) = writable(known(call), &pair[0])?;
        if all_or_nothing {
            if writes.iter().any(|(other, ..)| other.name == setting.name) {
                return Err(refused(&pair[0], "duplicate parameter"));
            }
            writes.push((setting, write, pair));
        } else {
            write(call.engine, as_c_text(&pair[1])).map_err(|why| refused(&pair[0], why))?;
        }
    }
    let before = call.engine.config.clone();
    for (_, write, pair) in writes {
        if let Err(why) = write(call.engine, as_c_text(&pair[1])) {
            call.engine.set_notifications(before.notifications);
            call.engine.config = before;
            return Err(refused(&pair[0], why));
        }
    }
    Ok(Reply::OK)
}

/// The setting with a name, and how it is set.
fn writable(
    settings: &'static [Setting],
    name: &[u8],
) -> Result<(&'static Setting, Write), ReplyError> {
    let setting = settings
        .iter()
        .find(|setting| name.eq_ignore_ascii_case(setting.name.as_bytes()))
        .ok_or_else(|| {
            let text = "ERR Unknown option or number of arguments for CONFIG SET - '";
            ReplyError::quoting(text, name, "'")
        })?;
    match setting.write {
        Some(write) => Ok((setting, write)),
        None => Err(refused(name, "can't set immutable config")),
    }
}

fn refused(name: &[u8], why: &str) -> ReplyError {
    let before = "ERR CONFIG SET failed (possibly related to argument '";
    ReplyError::quoting(before, name, &format!("') - {why}"))
}
