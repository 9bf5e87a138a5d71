//! Server-sent events: `/subscribe/<channel>`, `/psubscribe/<pattern>`, `/monitor`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Either;
use hyper::Response;
use hyper::body::{Body as HttpBody, Frame};
use hyper::header::{self, HeaderValue};
use redis_engine::{ClientId, Connect, Reply};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::response::{Body, Refusal};
use crate::assumption::Assumption;
use crate::outbox::{self, Pending};
use crate::shared::Shared;

/// A subscription as a response's body. It ends when the client hangs up, is too slow, or the server
/// stops.
pub(crate) struct EventStream {
    /// The engine's client that is subscribed; `None` when the Redis behind is.
    client: Option<(Arc<Shared>, ClientId)>,
    replies: Pending,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Lets the client go once it was too slow: whoever does not read does not come back for more.
    watch: Option<AbortHandle>,
    form: Form,
}

/// How events are written.
#[derive(Debug, Clone, Copy)]
struct Form {
    /// MONITOR's first event is quoted where a subscription's would not be.
    monitor: bool,
    /// Line ends within a message stay as they are.
    raw_lines: bool,
}

/// Opens a stream for a path such as `/subscribe/chat`.
pub(super) async fn open(
    shared: &Arc<Shared>,
    token: &Bytes,
    command: &[Bytes],
    stopped: watch::Receiver<()>,
) -> Result<(Bytes, Response<Body>), Refusal> {
    let form = Form {
        monitor: command[0].eq_ignore_ascii_case(b"monitor"),
        raw_lines: shared.assumptions.has(Assumption::EventLinesRaw),
    };
    let command = if shared.assumptions.has(Assumption::FirstChannelAlone) {
        &command[..command.len().min(2)]
    } else {
        command
    };
    let (user, client, replies) = subscribe(shared, token, command)?;
    let stream = match &shared.upstream {
        None => EventStream::new(Some((shared.clone(), client)), replies, stopped, form),
        Some(upstream) => {
            // What the engine has seen was for its admission alone.
            shared.engine.lock().disconnect(client);
            let replies = upstream.stream(command).await?;
            let replies = replies.map_err(|error| Refusal::bad_request(error.to_string()))?;
            let replies = Pending::of(replies);
            EventStream::new(None, replies, stopped, form)
        }
    };
    let mut response = Response::new(Either::Right(Either::Left(stream)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok((user, response))
}

/// Subscribes a client of its own.
fn subscribe(
    shared: &Shared,
    token: &Bytes,
    command: &[Bytes],
) -> Result<(Bytes, ClientId, Pending), Refusal> {
    let mut engine = shared.engine.lock();
    let caller = shared
        .caller(&mut engine, token)
        .ok_or_else(|| Refusal::unauthorized_by(shared, &engine, token))?;
    let (outbox, replies) = outbox::queue(shared.bounds.max_pending);
    let client = engine.connect(Connect {
        user: Some(caller.user.clone()),
        rest: false,
        outbox: Box::new(outbox),
        ..Connect::default()
    });
    match engine.execute(client, command) {
        Reply::Error(error) => {
            engine.disconnect(client);
            return Err(Refusal::bad_request(error.to_string()));
        }
        Reply::None => {}
        // MONITOR's OK, which begins its stream.
        other => engine.session_mut(client).outbox.push(other),
    }
    Ok((caller.user, client, replies))
}

impl EventStream {
    fn new(
        client: Option<(Arc<Shared>, ClientId)>,
        replies: Pending,
        mut stopped: watch::Receiver<()>,
        form: Form,
    ) -> EventStream {
        let watch = client.clone().map(|(shared, client)| {
            let too_slow = replies.too_slow();
            let watch = tokio::spawn(async move {
                too_slow.notified().await;
                shared.engine.lock().disconnect(client);
            });
            watch.abort_handle()
        });
        EventStream {
            watch,
            client,
            replies,
            stopped: Box::pin(async move {
                stopped.changed().await.ok();
            }),
            form,
        }
    }
}

impl HttpBody for EventStream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let form = self.form;
        self.replies
            .poll_recv(context)
            .map(|reply| reply.map(|reply| Ok(Frame::data(event(&reply, form)))))
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
        if let Some((shared, client)) = &self.client {
            shared.engine.lock().disconnect(*client);
        }
    }
}

/// One event: the parts of a message, joined by commas.
fn event(reply: &Reply, form: Form) -> Bytes {
    let mut data = b"data: ".to_vec();
    match reply {
        Reply::Push(parts) | Reply::Array(parts) => {
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    data.push(b',');
                }
                text(&mut data, part, form);
            }
        }
        Reply::Status(status) if form.monitor && status == "OK" => {
            data.extend_from_slice(b"\"OK\"")
        }
        other => text(&mut data, other, form),
    }
    data.extend_from_slice(b"\n\n");
    data.into()
}

fn text(data: &mut Vec<u8>, part: &Reply, form: Form) {
    match part {
        Reply::Bulk(bytes) | Reply::Status(bytes) if form.raw_lines => {
            data.extend_from_slice(bytes);
        }
        Reply::Bulk(bytes) | Reply::Status(bytes) => {
            // A line end within would end the event. A further `data:` line is what the event-stream
            // format has for it.
            for (i, line) in bytes.split(|&b| b == b'\n').enumerate() {
                if i > 0 {
                    data.extend_from_slice(b"\ndata: ");
                }
                data.extend_from_slice(line);
            }
        }
        Reply::Integer(n) => data.extend_from_slice(n.to_string().as_bytes()),
        _ => {}
    }
}
