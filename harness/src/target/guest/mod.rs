//! Counting what is sent, and behaving as a guest on a server that swapcheck did not start.
//!
//! # How nothing is left behind
//!
//! A guest writes keys under its scenario's prefix only, and remembers every key that a writing
//! command names. There are three ways in which they go:
//!
//! 1. **At the end of a scenario** ([`Scope::finish`]), and for scenarios that never got there at the
//!    end of the run or on Ctrl-C ([`Ledger::close`]), they are deleted by name. Nothing is scanned.
//! 2. **If the process dies**, by expiry: right after a write, the key is given one of an hour with
//!    `PEXPIRE … NX`, on a connection of its own, so that neither the reply nor its latency is
//!    touched. A scenario that looks at expiries would see that. Its keys are left alone
//!    ([`KeyExpiry::Observed`]).
//! 3. **If the process dies** in one of those, by the next run: keys are noted in a journal on the
//!    local disk before they are first written. A run that finds the journal of a dead one for the
//!    same server deletes its keys first.
//!
//! Commands that reach further than a scenario's own keys are refused before they are sent, scripts
//! that name such commands too; see `rule`. A name that a script puts together while it runs cannot
//! be seen from outside, nor can keys that it does not declare.

mod billing;
mod expiry;
mod journal;
mod key;
mod rule;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use scenarios::client::{Capabilities, Command, Subscription};
use scenarios::{Client, ClientError, Connector, Reply};
use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinHandle;

pub use expiry::KeyExpiry;
pub(crate) use key::only_reads;

use self::billing::Tariff;
use self::expiry::{Effect, SAFETY_EXPIRY, effect};
use self::journal::{Journal, Orphan};

/// A database with more keys than this is not scanned: it is somebody's, and in use.
const LARGE_DATABASE: i64 = 10_000;
/// How long a server may take to run a request that was given up.
const ABANDONED_GRACE: Duration = Duration::from_millis(250);
/// How many keys one DEL names.
const DELETE_BATCH: usize = 200;

/// What was sent to a target, and what is left of it there.
pub(crate) struct Ledger {
    connector: Arc<dyn Connector>,
    tariff: Tariff,
    billed: AtomicU64,
    in_flight: AtomicUsize,
    /// Whether a request was given up before its answer came, as on Ctrl-C.
    abandoned: AtomicBool,
    closed: AtomicBool,
    /// `None` on a server that swapcheck started.
    guest: Option<Guest>,
    scopes: Mutex<Vec<Arc<ScopeState>>>,
}

struct Guest {
    limit: Option<u64>,
    journal: Mutex<Option<Journal>>,
    size: OnceCell<i64>,
    stopped: Mutex<Option<String>>,
}

struct ScopeState {
    prefix: Vec<u8>,
    billed: AtomicU64,
    /// Every key that was written to, and whether it is known to have an expiry.
    keys: Mutex<HashMap<Vec<u8>, bool>>,
    guard: Mutex<Option<Guard>>,
}

/// The task that gives keys an expiry, and where to tell it of one.
struct Guard {
    keys: mpsc::UnboundedSender<Vec<u8>>,
    task: JoinHandle<()>,
}

