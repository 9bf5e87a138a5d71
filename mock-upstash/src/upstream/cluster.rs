//! Commands that concern every node of a cluster: what counts, walks or removes all keys, and scripts,
//! which each node keeps for itself. To clients of the front the cluster is one database.

use bytes::Bytes;
use redis_engine::{Reply, ReplyError};

use super::link::Link;
use super::{Away, Upstream};

/// How the replies of the nodes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    /// They are added.
    Sum,
    /// They are put one after the other.
    List,
    /// They are alike: the first error, or else the first.
    Any,
    /// The nodes are walked one after the other; the cursor says which.
    Walk,
}

fn whole(args: &[Bytes]) -> Option<Whole> {
    let word = |at: usize| {
        let word = args.get(at).map(|word| word.to_ascii_uppercase());
        word.unwrap_or_default()
    };
    match (&word(0)[..], &word(1)[..]) {
        (b"DBSIZE", _) => Some(Whole::Sum),
        (b"KEYS", _) => Some(Whole::List),
        (b"SCAN", _) => Some(Whole::Walk),
        (b"FLUSHALL" | b"FLUSHDB", _)
        | (b"SCRIPT", b"LOAD" | b"FLUSH")
        | (b"FUNCTION", b"LOAD" | b"DELETE" | b"FLUSH" | b"RESTORE") => Some(Whole::Any),
        _ => None,
    }
}

/// Whether a command concerns every node.
pub(super) fn concerns_all(args: &[Bytes]) -> bool {
    whole(args).is_some()
}

impl Upstream {
    /// Carries out a command that concerns every node.
    pub(super) async fn on_all(&self, command: &[Bytes]) -> Result<Reply, Away> {
        let nodes = self.primaries().await?;
        let whole = whole(command).unwrap_or(Whole::Any);
        if whole == Whole::Walk && nodes.len() > 1 {
            return self.walk(&nodes, command).await;
        }
        let mut replies = Vec::with_capacity(nodes.len());
        for node in &nodes {
            replies.push(self.ask(node, command).await?);
        }
        Ok(joined(whole, replies))
    }

    async fn ask(&self, node: &str, command: &[Bytes]) -> Result<Reply, Away> {
        self.pool(node)
            .with(async |link: &mut Link| link.ask(command).await)
            .await
    }

    /// The nodes that have slots, in the order of their slots; one unless it is a cluster.
    async fn primaries(&self) -> Result<Vec<String>, Away> {
        let one = &self.location.node;
        let slots = [Bytes::from_static(b"CLUSTER"), Bytes::from_static(b"SLOTS")];
        let mut nodes = Vec::new();
        // A Redis that is no cluster answers with an error.
        if let Reply::Array(ranges) = self.ask(one, &slots).await? {
            for range in &ranges {
                if let Some(node) = primary(range, one)
                    && !nodes.contains(&node)
                {
                    nodes.push(node);
                }
            }
        }
        if nodes.is_empty() {
            nodes.push(one.clone());
        }
        Ok(nodes)
    }

    /// SCAN over all nodes: a cursor is that of the node times how many there are, and which it is.
    async fn walk(&self, nodes: &[String], command: &[Bytes]) -> Result<Reply, Away> {
        let count = nodes.len() as u128;
        let cursor = command
            .get(1)
            .and_then(|text| std::str::from_utf8(text).ok()?.parse::<u128>().ok());
        let Some(cursor) = cursor else {
            return Ok(Reply::Error(ReplyError::fixed("ERR invalid cursor")));
        };
        let at = (cursor % count) as usize;
        let mut command = command.to_vec();
        command[1] = (cursor / count).to_string().into();
        let mut reply = self.ask(&nodes[at], &command).await?;
        if let Reply::Array(parts) = &mut reply
            && let Some(Reply::Bulk(next)) = parts.first_mut()
        {
            let text = std::str::from_utf8(next).unwrap_or_default();
            let inner: u128 = text.parse().unwrap_or(0);
            let outer = match inner {
                0 if at + 1 < nodes.len() => at as u128 + 1,
                0 => 0,
                inner => inner * count + at as u128,
            };
            *next = outer.to_string().into();
        }
        Ok(reply)
    }
}

/// The primary of a row of CLUSTER SLOTS: `[first slot, last slot, [host, port, …], replica …]`.
fn primary(range: &Reply, asked: &str) -> Option<String> {
    let Reply::Array(range) = range else {
        return None;
    };
    let Some(Reply::Array(node)) = range.get(2) else {
        return None;
    };
    let Some(Reply::Integer(port)) = node.get(1) else {
        return None;
    };
    let host = match node.first() {
        Some(Reply::Bulk(host)) if !host.is_empty() && &host[..] != b"?" => {
            String::from_utf8_lossy(host).into_owned()
        }
        // A node that does not know its own address is where it was asked.
        _ => asked.rsplit_once(':')?.0.to_owned(),
    };
    let bare_v6 = host.contains(':') && !host.starts_with('[');
    Some(if bare_v6 {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    })
}

fn joined(whole: Whole, replies: Vec<Reply>) -> Reply {
    if let Some(error) = replies
        .iter()
        .find(|reply| matches!(reply, Reply::Error(_)))
    {
        return error.clone();
    }
    match whole {
        Whole::Sum => {
            let number = |reply: &Reply| match reply {
                Reply::Integer(n) => *n,
                _ => 0,
            };
            Reply::Integer(replies.iter().map(number).sum())
        }
        Whole::List => {
            let items = replies.into_iter().flat_map(|reply| match reply {
                Reply::Array(items) => items,
                other => vec![other],
            });
            Reply::Array(items.collect())
        }
        Whole::Any | Whole::Walk => replies.into_iter().next().unwrap_or(Reply::Nil),
    }
}
