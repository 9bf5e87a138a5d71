//! A Redis behind the REST front in the engine's place: `--upstream redis://…`.
//!
//! The engine still says what may be asked: who the token's user is, what is not offered over REST,
//! how many arguments a command takes. What passes is carried out by the Redis, on a connection of a
//! pool; a transaction has its connection for itself.

mod cluster;
mod link;
mod pool;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use redis_engine::command::{self, Flags, Group};
use redis_engine::{Reply, ReplyError};
use tokio::sync::mpsc;

use link::Link;
use pool::Pool;

/// Redirections that are followed for one command; a cluster at rest needs one.
const MAX_REDIRECTIONS: usize = 5;

/// The URL of an upstream is not one.
#[derive(Debug, thiserror::Error)]
#[error("'{url}' is no upstream: {reason}; write redis://[user:password@]host[:port][/db]")]
pub struct UpstreamUrlError {
    /// The URL, without its password.
    url: String,
    /// What is wrong.
    reason: String,
}

/// The upstream cannot be reached now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("ERR upstream {node} is not reachable: {reason}; it is tried again")]
pub(crate) struct Away {
    /// Host and port.
    pub(crate) node: String,
    /// What happened.
    pub(crate) reason: String,
}

/// How to reach a Redis.
#[derive(Debug, Clone)]
struct Location {
    node: String,
    user: Option<Bytes>,
    password: Option<Bytes>,
    db: Bytes,
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// A Redis, Valkey or cluster of them.
pub(crate) struct Upstream {
    location: Location,
    url: String,
    /// Connections to each node; one node unless it is a cluster.
    pools: Mutex<HashMap<String, Arc<Pool>>>,
    /// Which node has a slot, as far as redirections told.
    slots: Mutex<HashMap<u16, String>>,
    /// How many commands that may write were sent on.
    writes: AtomicU64,
}

impl Upstream {
    /// Reads a URL; nothing is connected yet.
    pub(crate) fn parse(text: &str) -> Result<Upstream, UpstreamUrlError> {
        let url = url::Url::parse(text).map_err(|error| UpstreamUrlError {
            // A text that is no URL may yet hold a password.
            url: text.split(':').next().unwrap_or_default().to_owned() + ":…",
            reason: error.to_string(),
        })?;
        let mut shown = url.clone();
        shown.set_password(None).ok();
        let wrong = |reason: &str| UpstreamUrlError {
            url: shown.to_string(),
            reason: reason.to_owned(),
        };
        let tls = match url.scheme() {
            "redis" => None,
            "rediss" => {
                let config = client_config().map_err(|error| wrong(&error.to_string()))?;
                Some(Arc::new(config))
            }
            _ => return Err(wrong("its scheme is neither redis nor rediss")),
        };
        let host = url.host_str().ok_or_else(|| wrong("it has no host"))?;
        let db = url.path().trim_matches('/');
        if !db.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong("its path is no number of a database"));
        }
        let decoded = |text: &str| Bytes::from(percent_decode_str(text).collect::<Vec<u8>>());
        let location = Location {
            node: format!("{host}:{}", url.port().unwrap_or(6379)),
            user: Some(url.username())
                .filter(|user| !user.is_empty())
                .map(decoded),
            password: url.password().map(decoded),
            db: Bytes::copy_from_slice(if db.is_empty() { b"0" } else { db.as_bytes() }),
            tls,
        };
        Ok(Upstream {
            location,
            url: text.to_owned(),
            pools: Mutex::default(),
            slots: Mutex::default(),
            writes: AtomicU64::new(0),
        })
    }

    /// The URL it was made from.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What a sync token counts: the commands that may have written, as far as they came this way. Reads
    /// are the Redis's own, so no token is ever waited for.
    pub(crate) fn position(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    fn count_writes(&self, commands: &[&[Bytes]]) {
        let may_write = |args: &&&[Bytes]| {
            let row = args.first().and_then(|name| command::find(name));
            row.is_none_or(|row| {
                // Scripts have no flag that says whether they write, containers none at all.
                let other = matches!(
                    row.group,
                    Group::Scripting | Group::Function | Group::Stream
                );
                row.flags.contains(Flags::WRITE) || (other && !row.flags.contains(Flags::READONLY))
            })
        };
        let count = commands.iter().filter(may_write).count();
        self.writes.fetch_add(count as u64, Ordering::SeqCst);
    }

    /// Carries out commands, each for itself, in order.
    pub(crate) async fn pipeline(&self, commands: &[&[Bytes]]) -> Result<Vec<Reply>, Away> {
        self.count_writes(commands);
        let mut replies = Vec::with_capacity(commands.len());
        let mut rest = commands;
        // What concerns every node of a cluster comes between what was sent before and after it.
        while let Some(at) = rest.iter().position(|args| cluster::concerns_all(args)) {
            replies.extend(self.pipeline_by_key(&rest[..at]).await?);
            replies.push(self.on_all(rest[at]).await?);
            rest = &rest[at + 1..];
        }
        replies.extend(self.pipeline_by_key(rest).await?);
        Ok(replies)
    }

    /// As [`Upstream::pipeline`], for commands that concern the node which has their keys.
    async fn pipeline_by_key(&self, commands: &[&[Bytes]]) -> Result<Vec<Reply>, Away> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let node = self.node_of(commands);
        let pool = self.pool(&node);
        let mut replies = pool
            .with(async |link: &mut Link| {
                link.send(commands.iter().copied()).await?;
                let mut replies = Vec::with_capacity(commands.len());
                for _ in commands {
                    replies.push(link.reply().await?);
                }
                Ok(replies)
            })
            .await?;
        for (reply, command) in replies.iter_mut().zip(commands) {
            self.follow(reply, command).await?;
        }
        Ok(replies)
    }

    /// Carries out commands as one transaction.
    ///
    /// The inner error is that for which the Redis discarded them all.
    pub(crate) async fn transaction(
        &self,
        commands: &[&[Bytes]],
    ) -> Result<Result<Vec<Reply>, ReplyError>, Away> {
        self.count_writes(commands);
        let mut node = self.node_of(commands);
        for _ in 0..=MAX_REDIRECTIONS {
            let outcome = self
                .pool(&node)
                .with(async |link: &mut Link| transaction(link, commands).await)
                .await?;
            match outcome.as_ref().err().and_then(redirection) {
                Some(_) if !one_slot(commands) => return Ok(Err(CROSS_SLOT)),
                Some(moved) => {
                    self.learn(&moved);
                    node = moved.node;
                }
                None => return Ok(outcome),
            }
        }
        Err(self.dizzy())
    }

    /// Opens a connection of its own for a command that answers again and again, as SUBSCRIBE does;
    /// what arrives is handed on until the receiver is gone.
    ///
    /// The inner error is that with which the Redis refused it.
    pub(crate) async fn stream(
        &self,
        command: &[Bytes],
    ) -> Result<Result<mpsc::Receiver<Reply>, ReplyError>, Away> {
        let away = |error: std::io::Error| Away {
            node: self.location.node.clone(),
            reason: error.to_string(),
        };
        let mut link = Link::open(&self.location, &self.location.node)
            .await
            .map_err(away)?;
        let first = match link.ask(command).await.map_err(away)? {
            Reply::Error(error) => return Ok(Err(error)),
            first => first,
        };
        let (sender, receiver) = mpsc::channel(1024);
        sender.try_send(first).ok();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    reply = link.reply() => {
                        let Ok(reply) = reply else { break };
                        if sender.send(reply).await.is_err() {
                            break;
                        }
                    }
                    () = sender.closed() => break,
                }
            }
        });
        Ok(Ok(receiver))
    }

    /// Asks again where a cluster redirects to.
    async fn follow(&self, reply: &mut Reply, command: &[Bytes]) -> Result<(), Away> {
        for _ in 0..MAX_REDIRECTIONS {
            let Reply::Error(error) = &*reply else {
                return Ok(());
            };
            let Some(moved) = redirection(error) else {
                return Ok(());
            };
            self.learn(&moved);
            *reply = self
                .pool(&moved.node)
                .with(async |link: &mut Link| {
                    if moved.asking {
                        link.ask(&[Bytes::from_static(b"ASKING")]).await?;
                    }
                    link.ask(command).await
                })
                .await?;
        }
        Ok(())
    }

    fn learn(&self, moved: &Redirection) {
        if !moved.asking {
            self.slots.lock().insert(moved.slot, moved.node.clone());
        }
    }

    /// The node to ask first: that which has the first command's key, when a redirection told it.
    fn node_of(&self, commands: &[&[Bytes]]) -> String {
        let slots = self.slots.lock();
        let known = if slots.is_empty() {
            None
        } else {
            commands
                .iter()
                .find_map(|args| first_key(args))
                .and_then(|key| slots.get(&slot(key)).cloned())
        };
        known.unwrap_or_else(|| self.location.node.clone())
    }

    fn pool(&self, node: &str) -> Arc<Pool> {
        let mut pools = self.pools.lock();
        Arc::clone(
            pools
                .entry(node.to_owned())
                .or_insert_with(|| Arc::new(Pool::new(self.location.clone(), node))),
        )
    }

    fn dizzy(&self) -> Away {
        Away {
            node: self.location.node.clone(),
            reason: "its nodes redirect to each other without end".to_owned(),
        }
    }
}