/// One scenario's access to a target.
pub struct Scope {
    ledger: Arc<Ledger>,
    state: Arc<ScopeState>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these protect is whole after every statement: a panic elsewhere changes nothing.
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Ledger {
    /// A ledger for a server that swapcheck started: it counts.
    pub(crate) fn owned(connector: Arc<dyn Connector>) -> Arc<Self> {
        Arc::new(Ledger::new(connector, None))
    }

    /// A ledger for a server that is somebody else's. `server` names it, without secrets.
    pub(crate) fn guest(
        connector: Arc<dyn Connector>,
        server: &str,
        limit: Option<u64>,
        folder: Option<&Path>,
    ) -> (Arc<Self>, Vec<Orphaned>, Option<String>) {
        let folder = folder.map_or_else(journal::default_folder, Path::to_owned);
        let orphans = Orphan::find(&folder, server)
            .into_iter()
            .map(Orphaned)
            .collect();
        let (journal, warning) = match Journal::create(&folder, server) {
            Ok(journal) => (Some(journal), None),
            Err(error) => (
                None,
                Some(format!(
                    "no journal of keys can be written to {} ({error}): if this run is killed, keys \
                     of scenarios that look at expiries stay on {server}",
                    folder.display()
                )),
            ),
        };
        let guest = Guest {
            limit,
            journal: Mutex::new(journal),
            size: OnceCell::new(),
            stopped: Mutex::new(None),
        };
        (
            Arc::new(Ledger::new(connector, Some(guest))),
            orphans,
            warning,
        )
    }

    fn new(connector: Arc<dyn Connector>, guest: Option<Guest>) -> Self {
        Ledger {
            connector,
            tariff: Tariff::default(),
            billed: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            guest,
            scopes: Mutex::new(Vec::new()),
        }
    }

    /// Opens a scope for a scenario. Must be called within a tokio runtime.
    pub(crate) fn scope(self: &Arc<Self>, prefix: &[u8], expiry: KeyExpiry) -> Scope {
        let guarded = self.guest.is_some() && expiry == KeyExpiry::Guarded;
        let state = Arc::new(ScopeState {
            prefix: prefix.to_vec(),
            billed: AtomicU64::new(0),
            keys: Mutex::new(HashMap::new()),
            guard: Mutex::new(guarded.then(|| {
                let (sender, receiver) = mpsc::unbounded_channel();
                Guard {
                    keys: sender,
                    task: tokio::spawn(guard(self.clone(), receiver)),
                }
            })),
        });
        if self.guest.is_some() {
            locked(&self.scopes).push(state.clone());
        }
        Scope {
            ledger: self.clone(),
            state,
        }
    }

    /// How many billable commands were sent.
    pub(crate) fn billed(&self) -> u64 {
        self.billed.load(Ordering::Relaxed)
    }

    /// Counts commands that belong to no scenario.
    pub(crate) fn bill(&self, commands: u64) {
        self.billed.fetch_add(commands, Ordering::Relaxed);
    }

    /// Why nothing more is sent to this target, once that is so.
    pub(crate) fn stopped(&self) -> Option<String> {
        locked(&self.guest.as_ref()?.stopped).clone()
    }

    /// Lets nothing more through, and deletes what unfinished scenarios left. Returns what could not
    /// be deleted.
    pub(crate) async fn close(&self) -> Vec<String> {
        self.closed.store(true, Ordering::SeqCst);
        let Some(guest) = &self.guest else {
            return Vec::new();
        };
        // A command on its way could write a key after it was deleted.
        for _ in 0..100 {
            if self.in_flight.load(Ordering::SeqCst) == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if self.abandoned.load(Ordering::SeqCst) {
            // Nobody waits for it any more, and the server may still be about to run it.
            tokio::time::sleep(ABANDONED_GRACE).await;
        }
        let scopes = std::mem::take(&mut *locked(&self.scopes));
        let mut problems = Vec::new();
        for state in &scopes {
            if let Err(error) = self.sweep(state).await {
                problems.push(error.to_string());
            }
        }
        if problems.is_empty() {
            if let Some(journal) = locked(&guest.journal).take() {
                journal.close();
            }
        } else {
            locked(&self.scopes).extend(scopes);
        }
        problems
    }

    async fn sweep(&self, state: &ScopeState) -> Result<(), ClientError> {
        let guard = locked(&state.guard).take();
        if let Some(Guard { keys, task }) = guard {
            drop(keys);
            // An expiry that comes after the deletion finds no key; there is no need to wait long.
            let _ = tokio::time::timeout(Duration::from_secs(2), task).await;
        }
        let keys: Vec<Vec<u8>> = locked(&state.keys).keys().cloned().collect();
        self.delete(&keys).await?;
        let mut left = locked(&state.keys);
        for key in &keys {
            left.remove(key);
        }
        Ok(())
    }

    /// Deletes keys by name. Not subject to the budget: it is what the budget must leave room for.
    pub(crate) async fn delete(&self, keys: &[Vec<u8>]) -> Result<(), ClientError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut client = self.connector.connect().await?;
        for batch in keys.chunks(DELETE_BATCH) {
            let mut command = vec![b"DEL".to_vec()];
            command.extend_from_slice(batch);
            self.bill(1);
            if let Reply::Error(text) = client.command(&command).await? {
                return Err(ClientError::Refused(format!(
                    "{} keys that begin with '{}' could not be deleted: {text}. Delete them by hand",
                    keys.len(),
                    String::from_utf8_lossy(
                        keys[0].get(..keys[0].len().min(40)).unwrap_or_default()
                    )
                )));
            }
        }
        Ok(())
    }

    /// Whether the commands may be sent now; if so they are counted and their keys remembered.
    async fn admit(
        &self,
        state: &ScopeState,
        commands: &[Command],
        extra: u64,
    ) -> Result<(), ClientError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(ClientError::Refused(
                "the run is ending: nothing more is sent".to_owned(),
            ));
        }
        let cost = extra
            + commands
                .iter()
                .map(|command| self.tariff.cost(command))
                .sum::<u64>();
        let Some(guest) = &self.guest else {
            self.count(state, cost);
            return Ok(());
        };
        for command in commands {
            rule::judge(command, &state.prefix).map_err(ClientError::Refused)?;
            if key::name(command) == "SCAN" {
                self.check_size(guest).await?;
            }
        }
        guest.spend(&self.billed, cost)?;
        state.billed.fetch_add(cost, Ordering::Relaxed);
        for command in commands.iter().filter(|command| !only_reads(command)) {
            guest.remember(state, command);
        }
        Ok(())
    }

    fn count(&self, state: &ScopeState, cost: u64) {
        state.billed.fetch_add(cost, Ordering::Relaxed);
        self.bill(cost);
    }

    async fn check_size(&self, guest: &Guest) -> Result<(), ClientError> {
        let size = guest
            .size
            .get_or_try_init(|| async {
                let mut client = self.connector.connect().await?;
                self.bill(1);
                match client.command(&vec![b"DBSIZE".to_vec()]).await? {
                    Reply::Integer(size) => Ok::<i64, ClientError>(size),
                    // Who must not ask for the size is not asked to scan either.
                    _ => Ok(i64::MAX),
                }
            })
            .await?;
        if *size > LARGE_DATABASE {
            let size = match *size {
                i64::MAX => "an unknown number of".to_owned(),
                size => size.to_string(),
            };
            return Err(ClientError::Refused(format!(
                "SCAN is not sent to a database with {size} keys that swapcheck did not make: it \
                 walks all of them, and each call is billed. Use a database with fewer than \
                 {LARGE_DATABASE} keys"
            )));
        }
        Ok(())
    }

    /// What a reply says about going on, and what to do for the keys that were written.
    fn settle(
        &self,
        state: &ScopeState,
        commands: &[Command],
        replies: &[&Reply],
    ) -> Result<(), ClientError> {
        let Some(guest) = &self.guest else {
            return Ok(());
        };
        for reply in replies {
            if let Reply::Error(text) = reply
                && is_quota(text)
            {
                let reason = format!(
                    "the database's quota is used up: {text}. Wait for the next period, or use another plan"
                );
                locked(&guest.stopped).get_or_insert(reason.clone());
                return Err(ClientError::Refused(reason));
            }
        }
        let Some(guard) = &*locked(&state.guard) else {
            return Ok(());
        };
        let mut keys = locked(&state.keys);
        for command in commands.iter().filter(|command| !only_reads(command)) {
            let effect = effect(command);
            for key in own_keys(command, &state.prefix) {
                let Some(has_expiry) = keys.get_mut(key) else {
                    continue;
                };
                let needed = match effect {
                    Effect::Settled => false,
                    Effect::Kept => !*has_expiry,
                    Effect::Unknown => true,
                };
                *has_expiry = effect == Effect::Kept;
                if needed {
                    // The task ends only when the scope is swept, and then deletes the key.
                    let _ = guard.keys.send(key.to_vec());
                }
            }
        }
        Ok(())
    }
}

