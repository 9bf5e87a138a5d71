//! What the clients of a workload share, and what each of them has of its own.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use tokio::sync::watch;

use super::{Settings, Verdict};
use crate::client::{Capabilities, Client, ClientError, Command, Connector};
use crate::history::{Call, Recorder, Value};
use crate::reply::Reply;

/// How many pings measure the way to the target.
const PINGS: u32 = 3;
/// The shortest lease: what scheduling on a busy machine takes must be little against it.
const SHORTEST_LEASE: Duration = Duration::from_millis(60);
/// A lease is so many round trips.
const LEASE_ROUND_TRIPS: u32 = 8;
/// How often what was not answered is tried again, where it can be done twice.
const ATTEMPTS: usize = 5;
/// What a workload leaves behind goes by itself so long after the workload's end.
const KEPT: Duration = Duration::from_secs(600);
/// How long an empty queue is left alone before it is asked again.
pub(super) const POLL_PAUSE: Duration = Duration::from_millis(4);

/// Why a workload cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The target cannot do it at all.
    Unsupported(String),
    /// Something got in the way.
    NotEvaluable(String),
}

impl Stop {
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Stop::Unsupported(reason) => Verdict::Unsupported(reason),
            Stop::NotEvaluable(reason) => Verdict::NotEvaluable(reason),
        }
    }
}

/// What the clients of a workload share.
pub struct Context {
    /// Notes what they do.
    pub recorder: Recorder,
    /// How much they do.
    pub settings: Settings,
    connector: Arc<dyn Connector>,
    prefix: Vec<u8>,
    /// When the first operation began: making clients takes its time, too.
    begun: OnceLock<Instant>,
    /// The time of day at which the history began, in microseconds.
    epoch_us: u64,
    left: AtomicUsize,
    round_trip: Duration,
    notes: Mutex<BTreeSet<String>>,
    stop: watch::Receiver<bool>,
}

impl Context {
    /// Measures the way to the target, on which the lengths of leases depend.
    pub(super) async fn begin(
        connector: Arc<dyn Connector>,
        prefix: &[u8],
        settings: Settings,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Stop> {
        let (round_trip, shortest) = round_trips(connector.as_ref()).await?;
        let stretched = (shortest * settings.round_trips).min(Settings::LONGEST_STRETCH);
        let recorder = Recorder::default();
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let context = Context {
            left: AtomicUsize::new(settings.operations),
            settings: Settings {
                clients: settings.clients.max(2),
                duration: settings.duration.max(stretched),
                ..settings
            },
            connector,
            prefix: prefix.to_vec(),
            round_trip,
            epoch_us: u64::try_from(epoch.unwrap_or_default().as_micros())
                .unwrap_or(u64::MAX)
                .saturating_sub(recorder.now_us()),
            recorder,
            begun: OnceLock::new(),
            notes: Mutex::default(),
            stop,
        };
        if stretched > settings.duration {
            context.note(format!(
                "far away: clients were given {} round trips in place of {:.1} s",
                settings.round_trips,
                settings.duration.as_secs_f64()
            ));
        }
        Ok(context)
    }

    /// The key of that name.
    pub fn key(&self, name: &str) -> Vec<u8> {
        [self.prefix.as_slice(), name.as_bytes()].concat()
    }

    /// Whether another operation may begin; counts it.
    pub fn next(&self) -> bool {
        !self.is_stopped()
            && self.elapsed() < self.settings.duration
            && self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
    }

    /// Whether the run was asked to stop.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Whether so long a time after the last operation may have begun has passed that what is still
    /// missing will not come.
    pub(super) fn is_over(&self, grace: Duration) -> bool {
        self.is_stopped() || self.elapsed() > self.settings.duration + grace
    }

    fn elapsed(&self) -> Duration {
        self.begun.get_or_init(Instant::now).elapsed()
    }

    /// How long it is there and back.
    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// A lease that a holder can do something in, however far away the target is.
    pub(super) fn lease(&self) -> Duration {
        SHORTEST_LEASE.max(self.round_trip * LEASE_ROUND_TRIPS)
    }

    /// The time of day in milliseconds, as applications give it to scripts. It goes on as the
    /// history's clock does, whatever becomes of the machine's.
    pub(super) fn clock_ms(&self) -> i64 {
        let ms = (self.epoch_us + self.recorder.now_us()) / 1_000;
        i64::try_from(ms).unwrap_or(i64::MAX)
    }

    /// As an argument of `PX`: longer than the workload takes.
    pub(super) fn kept_ms(&self) -> String {
        ms(self.settings.duration + KEPT)
    }

    /// What the transport can do.
    pub(super) fn capabilities(&self) -> Capabilities {
        self.connector.capabilities()
    }

    /// Whether clients may wait for a job at the server; says so in the report when they poll.
    pub(super) fn blocks(&self) -> bool {
        let blocking = self.capabilities().blocking;
        if !blocking {
            self.note(format!(
                "blocking commands are not to be had here: the clients polled, every {} ms",
                POLL_PAUSE.as_millis()
            ));
        }
        blocking
    }

    /// Something the reader of the report should know.
    pub(super) fn note(&self, text: String) {
        let notes = self.notes.lock();
        notes.unwrap_or_else(PoisonError::into_inner).insert(text);
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let notes = self.notes.lock();
        notes
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// A client. The same index gets the same random numbers in every run of one seed.
    pub(super) async fn worker(&self, index: usize) -> Result<Worker<'_>, Stop> {
        let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Ok(Worker {
            context: self,
            index,
            client: self.connect().await?,
            random: Pcg64Mcg::seed_from_u64(self.settings.seed ^ mixed),
        })
    }

    /// A client that sees all that was written before, where reads come from a copy that trails, too: it
    /// has written itself.
    pub(super) async fn caught_up(&self, index: usize) -> Result<Worker<'_>, Stop> {
        let mut worker = self.worker(index).await?;
        let (mark, kept) = (self.key("mark"), self.kept_ms());
        let set = command([b"SET", &mark, b"1", b"PX", kept.as_bytes()]);
        worker.look(&set).await?;
        Ok(worker)
    }

