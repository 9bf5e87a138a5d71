//! One step of a transcript, and how its templates become commands.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::Command;
use crate::document::Location;
use crate::expectation::Expectation;
use crate::requirement::Requirement;

/// How long `message` waits when it does not say how long.
pub const MESSAGE_PATIENCE: Duration = Duration::from_secs(5);

/// One step: who does what, and the reply that is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The name before `>`; empty for the default client, and for `wait`.
    pub client: String,
    /// What is done.
    pub action: Action,
    /// The reply expected; `None` for a probe, which is compared and not judged.
    pub expect: Option<Expectation>,
    /// What a target must offer to run this step, beside what the whole scenario requires.
    pub requirements: Vec<Requirement>,
    /// Where the step begins.
    pub location: Location,
    /// The step as written, prompt included and reply left out; several lines for a block.
    pub source: String,
    /// The last line of the command, and the last of the reply after it: the same without one.
    pub(crate) ends: (usize, usize),
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `> GET {k}`: sends a command and takes its reply.
    Command(CommandTemplate),
    /// `a>& BLPOP {q} 5`: sends a command and goes on without its reply, which a later
    /// [`Action::Await`] of the same client takes.
    Start(CommandTemplate),
    /// `a> await`: takes the reply of the command that the client started.
    Await,
    /// `> every SCAN 0 MATCH {k}*`: follows the cursor to the end; the reply is one array of all
    /// elements, each once. See [`crate::cursor::Cursor`].
    Every(CommandTemplate),
    /// `> pipeline` … `end`: all commands at once; the reply is an array with a reply for each.
    Pipeline(Vec<CommandTemplate>),
    /// `> multi` … `exec`: one transaction; the reply is what `EXEC` answers.
    Transaction(Vec<CommandTemplate>),
    /// `> SUBSCRIBE {c}` or `> PSUBSCRIBE {c}*`: opens a subscription for the client, in place of
    /// one it had. It has no reply; the messages come by [`Action::Message`].
    Subscribe {
        /// Channels, or patterns.
        channels: Vec<Argument>,
        /// Whether they are patterns.
        pattern: bool,
    },
    /// `> message` or `> message within 2s`: the next message; see [`message_reply`].
    Message {
        /// How long to wait for it.
        within: Duration,
    },
    /// `> no message 50ms`: holds when none comes in that time. It has no reply.
    NoMessage {
        /// How long to listen.
        within: Duration,
    },
    /// `> unsubscribe`: ends the client's subscription.
    Unsubscribe,
    /// `wait 250ms`: lets time pass, for all clients.
    Wait(Duration),
}

/// The reply that a `message` step is judged by: channel and payload, before them the pattern when
/// the subscription is one to patterns.
pub fn message_reply(message: &crate::client::Message) -> crate::Reply {
    let mut parts = Vec::new();
    parts.extend(message.pattern.clone().map(crate::Reply::Bulk));
    parts.push(crate::Reply::Bulk(message.channel.clone()));
    parts.push(crate::Reply::Bulk(message.payload.clone()));
    crate::Reply::Array(parts)
}

impl Action {
    /// Whether a client does it; time passing is nobody's.
    pub fn has_client(&self) -> bool {
        !matches!(self, Action::Wait(_))
    }

    /// Whether it yields a reply that an expectation can judge.
    pub fn has_reply(&self) -> bool {
        match self {
            Action::Command(_)
            | Action::Await
            | Action::Every(_)
            | Action::Pipeline(_)
            | Action::Transaction(_)
            | Action::Message { .. } => true,
            Action::Start(_)
            | Action::Subscribe { .. }
            | Action::NoMessage { .. }
            | Action::Unsubscribe
            | Action::Wait(_) => false,
        }
    }

    /// The commands it sends, in order.
    pub fn commands(&self) -> &[CommandTemplate] {
        match self {
            Action::Command(command) | Action::Start(command) | Action::Every(command) => {
                std::slice::from_ref(command)
            }
            Action::Pipeline(commands) | Action::Transaction(commands) => commands,
            _ => &[],
        }
    }