/// Trusts what the system trusts.
fn client_config() -> Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    crate::tls::client_config(roots)
}

async fn transaction(
    link: &mut Link,
    commands: &[&[Bytes]],
) -> std::io::Result<Result<Vec<Reply>, ReplyError>> {
    let multi = [Bytes::from_static(b"MULTI")];
    let exec = [Bytes::from_static(b"EXEC")];
    let all = std::iter::once(&multi[..])
        .chain(commands.iter().copied())
        .chain([&exec[..]]);
    link.send(all).await?;
    let mut refusal = None;
    for _ in 0..=commands.len() {
        if let Reply::Error(error) = link.reply().await? {
            refusal.get_or_insert(error);
        }
    }
    Ok(match (link.reply().await?, refusal) {
        (Reply::Array(replies), None) => Ok(replies),
        (_, Some(refusal)) | (Reply::Error(refusal), None) => Err(refusal),
        (_, None) => Err(ReplyError::fixed(
            "ERR upstream did not answer EXEC with an array",
        )),
    })
}

/// Where a node of a cluster sends one.
struct Redirection {
    slot: u16,
    node: String,
    asking: bool,
}

fn redirection(error: &ReplyError) -> Option<Redirection> {
    let text = std::str::from_utf8(error.as_bytes()).ok()?;
    let mut words = text.split(' ');
    let asking = match words.next()? {
        "MOVED" => false,
        "ASK" => true,
        _ => return None,
    };
    Some(Redirection {
        slot: words.next()?.parse().ok()?,
        node: words.next()?.to_owned(),
        asking,
    })
}

