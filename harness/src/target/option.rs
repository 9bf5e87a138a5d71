//! What the user may set about targets, and the environment that credentials come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::secret::Secret;

/// The version of the Redis protocol that a TCP target is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// What redis-cli and most client libraries speak unless told otherwise.
    #[default]
    Resp2,
    /// RESP3, asked for by `HELLO 3`; a server that refuses it is spoken to in RESP2.
    Resp3,
}

/// Where credentials come from: the process's environment, or a map in tests.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process.
    pub fn process() -> Self {
        Environment(
            std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        )
    }

    /// An environment of these variables alone.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Environment(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// A variable's value, unless it is unset or blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The first of these variables that is set, with its name, as a secret.
    pub fn secret<'n>(&self, names: &[&'n str]) -> Option<(&'n str, Secret)> {
        names
            .iter()
            .find_map(|name| Some((*name, Secret::new(self.get(name)?))))
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets; names are not.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Tells the user what takes a while: getting an image, say. Silent unless told otherwise.
#[derive(Clone, Default)]
pub struct Notify(Option<Arc<Show>>);

type Show = dyn Fn(&str) + Send + Sync;

impl Notify {
    /// Passes each line on to `show`.
    pub fn new(show: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Notify(Some(Arc::new(show)))
    }

    pub(super) fn tell(&self, line: &str) {
        if let Some(show) = &self.0 {
            show(line);
        }
    }
}

impl std::fmt::Debug for Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Notify(…)"
        } else {
            "Notify(silent)"
        })
    }
}

/// What the user may set about targets.
#[derive(Debug, Clone)]
pub struct Options {
    /// The image of the Redis container, when the user named one (`--redis-image`,
    /// `SWAPCHECK_REDIS_IMAGE`). Without it [`DEFAULT_REDIS_IMAGE`] is tried, and a failure to get
    /// it falls back to a `redis-server` on PATH.
    pub redis_image: Option<String>,
    /// A certificate authority in PEM format, trusted besides the system's (`--ca-file`).
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a reply may take; a blocking command's own timeout comes on top.
    pub reply_timeout: Duration,
    /// The version of the Redis protocol.
    pub protocol: Protocol,
    /// How many billable commands may be sent to a target that swapcheck did not start.
    pub max_commands: Option<u64>,
    /// Where credentials come from.
    pub environment: Environment,
    /// Where the journals of keys on other people's servers are kept, so that a run after a crash
    /// can clean up. By default a folder in the user's state folder.
    pub journal_dir: Option<PathBuf>,
    /// Tells the user what takes a while.
    pub notify: Notify,
}

/// The image of the Redis container unless the user names another.
pub const DEFAULT_REDIS_IMAGE: &str = "redis:8";

impl Default for Options {
    fn default() -> Self {
        Options {
            redis_image: None,
            ca_file: None,
            connect_timeout: Duration::from_secs(5),
            reply_timeout: Duration::from_secs(10),
            protocol: Protocol::default(),
            max_commands: None,
            environment: Environment::default(),
            journal_dir: None,
            notify: Notify::default(),
        }
    }
}
