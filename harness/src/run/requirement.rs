//! Which scenarios and steps a target can do: what its transport is asked, what its version says,
//! and, for single commands, what it answers when they are sent to it without arguments.

use std::collections::BTreeMap;

use tokio::sync::Mutex;

use scenarios::client::{ClientError, Command};
use scenarios::requirement::{Requirement, Version};
use scenarios::{Reply, Scenario};

use crate::target::{KeyExpiry, Target};

/// What a target can do, asked once per command and remembered.
pub(super) struct Ability {
    version: Option<Version>,
    commands: Mutex<BTreeMap<String, bool>>,
}

/// What of a scenario a target can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    /// All steps but these, each with the reason.
    Steps(BTreeMap<usize, String>),
    /// Nothing of it, for this reason.
    Nothing(String),
    /// It could not be found out.
    Unknown(String),
}

impl Ability {
    pub(super) fn of(target: &Target) -> Self {
        let version = target.version.as_deref().and_then(version_in);
        Ability {
            version,
            commands: Mutex::default(),
        }
    }

    /// What of the scenario the target can do.
    pub(super) async fn fit(&self, target: &Target, scenario: &Scenario) -> Fit {
        for requirement in &scenario.requirements {
            match self.lacks(target, requirement).await {
                Ok(None) => {}
                Ok(Some(reason)) => return Fit::Nothing(reason),
                Err(error) => return Fit::Unknown(error.to_string()),
            }
        }
        let mut unsupported = BTreeMap::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            for requirement in &step.requirements {
                match self.lacks(target, requirement).await {
                    Ok(None) => {}
                    Ok(Some(reason)) => {
                        unsupported.insert(index, reason);
                    }
                    Err(error) => return Fit::Unknown(error.to_string()),
                }
            }
        }
        Fit::Steps(unsupported)
    }

    /// Why the target does not meet the requirement, or `None` when it does.
    async fn lacks(
        &self,
        target: &Target,
        requirement: &Requirement,
    ) -> Result<Option<String>, ClientError> {
        let able = target.capabilities();
        let lacking = |lacks: bool, reason: &str| Ok(lacks.then(|| reason.to_owned()));
        match requirement {
            Requirement::OnlyRest => {
                lacking(!able.rest, "only over REST, and this target speaks TCP")
            }
            Requirement::OnlyTcp => {
                lacking(able.rest, "only over TCP, and this target speaks REST")
            }
            Requirement::NeedsBlocking => lacking(
                !able.blocking,
                "needs blocking commands, which REST does not offer",
            ),
            Requirement::NeedsConnection => lacking(
                !able.connection,
                "needs a connection with a state, which REST does not offer",
            ),
            Requirement::NeedsCommand(words) => {
                let knows = self.knows(target, words).await?;
                Ok((!knows)
                    .then(|| format!("the target does not know the command {}", words.join(" "))))
            }
            Requirement::Since(wanted) => {
                Ok(self
                    .version
                    .filter(|version| version < wanted)
                    .map(|version| {
                        format!("since Redis {wanted}, and this target answers as {version}")
                    }))
            }
            Requirement::Before(end) => {
                Ok(self
                    .version
                    .filter(|version| version >= end)
                    .map(|version| {
                        format!("ended with Redis {end}, and this target answers as {version}")
                    }))
            }
        }
    }

    async fn knows(&self, target: &Target, words: &[String]) -> Result<bool, ClientError> {
        let name = words.join(" ").to_ascii_uppercase();
        let mut commands = self.commands.lock().await;
        if let Some(known) = commands.get(&name) {
            return Ok(*known);
        }
        // Without arguments a known command answers with an arity error and does nothing. The scope
        // refuses what a guest must not send, whatever its arity.
        let scope = target.scope(b"swapcheck:ability:", KeyExpiry::Guarded);
        let mut client = scope.connector().connect().await?;
        let command: Command = words.iter().map(|word| word.clone().into_bytes()).collect();
        let known = match client.command(&command).await {
            Ok(Reply::Error(error)) => !unknown(&error),
            Ok(_) => true,
            Err(ClientError::Unsupported(_)) => false,
            Err(error) => return Err(error),
        };
        commands.insert(name, known);
        Ok(known)
    }
}

/// Whether an error says that the command does not exist: in Redis's words, in Upstash's, and in
/// Redis's words for a subcommand.
fn unknown(error: &str) -> bool {
    let lower = error.to_ascii_lowercase();
    lower.contains("unknown command")
        || lower.contains("unknown subcommand")
        || lower.contains("command is not available")
}

/// The Redis version in a text such as `Redis 8.0.2` or `Upstash 1.18.1 (Redis 8.4.0)`.
fn version_in(text: &str) -> Option<Version> {
    let after = text.rfind("Redis").map_or(text, |at| &text[at..]);
    let mut words = after.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    words.find_map(Version::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_a_server_says_of_itself() {
        assert_eq!(
            version_in("Redis 8.0.2"),
            Some(Version { major: 8, minor: 0 })
        );
        let upstash = version_in("Upstash 1.18.1 (Redis 8.4.0)");
        assert_eq!(upstash, Some(Version { major: 8, minor: 4 }));
        assert_eq!(version_in("Upstash"), None);
    }

    #[test]
    fn only_an_unknown_command_is_unknown() {
        assert!(unknown(
            "ERR unknown command 'DELEX', with args beginning with: "
        ));
        assert!(unknown(
            "ERR Command is not available: 'LCS'. See https://upstash.com/docs"
        ));
        assert!(!unknown("ERR wrong number of arguments for 'get' command"));
    }
}