/// As Redis answers a command whose keys are on several nodes.
const CROSS_SLOT: ReplyError =
    ReplyError::fixed("CROSSSLOT Keys in request don't hash to the same slot");

fn keys(args: &[Bytes]) -> impl Iterator<Item = &Bytes> {
    let row = args.first().and_then(|name| command::find(name));
    let subcommand = row.and_then(|row| row.subcommand(args.get(1)?));
    let positions = subcommand
        .or(row)
        .map(|row| row.key_positions(args))
        .unwrap_or_default();
    positions.into_iter().filter_map(|at| args.get(at))
}

fn first_key(args: &[Bytes]) -> Option<&Bytes> {
    keys(args).next()
}

/// Whether all keys have one slot, and so one node.
fn one_slot(commands: &[&[Bytes]]) -> bool {
    let mut slots = commands
        .iter()
        .flat_map(|args| keys(args))
        .map(|key| slot(key));
    let first = slots.next();
    slots.all(|slot| Some(slot) == first)
}

/// The slot of a key: of what is between the first braces, when there is something
/// (Redis cluster specification).
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|&byte| byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    let crc = tag.unwrap_or(key).iter().fold(0_u16, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    });
    crc % 16384
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_slots_that_redis_gives_them() {
        // As CLUSTER KEYSLOT of redis-server 8.0 answers.
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"123456789"), 12739);
        assert_eq!(slot(b"a{foo}b"), slot(b"foo"));
        assert_eq!(slot(b"{}foo"), 9500);
        let commands = |keys: &[&'static str]| {
            let get = |key: &&'static str| [Bytes::from("GET"), Bytes::from(*key)];
            let all: Vec<_> = keys.iter().map(get).collect();
            one_slot(&all.iter().map(|args| &args[..]).collect::<Vec<_>>())
        };
        assert!(commands(&["foo", "a{foo}b"]));
        assert!(!commands(&["foo", "bar"]));
        assert!(commands(&[]));
    }

    #[test]
    fn a_url_says_where_and_a_mistake_in_it_does_not_show_the_password() {
        let upstream = Upstream::parse("redis://me:s%40crt@[::1]/3").expect("a URL");
        assert_eq!(upstream.location.node, "[::1]:6379");
        assert_eq!(upstream.location.password.as_deref(), Some(&b"s@crt"[..]));
        assert_eq!(upstream.location.db, "3");
        for mistake in [
            "http://u:secret@h",
            "redis://u:secret@h/x",
            "redis//u:secret@h",
        ] {
            let error = Upstream::parse(mistake).err().expect("refused").to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
