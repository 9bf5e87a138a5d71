//! Servers broken on purpose, a way at a time: a real one, with something in between.

mod catalogue;
mod queue;
mod script;
mod value;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use scenarios::client::{Capabilities, Client, Command, Subscription};
use scenarios::{ClientError, Connector, Reply};

pub(super) use self::catalogue::{Breakage, CAUGHT_BY};

/// Passes commands on, except for what is broken.
pub(super) struct Broken {
    inner: Arc<dyn Connector>,
    how: Breakage,
    shared: Arc<Shared>,
}

/// What the clients of a broken server have in common.
#[derive(Default)]
struct Shared {
    /// What keys held before their last write.
    before: Mutex<HashMap<Vec<u8>, Reply>>,
    /// How often there was an occasion to go wrong.
    occasions: AtomicU64,
    /// The last answer that anybody was given.
    last_answer: Mutex<Option<Reply>>,
}

struct BrokenClient {
    inner: Box<dyn Client>,
    how: Breakage,
    shared: Arc<Shared>,
    /// A message that its publisher's next will overtake.
    late: Option<Command>,
}

impl Broken {
    pub(super) fn new(inner: Arc<dyn Connector>, how: Breakage) -> Self {
        Broken {
            inner,
            how,
            shared: Arc::default(),
        }
    }
}

#[async_trait]
impl Connector for Broken {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        Ok(Box::new(BrokenClient {
            inner: self.inner.connect().await?,
            how: self.how,
            shared: self.shared.clone(),
            late: None,
        }))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // Of a blocking pop, what came out would have to be put back elsewhere.
            blocking: false,
            ..self.inner.capabilities()
        }
    }
}

fn words(words: &[&[u8]]) -> Command {
    words.iter().map(|word| word.to_vec()).collect()
}

fn number(word: &[u8]) -> i64 {
    String::from_utf8_lossy(word).parse().unwrap_or(0)
}

/// A number as a reply brings it.
fn count(reply: &Reply) -> i64 {
    match reply {
        Reply::Integer(count) => *count,
        other => number(other.as_bytes().unwrap_or_default()),
    }
}

/// Whether a command is a script that has this in it.
fn is_script(command: &Command, part: &str) -> bool {
    command[0] == b"EVAL" && String::from_utf8_lossy(&command[1]).contains(part)
}

impl BrokenClient {
    /// Whether something goes wrong this time.
    fn now_and_then(&self) -> bool {
        self.one_in(10)
    }

    fn one_in(&self, so_many: u64) -> bool {
        self.shared.occasions.fetch_add(1, Ordering::Relaxed) % so_many == so_many - 1
    }

    async fn send(&mut self, command: &[&[u8]]) -> Result<Reply, ClientError> {
        self.inner.command(&words(command)).await
    }

    /// What a key held before its last write.
    fn copy(&self, key: &[u8]) -> Option<Reply> {
        let before = self.shared.before.lock();
        let before = before.unwrap_or_else(PoisonError::into_inner);
        before.get(key).cloned()
    }

    async fn remember(&mut self, key: &[u8]) -> Result<(), ClientError> {
        let held = self.send(&[b"GET", key]).await?;
        let before = self.shared.before.lock();
        let mut before = before.unwrap_or_else(PoisonError::into_inner);
        before.insert(key.to_vec(), held);
        Ok(())
    }
}

#[async_trait]
impl Client for BrokenClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        if let Some(reply) = self.value(command).await? {
            return Ok(reply);
        }
        if let Some(reply) = self.script(command).await? {
            return Ok(reply);
        }
        match self.queue(command).await? {
            Some(reply) => Ok(reply),
            None => self.inner.command(command).await,
        }
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        self.inner.pipeline(commands).await
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        match self.how {
            Breakage::SplitTransactions => {}
            Breakage::LosesTransactions if self.now_and_then() => {
                return Ok(Reply::Array(vec![Reply::Integer(1); commands.len()]));
            }
            Breakage::RepeatsTransactions if self.now_and_then() => {
                self.inner.transaction(commands).await?;
                return self.inner.transaction(commands).await;
            }
            _ => return self.inner.transaction(commands).await,
        }
        let mut replies = Vec::new();
        for command in commands {
            replies.push(self.inner.command(command).await?);
        }
        Ok(Reply::Array(replies))
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        self.inner.subscribe(channels, pattern).await
    }

    fn sync_token(&self) -> Option<Vec<u8>> {
        self.inner.sync_token()
    }

    fn adopt_sync_token(&mut self, token: &[u8]) {
        self.inner.adopt_sync_token(token);
    }
}