impl Guest {
    fn spend(&self, total: &AtomicU64, cost: u64) -> Result<(), ClientError> {
        // Counted under the lock: of many clients at once, only as many may pass as there is left.
        let mut stopped = locked(&self.stopped);
        let billed = total.load(Ordering::Relaxed);
        if let Some(reason) = &*stopped {
            return Err(ClientError::Refused(reason.clone()));
        }
        match self.limit {
            Some(limit) if billed + cost > limit => {
                let reason = format!(
                    "the budget of {limit} billable commands is used up ({billed} were sent): raise \
                     --max-commands, or run fewer scenarios with --area or --filter"
                );
                *stopped = Some(reason.clone());
                Err(ClientError::Refused(reason))
            }
            _ => {
                total.fetch_add(cost, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    fn remember(&self, state: &ScopeState, command: &Command) {
        let mut keys = locked(&state.keys);
        for key in own_keys(command, &state.prefix) {
            if keys.contains_key(key) {
                continue;
            }
            if let Some(journal) = &mut *locked(&self.journal)
                && let Err(error) = journal.note(key)
            {
                tracing::warn!(%error, "the journal of keys cannot be written");
            }
            keys.insert(key.to_vec(), false);
        }
    }
}

/// Every argument that is one of the scenario's keys, wherever it stands: a value that looks like
/// one costs a DEL of nothing, a key that is overlooked would stay for ever.
fn own_keys<'c>(command: &'c Command, prefix: &'c [u8]) -> impl Iterator<Item = &'c [u8]> {
    command
        .iter()
        .skip(1)
        .map(Vec::as_slice)
        .filter(move |argument| !prefix.is_empty() && argument.starts_with(prefix))
}

/// Upstash's texts for a used-up quota, which come as ordinary errors (Upstash docs,
/// troubleshooting). Waiting a moment does not help.
fn is_quota(text: &str) -> bool {
    text.starts_with("ERR max requests limit exceeded")
        || text.starts_with("ERR max daily request limit exceeded")
}

/// Gives keys their expiry, on a connection of its own, as fast as they come in.
async fn guard(ledger: Arc<Ledger>, mut keys: mpsc::UnboundedReceiver<Vec<u8>>) {
    let mut client: Option<Box<dyn Client>> = None;
    let mut has_nx = true;
    let mut batch = Vec::new();
    while keys.recv_many(&mut batch, 100).await > 0 {
        batch.sort();
        batch.dedup();
        if client.is_none() {
            client = ledger.connector.connect().await.ok();
        }
        let Some(connected) = client.as_mut() else {
            // The keys are in the journal, and deleted at the end of the scenario.
            batch.clear();
            continue;
        };
        if has_nx {
            ledger.bill(batch.len() as u64);
            let commands: Vec<Command> = batch.iter().map(|key| expire_nx(key)).collect();
            match connected.pipeline(&commands).await {
                Ok(replies) => has_nx = !replies.iter().any(Reply::is_error),
                Err(_) => client = None,
            }
        }
        if let Some(connected) = client.as_mut()
            && !has_nx
        {
            ledger.bill(3 * batch.len() as u64);
            let commands: Vec<Command> = batch.iter().map(|key| expire_by_script(key)).collect();
            if connected.pipeline(&commands).await.is_err() {
                client = None;
            }
        }
        batch.clear();
    }
}

fn expire_nx(key: &[u8]) -> Command {
    let ms = SAFETY_EXPIRY.as_millis().to_string();
    vec![
        b"PEXPIRE".to_vec(),
        key.to_vec(),
        ms.into_bytes(),
        b"NX".to_vec(),
    ]
}

/// For servers before Redis 7.0, whose PEXPIRE has no NX.
fn expire_by_script(key: &[u8]) -> Command {
    let script =
        "if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end";
    let ms = SAFETY_EXPIRY.as_millis().to_string();
    vec![
        b"EVAL".to_vec(),
        script.as_bytes().to_vec(),
        b"1".to_vec(),
        key.to_vec(),
        ms.into_bytes(),
    ]
}

/// The keys of a run that died, on their way out.
pub(crate) struct Orphaned(Orphan);

impl Orphaned {
    /// Deletes them. Returns how many there were.
    pub(crate) async fn delete(self, ledger: &Ledger) -> Result<usize, ClientError> {
        let count = self.0.keys.len();
        ledger.delete(&self.0.keys).await?;
        self.0.forget();
        Ok(count)
    }
}

impl Scope {
    /// Makes the clients of this scenario.
    pub fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(ScopeConnector {
            ledger: self.ledger.clone(),
            state: self.state.clone(),
        })
    }

    /// How many billable commands this scope sent so far, as Upstash counts them.
    pub fn billable(&self) -> u64 {
        self.state.billed.load(Ordering::Relaxed)
    }

    /// Deletes the keys that the scenario left behind on a server that swapcheck did not start.
    ///
    /// # Errors
    /// When they could not be deleted; they are tried again at the end of the run.
    pub async fn finish(self) -> Result<(), ClientError> {
        if self.ledger.guest.is_none() {
            return Ok(());
        }
        self.ledger.sweep(&self.state).await?;
        locked(&self.ledger.scopes).retain(|state| !Arc::ptr_eq(state, &self.state));
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
        // A connection is greeted with AUTH and PING.
        let greeting = if self.ledger.connector.capabilities().connection {
            2
        } else {
            0
        };
        self.ledger.admit(&self.state, &[], greeting).await?;
        Ok(Box::new(ScopeClient {
            inner: self.ledger.connector.connect().await?,
            ledger: self.ledger.clone(),
            state: self.state.clone(),
        }))
    }

    fn capabilities(&self) -> Capabilities {
        self.ledger.connector.capabilities()
    }
}

struct ScopeClient {
    inner: Box<dyn Client>,
    ledger: Arc<Ledger>,
    state: Arc<ScopeState>,
}

/// Counts a request as under way until it is answered or given up.
struct InFlight<'l> {
    ledger: &'l Ledger,
    answered: bool,
}

impl<'l> InFlight<'l> {
    fn begin(ledger: &'l Ledger) -> Self {
        ledger.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight {
            ledger,
            answered: false,
        }
    }

    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.ledger.abandoned.store(true, Ordering::SeqCst);
        }
        self.ledger.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Client for ScopeClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let commands = std::slice::from_ref(command);
        self.ledger.admit(&self.state, commands, 0).await?;
        let under_way = InFlight::begin(&self.ledger);
        let reply = self.inner.command(command).await?;
        under_way.answered();
        self.ledger.settle(&self.state, commands, &[&reply])?;
        Ok(reply)
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        self.ledger.admit(&self.state, commands, 0).await?;
        let under_way = InFlight::begin(&self.ledger);
        let replies = self.inner.pipeline(commands).await?;
        under_way.answered();
        self.ledger
            .settle(&self.state, commands, &replies.iter().collect::<Vec<_>>())?;
        Ok(replies)
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        // Over TCP, MULTI and EXEC are commands too.
        let around = if self.ledger.connector.capabilities().rest {
            0
        } else {
            2
        };
        self.ledger.admit(&self.state, commands, around).await?;
        let under_way = InFlight::begin(&self.ledger);
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
        if self.ledger.guest.is_some() {
            rule::judge_channels(channels, &self.state.prefix).map_err(ClientError::Refused)?;
        }
        self.ledger
            .admit(&self.state, &[], channels.len() as u64)
            .await?;
        self.inner.subscribe(channels, pattern).await
    }
}
