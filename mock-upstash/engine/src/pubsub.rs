//! Who listens to which channel and pattern.

use std::collections::HashMap;

use bytes::Bytes;
use indexmap::{IndexMap, IndexSet};

use crate::engine::Engine;
use crate::glob;
use crate::reply::Reply;
use crate::session::ClientId;

/// Listeners, by channel and by pattern, in order of subscription.
#[derive(Debug, Default)]
pub struct PubSub {
    /// Clients subscribed to each channel.
    pub channels: HashMap<Bytes, IndexSet<ClientId>>,
    /// Clients subscribed to each pattern, the patterns in order of subscription too.
    pub patterns: IndexMap<Bytes, IndexSet<ClientId>>,
}

impl PubSub {
    /// Ends one subscription of a client.
    pub(crate) fn remove(&mut self, name: &Bytes, pattern: bool, client: ClientId) {
        let listeners = if pattern {
            self.patterns.get_mut(name)
        } else {
            self.channels.get_mut(name)
        };
        let Some(clients) = listeners else {
            return;
        };
        clients.shift_remove(&client);
        if !clients.is_empty() {
            return;
        }
        if pattern {
            self.patterns.shift_remove(name);
        } else {
            self.channels.remove(name);
        }
    }
}

impl Engine {
    /// Delivers a message; answers how many subscriptions received it.
    pub fn publish(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let mut deliveries = Vec::new();
        if let Some(clients) = self.pubsub.channels.get(channel) {
            let push = [b"message".as_slice(), channel, message]
                .map(Reply::bulk)
                .to_vec();
            deliveries.extend(clients.iter().map(|client| (*client, push.clone())));
        }
        for (pattern, clients) in &self.pubsub.patterns {
            if glob::matches(pattern, channel) {
                let parts = [b"pmessage".as_slice(), pattern, channel, message];
                let push = parts.map(Reply::bulk).to_vec();
                deliveries.extend(clients.iter().map(|client| (*client, push.clone())));
            }
        }
        let count = deliveries.len();
        for (client, push) in deliveries {
            self.session_mut(client).outbox.push(Reply::Push(push));
        }
        count
    }
}
