//! CONFIG GET and CONFIG SET. Upstash knows `notify-keyspace-events` alone.

use crate::call::Call;
use crate::dialect::Quirk;
use crate::engine::Engine;
use crate::error::{ReplyError, as_c_text};
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
            engine.config.notifications = Class::parse(value)
                .ok_or("Invalid event class character. Use 'g$lshzxeKEtmdnocr'.")?;
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
        let wanted = call
            .args_from(2)
            .iter()
            .any(|pattern| glob::matches(&pattern.to_ascii_lowercase(), setting.name.as_bytes()));
        if wanted {
            let value = (setting.read)(call.engine);
            pairs.push((Reply::bulk(setting.name), Reply::bulk(value)));
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
        return Err(ReplyError::arity(&call.command.full_name()));
    }
    let settings = known(call);
    let before = call.engine.config.clone();
    for pair in pairs.chunks_exact(2) {
        let name = pair[0].to_ascii_lowercase();
        let outcome = match settings
            .iter()
            .find(|setting| setting.name.as_bytes() == name)
        {
            None => Err(ReplyError::quoting(
                "ERR Unknown option or number of arguments for CONFIG SET - '",
                &pair[0],
                "'",
            )),
            Some(setting) => match setting.write {
                None => Err("can't set immutable config".to_owned()),
                Some(write) => write(call.engine, as_c_text(&pair[1])).map_err(str::to_owned),
            }
            .map_err(|why| {
                ReplyError::new(format!(
                    "ERR CONFIG SET failed (possibly related to argument '{}') - {why}",
                    setting.name
                ))
            }),
        };
        if let Err(error) = outcome {
            if !call.quirk(Quirk::ConfigNotificationsOnly) {
                call.engine.config = before;
            }
            return Err(error);
        }
    }
    Ok(Reply::OK)
}