    /// Every argument of every command, and the channels of a subscription.
    pub fn arguments(&self) -> impl Iterator<Item = &Argument> {
        let channels: &[Argument] = match self {
            Action::Subscribe { channels, .. } => channels,
            _ => &[],
        };
        self.commands()
            .iter()
            .flat_map(|command| &command.arguments)
            .chain(channels)
    }
}

/// A command as written, its keys and captured replies not yet filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandTemplate {
    /// The command's name and its arguments.
    pub arguments: Vec<Argument>,
    /// Where the name stands.
    pub location: Location,
    /// The command as written, without its prompt.
    pub source: String,
}

impl CommandTemplate {
    /// The command's name in upper case, `SET` for `set`.
    pub fn name(&self) -> String {
        let name = self
            .arguments
            .first()
            .and_then(Argument::literal)
            .unwrap_or_default();
        String::from_utf8_lossy(&name).to_ascii_uppercase()
    }

    /// The command to send.
    ///
    /// # Errors
    /// When it uses a reply that was not captured, because the step that captures it did not run.
    pub fn render(&self, bindings: Bindings<'_>) -> Result<Command, NotCaptured> {
        self.arguments
            .iter()
            .map(|argument| argument.render(bindings))
            .collect()
    }
}

/// One argument: pieces that are joined without anything between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Argument {
    /// The pieces.
    pub pieces: Vec<Piece>,
    /// Where it stands.
    pub location: Option<Location>,
}

/// A part of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// `{name}`: a key.
    Key(String),
    /// `$name`: a captured reply.
    Capture(String),
    /// `<1000 ab>`: a text repeated, and cut, to fill a length in bytes.
    Fill {
        /// The length in bytes.
        length: usize,
        /// What is repeated.
        unit: Vec<u8>,
    },
}

impl Argument {
    /// The bytes to send.
    ///
    /// # Errors
    /// When it uses a reply that was not captured.
    pub fn render(&self, bindings: Bindings<'_>) -> Result<Vec<u8>, NotCaptured> {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(literal) => bytes.extend_from_slice(literal),
                Piece::Key(name) => bytes.extend((bindings.keys)(name)),
                Piece::Capture(name) => match bindings.captures.get(name) {
                    Some(captured) => bytes.extend_from_slice(captured),
                    None => return Err(NotCaptured(name.clone())),
                },
                Piece::Fill { length, unit } => {
                    bytes.extend(unit.iter().copied().cycle().take(*length));
                }
            }
        }
        Ok(bytes)
    }

    /// Its bytes, when they depend on no key and no captured reply.
    pub fn literal(&self) -> Option<Vec<u8>> {
        let keys = |_: &str| Vec::new();
        let captures = Captures::new();
        let fixed = |piece: &Piece| matches!(piece, Piece::Bytes(_) | Piece::Fill { .. });
        self.pieces
            .iter()
            .all(fixed)
            .then(|| {
                self.render(Bindings {
                    keys: &keys,
                    captures: &captures,
                })
                .ok()
            })
            .flatten()
    }

    /// The keys it names.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Key(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether it begins with `{name}`, and so stays under the run's own prefix.
    pub fn begins_with_key(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Key(_)))
    }
}

/// Captured replies by name, without the `$`.
pub type Captures = BTreeMap<String, Vec<u8>>;

/// What a template needs to become bytes: the run's keys, and the replies captured so far.
#[derive(Clone, Copy)]
pub struct Bindings<'a> {
    /// The key that `{name}` stands for in this run and scenario.
    pub keys: &'a (dyn Fn(&str) -> Vec<u8> + Sync),
    /// The replies captured so far.
    pub captures: &'a Captures,
}

/// A template uses a reply that no step has captured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("${0} was not captured: the step that captures it did not run, or its reply did not match")]
pub struct NotCaptured(pub String);

impl From<&[u8]> for Argument {
    /// An argument of these bytes, as they are.
    fn from(bytes: &[u8]) -> Argument {
        Argument {
            pieces: vec![Piece::Bytes(bytes.to_vec())],
            location: None,
        }
    }
}
