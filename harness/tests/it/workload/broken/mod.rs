//! Servers broken on purpose, a way at a time: a real one, with something in between.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use scenarios::client::{Capabilities, Client, Command, Subscription};
use scenarios::{ClientError, Connector, Reply};

/// In which way the server is broken. "Now and then" is one in ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breakage {
    /// Reads come from a copy that lags behind, whoever wrote.
    StaleReads,
    /// `NX` is forgotten.
    LosesNx,
    /// What expires does so after a quarter of its time.
    ExpiresEarly,
    /// A lock is given back by DEL, whoever holds it.
    PlainDel,
    /// Now and then the number of fencing tokens begins anew.
    ForgetsFence,
    /// Storage takes a write whatever its fencing token is.
    StoresLate,
    /// The script that takes a seat looks, and sits down afterwards.
    SplitSeats,
    /// The script that counts reads, and writes afterwards.
    SplitScripts,
    /// The script that swaps compares, and sets afterwards.
    SplitSwaps,
    /// `INCR` is a read and a write.
    SplitIncrements,
    /// `HINCRBY` is a read and a write.
    SplitFieldIncrements,
    /// The commands of a transaction are sent one by one.
    SplitTransactions,
    /// A field is changed by reading the hash and writing all of it.
    RewritesHashes,
    /// Now and then the last write of a key is taken back.
    ForgetsWrites,
    /// Now and then a limiter forgets what it has counted.
    ForgetsCalls,
    /// Now and then a limiter counts a call twice.
    CountsTwice,
    /// Now and then a pop leaves the job where it was.
    PopsTwice,
    /// Now and then a pop takes the youngest job.
    PopsTheLast,
    /// Now and then a pop finds nothing in a list that has something.
    FindsNothing,
    /// Now and then a push is done, fails, and is tried again by the transport.
    RetriesPushes,
    /// A move from list to list takes, and does not put.
    MovesNowhere,
    /// Jobs are due 250 ms before their time.
    DueEarly,
    /// Now and then a removal is confirmed and not done.
    KeepsRemoved,
    /// Now and then a group forgets how far it has read.
    RewindsGroups,
    /// Now and then an acknowledgement is confirmed and forgotten.
    ForgetsAcks,
    /// Now and then an entry is confirmed and not added.
    LosesEntries,
    /// Now and then a message is lost.
    LosesMessages,
    /// Now and then a message is overtaken by the next of its publisher.
    ReordersMessages,
}