    /// Lets so many clients loose at once, and waits for all of them.
    pub(super) async fn all<'c, F>(
        &'c self,
        count: usize,
        work: impl Fn(Worker<'c>) -> F,
    ) -> Result<(), Stop>
    where
        F: Future<Output = Result<(), Stop>>,
    {
        let workers = (0..count).map(|index| self.worker(index));
        let workers = futures_util::future::try_join_all(workers).await?;
        let each = workers.into_iter().map(work);
        let ended = futures_util::future::join_all(each).await;
        ended.into_iter().collect()
    }

    /// A client of the same target. What cannot connect tries again soon, as applications do.
    pub(super) async fn connect(&self) -> Result<Box<dyn Client>, Stop> {
        reached(self.connector.as_ref()).await
    }
}

/// A client, after a few attempts at most.
async fn reached(connector: &dyn Connector) -> Result<Box<dyn Client>, Stop> {
    for _ in 1..ATTEMPTS {
        if let Ok(client) = connector.connect().await {
            return Ok(client);
        }
        tokio::time::sleep(POLL_PAUSE).await;
    }
    let connected = connector.connect().await;
    connected.map_err(|error| Stop::NotEvaluable(error.to_string()))
}

/// How long a PING takes on average, and at least.
async fn round_trips(connector: &dyn Connector) -> Result<(Duration, Duration), Stop> {
    let mut client = reached(connector).await?;
    let ping = vec![b"PING".to_vec()];
    let mut times = Vec::new();
    let mut attempts = 0;
    // The first one warms the way up.
    while times.len() <= PINGS as usize {
        attempts += 1;
        let begun = Instant::now();
        match client.command(&ping).await {
            Ok(_) => times.push(begun.elapsed()),
            Err(ClientError::OutcomeUnknown(_)) if attempts < 2 * ATTEMPTS => {
                client = reached(connector).await?;
            }
            Err(error) => return Err(Stop::NotEvaluable(error.to_string())),
        }
    }
    let times = &times[1..];
    let shortest = times.iter().min().copied().unwrap_or_default();
    Ok((times.iter().sum::<Duration>() / PINGS, shortest))
}

