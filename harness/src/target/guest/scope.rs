//! One scenario's access to a target: clients that count, and keep to the rules.

use std::sync::Arc;

use async_trait::async_trait;
use scenarios::client::{Capabilities, Command, Subscription};
use scenarios::{Client, ClientError, Connector, Reply};

use super::ledger::{Ledger, ScopeState};
use super::rule;
use crate::cost::{Billed, Tariff};

/// One scenario's access to a target.
pub struct Scope {
    ledger: Arc<Ledger>,
    state: Arc<ScopeState>,
}

impl Scope {
    pub(super) fn new(ledger: Arc<Ledger>, state: Arc<ScopeState>) -> Self {
        Scope { ledger, state }
    }

    /// Makes the clients of this scenario.
    pub fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(ScopeConnector {
            ledger: self.ledger.clone(),
            state: self.state.clone(),
        })
    }

    /// How many billable commands this scope sent so far, as Upstash counts them.
    pub fn billable(&self) -> u64 {
        self.billed().commands
    }

    /// What this scope sent so far, as a bill counts it.
    pub fn billed(&self) -> Billed {
        self.state.billed()
    }

    /// Deletes the keys that the scenario left behind on a server that swapcheck did not start.
    ///
    /// # Errors
    /// When they could not be deleted; they are tried again at the end of the run.
    pub async fn finish(self) -> Result<(), ClientError> {
        if !self.ledger.is_guest() {
            return Ok(());
        }
        self.ledger.sweep(&self.state).await?;
        self.ledger.forget(&self.state);
        Ok(())
    }
}

struct ScopeConnector {
    ledger: Arc<Ledger>,
    state: Arc<ScopeState>,
}

#[async_trait]
impl Connector for ScopeConnector {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        let greeting = match self.ledger.connector().capabilities().connection {
            true => Tariff::GREETING,
            false => Billed::default(),
        };
        self.ledger.admit(&self.state, &[], greeting).await?;
        Ok(Box::new(ScopeClient {
            inner: self.ledger.connector().connect().await?,
            ledger: self.ledger.clone(),
            state: self.state.clone(),
        }))
    }

    fn capabilities(&self) -> Capabilities {
        self.ledger.connector().capabilities()
    }
}

struct ScopeClient {
    inner: Box<dyn Client>,
    ledger: Arc<Ledger>,
    state: Arc<ScopeState>,
}

/// Counts a request as under way until it is answered or given up.
struct InFlight {
    ledger: Arc<Ledger>,
    answered: bool,
}

impl InFlight {
    fn begin(ledger: &Arc<Ledger>) -> Self {
        ledger.begin_request();
        InFlight {
            ledger: ledger.clone(),
            answered: false,
        }
    }

    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.ledger.end_request(self.answered);
    }
}

impl ScopeClient {
    /// Lets commands through, or refuses them. What is let through counts as under way from before
    /// it is checked: a run that ends meanwhile waits for it.
    async fn enter(
        &mut self,
        commands: &[Command],
        extra: Billed,
    ) -> Result<InFlight, ClientError> {
        let under_way = InFlight::begin(&self.ledger);
        match self.ledger.admit(&self.state, commands, extra).await {
            Ok(()) => Ok(under_way),
            Err(refusal) => {
                under_way.answered();
                Err(refusal)
            }
        }
    }
}

#[async_trait]
impl Client for ScopeClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let commands = std::slice::from_ref(command);
        let under_way = self.enter(commands, Billed::default()).await?;
        let reply = self.inner.command(command).await?;
        under_way.answered();
        self.ledger.settle(&self.state, commands, &[&reply])?;
        Ok(reply)
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        let under_way = self.enter(commands, Billed::default()).await?;
        let replies = self.inner.pipeline(commands).await?;
        under_way.answered();
        let each: Vec<&Reply> = replies.iter().collect();
        self.ledger.settle(&self.state, commands, &each)?;
        Ok(replies)
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        // Over TCP, MULTI and EXEC are commands too.
        let around = match self.ledger.connector().capabilities().rest {
            true => Billed::default(),
            false => Tariff::TRANSACTION,
        };
        let under_way = self.enter(commands, around).await?;
        let reply = self.inner.transaction(commands).await?;
        under_way.answered();
        self.ledger.settle(&self.state, commands, &[&reply])?;
        Ok(reply)
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        if self.ledger.is_guest() {
            rule::judge_channels(channels, self.state.prefix()).map_err(ClientError::Refused)?;
        }
        let subscribing = Billed {
            commands: channels.len() as u64,
            ..Billed::default()
        };
        let under_way = self.enter(&[], subscribing).await?;
        let subscription = self.inner.subscribe(channels, pattern).await?;
        under_way.answered();
        Ok(subscription)
    }

    fn sync_token(&self) -> Option<Vec<u8>> {
        self.inner.sync_token()
    }

    fn adopt_sync_token(&mut self, token: &[u8]) {
        self.inner.adopt_sync_token(token);
    }
}
