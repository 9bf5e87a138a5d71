//! What was sent to a target, what it may still be sent, and what is left of it there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use scenarios::client::Command;
use scenarios::{ClientError, Connector, Reply};
use tokio::sync::OnceCell;

use super::command::{name, only_reads};
use super::expiry::{Effect, KeyExpiry, effect};
use super::guard::Guard;
use super::journal::Journal;
use super::rule;
use super::scope::Scope;
use crate::cost::{Billed, Tariff};

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
    /// Commands that are still to come and are not billed yet: expiries that keys may have to be given,
    /// and a deletion for each scope. The budget leaves room for them.
    expected: AtomicU64,
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

/// What one scenario has sent, and written.
pub(super) struct ScopeState {
    prefix: Vec<u8>,
    billed: Mutex<Billed>,
    /// Every key that was written to, and whether it is known to have an expiry.
    keys: Mutex<HashMap<Vec<u8>, bool>>,
    guard: Mutex<Option<Guard>>,
}

impl ScopeState {
    /// What was sent, as a bill counts it.
    pub(super) fn billed(&self) -> Billed {
        *locked(&self.billed)
    }

    /// What all its keys begin with.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }
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

    /// A ledger for a server that is somebody else's.
    pub(crate) fn guest(
        connector: Arc<dyn Connector>,
        limit: Option<u64>,
        journal: Option<Journal>,
    ) -> Arc<Self> {
        let guest = Guest {
            limit,
            journal: Mutex::new(journal),
            size: OnceCell::new(),
            stopped: Mutex::new(None),
        };
        Arc::new(Ledger::new(connector, Some(guest)))
    }

    fn new(connector: Arc<dyn Connector>, guest: Option<Guest>) -> Self {
        Ledger {
            connector,
            tariff: Tariff::default(),
            billed: AtomicU64::new(0),
            expected: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            guest,
            scopes: Mutex::new(Vec::new()),
        }
    }

    /// Makes clients that nobody counts.
    pub(super) fn connector(&self) -> &Arc<dyn Connector> {
        &self.connector
    }

    /// Whether the server is somebody else's.
    pub(super) fn is_guest(&self) -> bool {
        self.guest.is_some()
    }

