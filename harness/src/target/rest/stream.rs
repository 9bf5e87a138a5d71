//! Subscriptions over REST: one stream of server-sent events for each channel.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL};
use scenarios::ClientError;
use scenarios::client::{Message, Subscription};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::super::dial::seconds;
use super::Shared;
use super::request::segment;

/// A line longer than this is not waited for; @upstash/redis gives up at the same size.
const LONGEST_LINE: usize = 1 << 20;

type Event = Result<Message, ClientError>;

/// Opens a stream for every channel, and returns when the server confirmed each.
pub(super) async fn subscribe(
    shared: &Arc<Shared>,
    channels: &[Vec<u8>],
    pattern: bool,
) -> Result<Box<dyn Subscription>, ClientError> {
    let (events, received) = mpsc::channel(1024);
    let mut readers = JoinSet::new();
    for channel in channels {
        let opening = Reader::open(shared, channel, pattern);
        let reader = tokio::time::timeout(shared.reply_timeout, opening)
            .await
            .unwrap_or_else(|_| {
                Err(ClientError::OutcomeUnknown(format!(
                    "{} did not confirm the subscription within {}",
                    shared.shown,
                    seconds(shared.reply_timeout)
                )))
            })?;
        readers.spawn(reader.forward(events.clone()));
    }
    Ok(Box::new(RestSubscription {
        received,
        _readers: readers,
    }))
}

struct RestSubscription {
    received: mpsc::Receiver<Event>,
    /// Dropping the set ends the streams.
    _readers: JoinSet<()>,
}

#[async_trait]
impl Subscription for RestSubscription {
    async fn next(&mut self, timeout: Duration) -> Result<Option<Message>, ClientError> {
        match tokio::time::timeout(timeout, self.received.recv()).await {
            Err(_) => Ok(None),
            Ok(Some(Ok(message))) => Ok(Some(message)),
            Ok(Some(Err(error))) => Err(error),
            Ok(None) => Err(ClientError::Protocol(
                "every stream of the subscription has ended".to_owned(),
            )),
        }
    }
}

/// One stream of events.
struct Reader {
    shared: Arc<Shared>,
    channel: Vec<u8>,
    pattern: bool,
    response: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: Vec<u8>,
}

impl Reader {
    async fn open(
        shared: &Arc<Shared>,
        channel: &[u8],
        pattern: bool,
    ) -> Result<Self, ClientError> {
        let verb = if pattern { "psubscribe" } else { "subscribe" };
        let response = shared
            .http
            .post(format!("{}/{verb}/{}", shared.base, segment(channel)?))
            .header(AUTHORIZATION, shared.authorization.clone())
            .header(ACCEPT, "text/event-stream")
            .header(CACHE_CONTROL, "no-cache")
            .body("[]")
            .send()
            .await
            .map_err(|error| shared.no_answer(&error))?;
        let status = response.status();
        if status != reqwest::StatusCode::OK {
            let body = response.bytes().await.unwrap_or_default();
            return Err(ClientError::NotSent(format!(
                "{} refused the subscription ({status}): {}",
                shared.shown,
                shared.excerpt(&body)
            )));
        }
        let mut reader = Reader {
            shared: shared.clone(),
            channel: channel.to_vec(),
            pattern,
            response: response.bytes_stream().boxed(),
            buffer: Vec::new(),
        };
        let confirmation = [verb.as_bytes(), b",", channel, b","].concat();
        loop {
            let data = reader.data().await?;
            if data.starts_with(&confirmation) {
                return Ok(reader);
            }
        }
    }

    /// The next `data:` line; comments and other fields are skipped.
    async fn data(&mut self) -> Result<Vec<u8>, ClientError> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                if let Some(data) = line.strip_prefix(b"data:") {
                    return Ok(data.strip_prefix(b" ").unwrap_or(data).to_vec());
                }
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(ClientError::Protocol(format!(
                    "{} sent an event of more than 1 MB without an end",
                    self.shared.shown
                )));
            }
            match self.response.next().await {
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(error)) => {
                    return Err(ClientError::Protocol(format!(
                        "the stream of {} was cut off ({})",
                        self.shared.shown,
                        self.shared.token.redact(&super::explain::whole(&error))
                    )));
                }
                None => {
                    return Err(ClientError::Protocol(format!(
                        "{} ended the stream of the subscription",
                        self.shared.shown
                    )));
                }
            }
        }
    }

    async fn forward(mut self, events: mpsc::Sender<Event>) {
        loop {
            let event = match self.data().await {
                Ok(data) => match message(&data, &self.channel, self.pattern) {
                    Some(message) => Ok(message),
                    None => continue,
                },
                Err(error) => Err(error),
            };
            let ended = event.is_err();
            if events.send(event).await.is_err() || ended {
                return;
            }
        }
    }
}

/// `message,CHANNEL,PAYLOAD` or `pmessage,PATTERN,CHANNEL,PAYLOAD`. The payload may hold commas; so
/// may a subscribed channel or pattern, which is known. A channel that a pattern matched ends at
/// its first comma, as @upstash/redis reads it.
fn message(data: &[u8], subscribed: &[u8], pattern: bool) -> Option<Message> {
    let kind: &[u8] = if pattern { b"pmessage," } else { b"message," };
    let rest = data
        .strip_prefix(kind)?
        .strip_prefix(subscribed)?
        .strip_prefix(b",")?;
    if !pattern {
        return Some(Message {
            pattern: None,
            channel: subscribed.to_vec(),
            payload: rest.to_vec(),
        });
    }
    let comma = rest.iter().position(|byte| *byte == b',')?;
    Some(Message {
        pattern: Some(subscribed.to_vec()),
        channel: rest[..comma].to_vec(),
        payload: rest[comma + 1..].to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_keeps_its_commas() {
        let parsed = message(b"message,a,b,c,d", b"a,b", false).unwrap();
        assert_eq!(parsed.channel, b"a,b");
        assert_eq!(parsed.payload, b"c,d");
    }

    #[test]
    fn a_pattern_names_the_channel() {
        let parsed = message(b"pmessage,news.*,news.it,a,b", b"news.*", true).unwrap();
        assert_eq!(parsed.pattern.as_deref(), Some(&b"news.*"[..]));
        assert_eq!(parsed.channel, b"news.it");
        assert_eq!(parsed.payload, b"a,b");
    }

    #[test]
    fn other_events_are_not_messages() {
        assert_eq!(message(b"subscribe,a,1", b"a", false), None);
        assert_eq!(message(b"message,b,x", b"a", false), None);
        assert_eq!(message(b"", b"a", true), None);
    }
}
