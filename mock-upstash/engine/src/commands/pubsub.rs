//! SUBSCRIBE and its kin, PUBLISH, PUBSUB. Confirmations and messages go to the client's outbox.

use bytes::Bytes;
use indexmap::IndexSet;

use crate::call::{Call, Origin};
use crate::command::{Command, Flags, Group, Handler, Rest};
use crate::error::ReplyError;
use crate::glob;
use crate::reply::{Outcome, Reply};
use crate::session::Protocol;

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::PubSub, name, arity, handler).flags(&[
        Flags::PUBSUB,
        Flags::LOADING,
        Flags::STALE,
    ])
}

const fn subscribing(name: &'static str, arity: i16, handler: Handler) -> Command {
    row(name, arity, handler)
        .flags(&[Flags::NOSCRIPT])
        .since("2.0.0")
        .tcp_only()
}

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    subscribing("PSUBSCRIBE", -2, psubscribe)
        .flags(&[Flags::DENYOOM])
        .rest(Rest::Stream),
    row("PUBLISH", 3, publish)
        .flags(&[Flags::FAST, Flags::MAY_REPLICATE])
        .since("2.0.0"),
    Command::container(Group::PubSub, "PUBSUB", -2, PUBSUB).since("2.8.0"),
    subscribing("PUNSUBSCRIBE", -1, punsubscribe),
    subscribing("SUBSCRIBE", -2, subscribe)
        .flags(&[Flags::DENYOOM])
        .rest(Rest::Stream),
    subscribing("UNSUBSCRIBE", -1, unsubscribe),
];

const PUBSUB: &[Command] = &[
    row("PUBSUB CHANNELS", -2, channels)
        .since("2.8.0")
        .read_only_token(true),
    row("PUBSUB NUMPAT", 2, numpat)
        .since("2.8.0")
        .read_only_token(true),
    row("PUBSUB NUMSUB", -2, numsub)
        .since("2.8.0")
        .read_only_token(true),
];

/// Channels or patterns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Channel,
    Pattern,
}

/// `SUBSCRIBE channel [channel …]`
fn subscribe(call: &mut Call<'_>) -> Outcome {
    add(call, By::Channel)
}

/// `PSUBSCRIBE pattern [pattern …]`
fn psubscribe(call: &mut Call<'_>) -> Outcome {
    add(call, By::Pattern)
}

/// `UNSUBSCRIBE [channel …]`
fn unsubscribe(call: &mut Call<'_>) -> Outcome {
    take_out(call, By::Channel)
}

/// `PUNSUBSCRIBE [pattern …]`
fn punsubscribe(call: &mut Call<'_>) -> Outcome {
    take_out(call, By::Pattern)
}

fn add(call: &mut Call<'_>, by: By) -> Outcome {
    // In RESP2 a transaction's reply could not be told from the confirmations.
    if call.origin == Origin::Transaction && call.session().protocol == Protocol::Resp2 {
        let name = call.command.full_name();
        return Err(ReplyError::new(format!(
            "ERR {} isn't allowed for a DENY BLOCKING client",
            name.to_ascii_uppercase()
        )));
    }
    let client = call.client;
    for name in call.args_from(1) {
        let session = call.session();
        let (word, listeners) = match by {
            By::Channel => {
                session.channels.insert(name.clone());
                let channels = &mut call.engine.pubsub.channels;
                (&b"subscribe"[..], channels.entry(name.clone()).or_default())
            }
            By::Pattern => {
                session.patterns.insert(name.clone());
                let patterns = &mut call.engine.pubsub.patterns;
                (
                    &b"psubscribe"[..],
                    patterns.entry(name.clone()).or_default(),
                )
            }
        };
        listeners.insert(client);
        confirm(call, word, Some(name));
    }
    Ok(Reply::None)
}

fn take_out(call: &mut Call<'_>, by: By) -> Outcome {
    let word: &[u8] = if by == By::Channel {
        b"unsubscribe"
    } else {
        b"punsubscribe"
    };
    let mut names = call.args_from(1).to_vec();
    if names.is_empty() {
        let session = call.session();
        let all = if by == By::Channel {
            &session.channels
        } else {
            &session.patterns
        };
        names = all.iter().cloned().collect();
        if names.is_empty() {
            confirm(call, word, None);
        }
    }
    for name in &names {
        call.engine
            .unsubscribe(call.client, name, by == By::Pattern);
        confirm(call, word, Some(name));
    }
    Ok(Reply::None)
}

fn confirm(call: &mut Call<'_>, word: &[u8], name: Option<&Bytes>) {
    let session = call.session();
    let count = Reply::count(session.subscriptions());
    let name = name.map_or(Reply::Nil, Reply::bulk);
    session
        .outbox
        .push(Reply::Push(vec![Reply::bulk(word), name, count]));
}

impl crate::engine::Engine {
    /// Ends one subscription of a client.
    pub(crate) fn unsubscribe(&mut self, client: u64, name: &Bytes, pattern: bool) {
        let session = self.session_mut(client);
        let subscriptions = if pattern {
            &mut session.patterns
        } else {
            &mut session.channels
        };
        subscriptions.shift_remove(name);
        self.pubsub.remove(name, pattern, client);
    }
}

/// `PUBLISH channel message`
fn publish(call: &mut Call<'_>) -> Outcome {
    let (channel, message) = (call.arg(1), call.arg(2));
    Ok(Reply::count(call.engine.publish(channel, message)))
}

/// `PUBSUB CHANNELS [pattern]`
fn channels(call: &mut Call<'_>) -> Outcome {
    if call.args.len() > 3 {
        return Err(ReplyError::subcommand_form(call.args));
    }
    let pattern = call.args.get(2);
    let mut names: Vec<&Bytes> = call
        .engine
        .pubsub
        .channels
        .keys()
        .filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name)))
        .collect();
    names.sort_unstable();
    Ok(Reply::bulks(names))
}

/// `PUBSUB NUMPAT`
fn numpat(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::count(call.engine.pubsub.patterns.len()))
}

/// `PUBSUB NUMSUB [channel …]`
fn numsub(call: &mut Call<'_>) -> Outcome {
    let mut replies = Vec::new();
    for name in call.args_from(2) {
        let count = call
            .engine
            .pubsub
            .channels
            .get(name)
            .map_or(0, IndexSet::len);
        replies.push(Reply::bulk(name));
        replies.push(Reply::count(count));
    }
    Ok(Reply::Array(replies))
}