    /// Notes that a request is under way.
    pub(super) fn begin_request(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes that a request was answered, or given up.
    pub(super) fn end_request(&self, answered: bool) {
        if !answered {
            self.abandoned.store(true, Ordering::SeqCst);
        }
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    /// There is nothing left of this scope.
    pub(super) fn forget(&self, state: &Arc<ScopeState>) {
        locked(&self.scopes).retain(|other| !Arc::ptr_eq(other, state));
    }

    /// Opens a scope for a scenario. Must be called within a tokio runtime.
    pub(crate) fn scope(self: &Arc<Self>, prefix: &[u8], expiry: KeyExpiry) -> Scope {
        let guarded = self.guest.is_some() && expiry == KeyExpiry::Guarded;
        let state = Arc::new(ScopeState {
            prefix: prefix.to_vec(),
            billed: Mutex::default(),
            keys: Mutex::new(HashMap::new()),
            guard: Mutex::new(guarded.then(|| Guard::start(self.clone()))),
        });
        if self.guest.is_some() {
            locked(&self.scopes).push(state.clone());
            self.expected.fetch_add(1, Ordering::Relaxed);
        }
        Scope::new(self.clone(), state)
    }

    /// How many billable commands were sent.
    pub(crate) fn billed(&self) -> u64 {
        self.billed.load(Ordering::Relaxed)
    }

    /// Counts commands that belong to no scenario.
    pub(crate) fn bill(&self, commands: u64) {
        self.billed.fetch_add(commands, Ordering::Relaxed);
    }

    /// Notes that commands which were expected are billed, or not needed.
    pub(super) fn expected_done(&self, count: u64) {
        let less = |expected: u64| Some(expected.saturating_sub(count));
        self.expected
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .ok();
    }

    /// Counts commands that are about to be sent past a scope, unless the budget is used up.
    pub(crate) fn spend(&self, commands: u64) -> Result<(), ClientError> {
        match &self.guest {
            Some(guest) => guest.spend(&self.billed, commands, &self.expected, 0),
            None => {
                self.bill(commands);
                Ok(())
            }
        }
    }

    /// How many more billable commands the budget allows; `None` without a budget.
    pub(crate) fn left(&self) -> Option<u64> {
        let limit = self.guest.as_ref()?.limit?;
        Some(limit.saturating_sub(self.billed()))
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

    /// Deletes what a scope has written.
    pub(super) async fn sweep(&self, state: &ScopeState) -> Result<(), ClientError> {
        let guard = locked(&state.guard).take();
        if let Some(guard) = guard {
            guard.end().await;
        }
        let keys: Vec<Vec<u8>> = locked(&state.keys).keys().cloned().collect();
        self.delete(&keys).await?;
        self.expected_done(1);
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
    pub(super) async fn admit(
        &self,
        state: &ScopeState,
        commands: &[Command],
        extra: Billed,
    ) -> Result<(), ClientError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(ClientError::Refused(
                "the run is ending: nothing more is sent".to_owned(),
            ));
        }
        let mut cost = extra;
        for command in commands {
            cost.add(self.tariff.bill(command));
        }
        let Some(guest) = &self.guest else {
            self.count(state, cost);
            return Ok(());
        };
        for command in commands {
            rule::judge(command, &state.prefix).map_err(ClientError::Refused)?;
            if name(command) == "SCAN" {
                self.check_size(guest).await?;
            }
        }
        let expiries = match &*locked(&state.guard) {
            Some(_) => commands
                .iter()
                .map(|command| guarded_keys(command, &state.prefix).count() as u64)
                .sum(),
            None => 0,
        };
        guest.spend(&self.billed, cost.commands, &self.expected, expiries)?;
        locked(&state.billed).add(cost);
        for command in commands.iter().filter(|command| !only_reads(command)) {
            guest.remember(state, command);
        }
        Ok(())
    }

    fn count(&self, state: &ScopeState, cost: Billed) {
        locked(&state.billed).add(cost);
        self.bill(cost.commands);
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
    pub(super) fn settle(
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
                    guard.tell(key);
                } else if effect != Effect::Settled {
                    self.expected_done(1);
                }
            }
        }
        Ok(())
    }
}

impl Guest {
    /// Counts a cost, unless it and what is expected by then are more than is left.
    fn spend(
        &self,
        total: &AtomicU64,
        cost: u64,
        expected: &AtomicU64,
        expiries: u64,
    ) -> Result<(), ClientError> {
        // Counted under the lock: of many clients at once, only as many may pass as there is left.
        let mut stopped = locked(&self.stopped);
        let billed = total.load(Ordering::Relaxed);
        if let Some(reason) = &*stopped {
            return Err(ClientError::Refused(reason.clone()));
        }
        match self.limit {
            Some(limit) if billed + cost + expected.load(Ordering::Relaxed) + expiries > limit => {
                let reason = format!(
                    "the budget of {limit} billable commands is used up ({billed} were sent): raise \
                     --max-commands, or run fewer scenarios with --area or --filter"
                );
                *stopped = Some(reason.clone());
                Err(ClientError::Refused(reason))
            }
            _ => {
                total.fetch_add(cost, Ordering::Relaxed);
                expected.fetch_add(expiries, Ordering::Relaxed);
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

/// The keys that may have to be given an expiry once the command has run.
fn guarded_keys<'c>(command: &'c Command, prefix: &'c [u8]) -> impl Iterator<Item = &'c [u8]> {
    let may = !only_reads(command) && effect(command) != Effect::Settled;
    own_keys(command, prefix).filter(move |_| may)
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