/// Every breakage with the workload that is there to catch it.
pub(super) const CAUGHT_BY: &[(Breakage, &str)] = &[
    (Breakage::LosesNx, "locks/workload/mutual-exclusion"),
    (Breakage::PlainDel, "locks/workload/mutual-exclusion"),
    (Breakage::ExpiresEarly, "locks/workload/mutual-exclusion"),
    (Breakage::LosesNx, "locks/workload/handover"),
    (Breakage::ForgetsWrites, "locks/workload/handover"),
    (Breakage::ForgetsFence, "locks/workload/fencing"),
    (Breakage::StoresLate, "locks/workload/fencing"),
    (Breakage::SplitSeats, "locks/workload/semaphore"),
    (Breakage::StaleReads, "locks/workload/register"),
    (Breakage::ForgetsWrites, "locks/workload/register"),
    (Breakage::SplitSwaps, "locks/workload/register"),
    (Breakage::LosesNx, "cache/workload/single-flight"),
    (Breakage::SplitIncrements, "patterns/workload/counter"),
    (Breakage::SplitScripts, "patterns/workload/scripted-counter"),
    (Breakage::ForgetsCalls, "patterns/workload/fixed-window"),
    (Breakage::CountsTwice, "patterns/workload/fixed-window"),
    (Breakage::ForgetsCalls, "patterns/workload/sliding-log"),
    (Breakage::CountsTwice, "patterns/workload/sliding-log"),
    (Breakage::ForgetsCalls, "patterns/workload/sliding-window"),
    (Breakage::CountsTwice, "patterns/workload/sliding-window"),
    (Breakage::ForgetsCalls, "patterns/workload/token-bucket"),
    (Breakage::CountsTwice, "patterns/workload/token-bucket"),
    (Breakage::SplitTransactions, "patterns/workload/transfers"),
    (Breakage::LosesMessages, "patterns/workload/pubsub"),
    (Breakage::ReordersMessages, "patterns/workload/pubsub"),
    (Breakage::StaleReads, "sessions/workload/own-writes"),
    (Breakage::StaleReads, "sessions/workload/others-writes"),
    (Breakage::StaleReads, "sessions/workload/fresh-clients"),
    (Breakage::StaleReads, "sessions/workload/handed-on"),
    (Breakage::SplitFieldIncrements, "sessions/workload/fields"),
    (Breakage::RewritesHashes, "sessions/workload/fields"),
    (Breakage::PopsTwice, "queue/workload/pops"),
    (Breakage::RetriesPushes, "queue/workload/pops"),
    (Breakage::PopsTheLast, "queue/workload/first-in-first-out"),
    (Breakage::FindsNothing, "queue/workload/first-in-first-out"),
    (Breakage::PopsTwice, "queue/workload/first-in-first-out"),
    (Breakage::MovesNowhere, "queue/workload/reliable"),
    (Breakage::DueEarly, "queue/workload/delayed"),
    (Breakage::KeepsRemoved, "queue/workload/delayed"),
    (Breakage::RewindsGroups, "queue/workload/stream-group"),
    (Breakage::ForgetsAcks, "queue/workload/stream-group"),
    (Breakage::LosesEntries, "queue/workload/stream-group"),
];

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
        self.shared.occasions.fetch_add(1, Ordering::Relaxed) % 10 == 9
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

    /// What is broken about keys with values.
    async fn value(&mut self, command: &Command) -> Result<Option<Reply>, ClientError> {
        let name = String::from_utf8_lossy(&command[0]).into_owned();
        let reply = match (self.how, name.as_str()) {
            (Breakage::StaleReads, "SET") => {
                self.remember(&command[1]).await?;
                return Ok(None);
            }
            (Breakage::StaleReads, "GET") if self.now_and_then() => {
                return Ok(self.copy(&command[1]));
            }
            (Breakage::LosesNx, "SET") => {
                let without = command.iter().filter(|word| *word != b"NX").cloned();
                self.inner.command(&without.collect()).await?
            }
            (Breakage::ExpiresEarly, "SET") => {
                let mut early = command.clone();
                if let Some(at) = early.iter().position(|word| word == b"PX") {
                    early[at + 1] = (number(&early[at + 1]) / 4).max(1).to_string().into_bytes();
                }
                self.inner.command(&early).await?
            }
            (Breakage::ForgetsWrites, "SET") if self.now_and_then() => {
                let held = self.send(&[b"GET", &command[1]]).await?;
                let reply = self.inner.command(command).await?;
                match held.as_bytes() {
                    Some(held) => self.send(&[b"SET", &command[1], held]).await?,
                    None => self.send(&[b"DEL", &command[1]]).await?,
                };
                reply
            }
            (Breakage::SplitIncrements, "INCR") => {
                let held = self.send(&[b"GET", &command[1]]).await?;
                let next = count(&held) + 1;
                let text = next.to_string();
                self.send(&[b"SET", &command[1], text.as_bytes()]).await?;
                Reply::Integer(next)
            }
            (Breakage::SplitFieldIncrements, "HINCRBY") => {
                let held = self.send(&[b"HGET", &command[1], &command[2]]).await?;
                let next = count(&held) + 1;
                let text = next.to_string();
                self.send(&[b"HSET", &command[1], &command[2], text.as_bytes()])
                    .await?;
                Reply::Integer(next)
            }
            (Breakage::RewritesHashes, "HSET") => {
                let fields = self.send(&[b"HGETALL", &command[1]]).await?;
                let mut rewrite = words(&[b"HSET", &command[1]]);
                rewrite.extend(flat(&fields));
                rewrite.extend(command[2..].iter().cloned());
                self.inner.command(&rewrite).await?
            }
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }

    /// What is broken about scripts.
    async fn script(&mut self, command: &Command) -> Result<Option<Reply>, ClientError> {
        let reply = match self.how {
            Breakage::PlainDel if is_script(command, "'DEL'") => {
                self.send(&[b"DEL", &command[3]]).await?
            }
            Breakage::ForgetsFence if is_script(command, "'INCR'") && self.now_and_then() => {
                self.send(&[b"DEL", &command[4]]).await?;
                return Ok(None);
            }
            Breakage::StoresLate if is_script(command, "> tonumber(ARGV[1])") => {
                self.send(&[b"SET", &command[3], &command[4]]).await?;
                Reply::Integer(1)
            }
            Breakage::SplitSeats if is_script(command, "'ZCARD'") => {
                let (key, token, now, until) = (&command[3], &command[4], &command[5], &command[6]);
                self.send(&[b"ZREMRANGEBYSCORE", key, b"-inf", now]).await?;
                let taken = self.send(&[b"ZCARD", key]).await?;
                if count(&taken) >= number(&command[7]) {
                    return Ok(Some(Reply::Integer(0)));
                }
                self.send(&[b"ZADD", key, until, token]).await?;
                Reply::Integer(1)
            }
            Breakage::SplitScripts if is_script(command, "local n = tonumber") => {
                let held = self.send(&[b"GET", &command[3]]).await?;
                let next = count(&held) + 1;
                let text = next.to_string();
                self.send(&[b"SET", &command[3], text.as_bytes()]).await?;
                Reply::Integer(next)
            }
            Breakage::SplitSwaps if is_script(command, "== ARGV[1] then redis.call('SET'") => {
                let held = self.send(&[b"GET", &command[3]]).await?;
                if held.as_bytes() != Some(&command[4]) {
                    return Ok(Some(Reply::Integer(0)));
                }
                self.send(&[b"SET", &command[3], &command[5]]).await?;
                Reply::Integer(1)
            }
            Breakage::ForgetsCalls if is_script(command, "limit, window") => {
                if self.now_and_then() {
                    self.send(&[b"DEL", &command[4]]).await?;
                }
                return Ok(None);
            }
            Breakage::CountsTwice if is_script(command, "limit, window") => {
                if self.now_and_then() {
                    let mut first = command.clone();
                    if let Some(name) = first.last_mut() {
                        name.extend_from_slice(b"-first");
                    }
                    self.inner.command(&first).await?;
                }
                return Ok(None);
            }
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }

    /// What is broken about lists, sorted sets, streams and channels.
    async fn queue(&mut self, command: &Command) -> Result<Option<Reply>, ClientError> {
        let name = String::from_utf8_lossy(&command[0]).into_owned();
        let reply = match (self.how, name.as_str()) {
            (Breakage::PopsTwice, "LPOP") if self.now_and_then() => {
                self.send(&[b"LINDEX", &command[1], b"0"]).await?
            }
            (Breakage::PopsTheLast, "LPOP") if self.now_and_then() => {
                self.send(&[b"RPOP", &command[1]]).await?
            }
            (Breakage::FindsNothing, "LPOP") if self.now_and_then() => Reply::Nil,
            (Breakage::RetriesPushes, "RPUSH") if self.now_and_then() => {
                self.inner.command(command).await?;
                return Ok(None);
            }
            (Breakage::MovesNowhere, "LMOVE") => self.send(&[b"LPOP", &command[1]]).await?,
            (Breakage::DueEarly, "ZRANGEBYSCORE" | "ZREVRANGEBYSCORE") => {
                let most = if name == "ZRANGEBYSCORE" { 3 } else { 2 };
                let mut early = command.clone();
                early[most] = (number(&early[most]) + 250).to_string().into_bytes();
                self.inner.command(&early).await?
            }
            (Breakage::KeepsRemoved, "ZREM") if self.now_and_then() => Reply::Integer(1),
            (Breakage::RewindsGroups, "XREADGROUP") if self.now_and_then() => {
                let key = &command[command.len() - 2];
                self.send(&[b"XGROUP", b"SETID", key, &command[2], b"0"])
                    .await?;
                return Ok(None);
            }
            (Breakage::ForgetsAcks, "XACK") if self.now_and_then() => Reply::Integer(1),
            (Breakage::LosesEntries, "XADD") if self.now_and_then() => Reply::Bulk(b"1-1".to_vec()),
            (Breakage::LosesMessages, "PUBLISH") if self.now_and_then() => Reply::Integer(2),
            (Breakage::ReordersMessages, "PUBLISH") => match self.late.take() {
                Some(late) => {
                    let reply = self.inner.command(command).await?;
                    self.inner.command(&late).await?;
                    reply
                }
                None if self.now_and_then() => {
                    self.late = Some(command.clone());
                    Reply::Integer(2)
                }
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }
}

/// The fields and values of a hash, one after the other.
fn flat(reply: &Reply) -> Command {
    let bytes = |reply: &Reply| reply.as_bytes().unwrap_or_default().to_vec();
    match reply {
        Reply::Array(items) => items.iter().map(bytes).collect(),
        Reply::Map(pairs) => pairs
            .iter()
            .flat_map(|(field, value)| [bytes(field), bytes(value)])
            .collect(),
        _ => Vec::new(),
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
        if self.how != Breakage::SplitTransactions {
            return self.inner.transaction(commands).await;
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
