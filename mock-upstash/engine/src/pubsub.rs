//! Who listens to which channel and pattern.

use std::collections::HashMap;

use bytes::Bytes;
use indexmap::IndexSet;

use crate::engine::Engine;
use crate::glob;
use crate::reply::Reply;
use crate::session::ClientId;

/// Listeners, by channel and by pattern, in order of subscription.
#[derive(Debug, Default)]
pub struct PubSub {
    /// Clients subscribed to each channel.
    pub channels: HashMap<Bytes, IndexSet<ClientId>>,
    /// Clients subscribed to each pattern.
    pub patterns: HashMap<Bytes, IndexSet<ClientId>>,
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