/// One client of a workload.
pub struct Worker<'c> {
    /// What it shares with the others.
    pub context: &'c Context,
    /// Who it is.
    pub index: usize,
    pub(super) client: Box<dyn Client>,
    random: Pcg64Mcg,
}

impl<'c> Worker<'c> {
    /// Goes on with a new connection, and with what the client has seen.
    async fn reconnect(&mut self) -> Result<(), Stop> {
        let token = self.client.sync_token();
        self.client = self.context.connect().await?;
        if let Some(token) = token {
            self.client.adopt_sync_token(&token);
        }
        Ok(())
    }

    /// Begins an operation in the history.
    pub(super) fn invoke(
        &self,
        name: &'static str,
        object: impl Into<String>,
        input: impl Into<Value>,
    ) -> Call<'c> {
        self.context
            .recorder
            .invoke(self.index, name, object, input)
    }

    /// One command, as an operation of the history: its reply becomes what `read` makes of it.
    /// `None` when there was none; the operation is then noted as failed, or of unknown outcome.
    pub(super) async fn perform(
        &mut self,
        call: Call<'c>,
        command: &Command,
        read: impl FnOnce(&Reply) -> Value,
    ) -> Result<Option<Reply>, Stop> {
        let replied = self.client.command(command).await;
        self.end(call, replied, read).await
    }

    /// As [`Worker::perform`], for commands as one transaction.
    pub(super) async fn perform_all(
        &mut self,
        call: Call<'c>,
        commands: &[Command],
        read: impl FnOnce(&Reply) -> Value,
    ) -> Result<Option<Reply>, Stop> {
        let replied = self.client.transaction(commands).await;
        self.end(call, replied, read).await
    }

    async fn end(
        &mut self,
        call: Call<'c>,
        replied: Result<Reply, ClientError>,
        read: impl FnOnce(&Reply) -> Value,
    ) -> Result<Option<Reply>, Stop> {
        match replied {
            Ok(Reply::Error(text)) => match self.refused(&text) {
                // Only of these errors it is known that nothing was done.
                Ok(()) | Err(Stop::Unsupported(_)) => {
                    call.failed(text.clone());
                    self.refused(&text).map(|()| None)
                }
                Err(stop) => {
                    call.unknown(text);
                    Err(stop)
                }
            },
            Ok(reply) => {
                call.returned(read(&reply));
                Ok(Some(reply))
            }
            Err(ClientError::NotSent(reason)) => {
                call.failed(reason);
                self.pause(POLL_PAUSE).await;
                self.reconnect().await?;
                Ok(None)
            }
            Err(ClientError::OutcomeUnknown(reason) | ClientError::Protocol(reason)) => {
                call.unknown(reason);
                self.reconnect().await?;
                Ok(None)
            }
            Err(ClientError::Unsupported(reason)) => {
                call.failed(reason.clone());
                Err(Stop::Unsupported(reason))
            }
            // A quota may have shown itself to be used up by the very answer.
            Err(ClientError::Refused(reason)) => {
                call.unknown(reason.clone());
                Err(Stop::NotEvaluable(reason))
            }
        }
    }

    /// Sends a command and crashes: before it is sent, while it is under way, or when it has been
    /// carried out and nobody hears of it. A new client takes the place.
    pub(super) async fn crash_during(
        &mut self,
        call: Call<'c>,
        command: &Command,
    ) -> Result<(), Stop> {
        let yields = self.below(8);
        let sent = self.client.command(command);
        if yields >= 4 {
            // What came of it is lost with the client.
            let _ = sent.await;
        } else {
            tokio::select! {
                biased;
                _ = sent => {}
                () = give_way(yields) => {}
            }
        }
        call.unknown("the client crashed");
        self.client = self.context.connect().await?;
        Ok(())
    }

    /// One command that is no operation of the history and may be sent twice: it only reads, or what
    /// it does the second time changes nothing. It is tried again when no answer comes.
    pub(super) async fn look(&mut self, command: &Command) -> Result<Reply, Stop> {
        for _ in 1..ATTEMPTS {
            if let Some(reply) = self.glance(command).await? {
                return Ok(reply);
            }
            self.pause(POLL_PAUSE).await;
        }
        match self.client.command(command).await {
            Ok(Reply::Error(text)) => self.refused(&text).map(|()| Reply::Nil),
            Ok(reply) => Ok(reply),
            Err(error) => Err(Stop::NotEvaluable(error.to_string())),
        }
    }

    /// As [`Worker::look`], once: `None` when no answer came, and the client is another now.
    pub(super) async fn glance(&mut self, command: &Command) -> Result<Option<Reply>, Stop> {
        match self.client.command(command).await {
            Ok(Reply::Error(text)) => self.refused(&text).map(|()| Some(Reply::Nil)),
            Ok(reply) => Ok(Some(reply)),
            Err(ClientError::Unsupported(reason)) => Err(Stop::Unsupported(reason)),
            Err(ClientError::Refused(reason)) => Err(Stop::NotEvaluable(reason)),
            Err(_) => {
                self.reconnect().await?;
                Ok(None)
            }
        }
    }

    /// Performs what may be done twice until it is answered, a few times at most: a lock whose release
    /// was lost would keep everybody out.
    pub(super) async fn insist(
        &mut self,
        (name, object, input): (&'static str, &str, &Value),
        command: &Command,
        read: fn(&Reply) -> Value,
    ) -> Result<(), Stop> {
        for _ in 0..ATTEMPTS {
            let call = self.invoke(name, object, input.clone());
            if self.perform(call, command, read).await?.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// What an error reply means for the workload.
    fn refused(&self, text: &str) -> Result<(), Stop> {
        let lower = text.to_ascii_lowercase();
        let passing = [
            "loading",
            "tryagain",
            "busy",
            "readonly",
            "execabort",
            "clusterdown",
        ];
        if passing.iter().any(|code| lower.starts_with(code)) {
            return Ok(());
        }
        if [
            "unknown command",
            "not available",
            "not supported",
            "unsupported",
        ]
        .iter()
        .any(|words| lower.contains(words))
        {
            return Err(Stop::Unsupported(format!("the server answers: {text}")));
        }
        Err(Stop::NotEvaluable(format!("the server answers: {text}")))
    }

    /// A random number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.random.random_range(0..end.max(1))
    }

    /// Whether something happens that happens in `percent` of the cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Waits.
    pub(super) async fn pause(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Waits for up to so long.
    pub(super) async fn dawdle(&mut self, at_most: Duration) {
        let us = self.below(u64::try_from(at_most.as_micros()).unwrap_or(u64::MAX));
        self.pause(Duration::from_micros(us)).await;
    }
}

/// Lets others go on, so often.
async fn give_way(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// A command of these words.
pub(super) fn command<const N: usize>(words: [&[u8]; N]) -> Command {
    words.iter().map(|word| word.to_vec()).collect()
}

/// A script with its keys and arguments.
pub(super) fn eval(script: &str, keys: &[&[u8]], arguments: &[&str]) -> Command {
    let mut words = vec![
        b"EVAL".to_vec(),
        script.as_bytes().to_vec(),
        keys.len().to_string().into_bytes(),
    ];
    words.extend(keys.iter().map(|key| key.to_vec()));
    words.extend(arguments.iter().map(|word| word.as_bytes().to_vec()));
    words
}

/// Milliseconds as an argument.
pub(super) fn ms(time: Duration) -> String {
    time.as_millis().max(1).to_string()
}

/// Microseconds as a value of the history.
pub(super) fn us(time: Duration) -> Value {
    Value::Integer(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

/// A reply as a value of the history. Numbers in text are numbers: JSON and RESP differ in that.
pub(super) fn value(reply: &Reply) -> Value {
    match reply {
        Reply::Integer(number) => Value::Integer(*number),
        Reply::Array(items) => Value::List(items.iter().map(value).collect()),
        Reply::Bulk(_) | Reply::Status(_) => {
            let text = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned();
            match text.parse() {
                Ok(number) => Value::Integer(number),
                Err(_) => Value::Text(text),
            }
        }
        _ => Value::Nil,
    }
}

/// Whether a reply says yes: `1`, or `OK`.
pub(super) fn yes(reply: &Reply) -> Value {
    Value::Bool(match reply {
        Reply::Integer(number) => *number > 0,
        Reply::Bulk(_) | Reply::Status(_) => true,
        Reply::Boolean(truth) => *truth,
        _ => false,
    })
}
