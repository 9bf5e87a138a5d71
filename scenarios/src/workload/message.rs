//! Pub/sub: each publisher's messages in order, none lost while connected.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::context::{Context, POLL_PAUSE, Stop, Worker, command};
use super::{Occasion, Workload};
use crate::client::{ClientError, Subscription};
use crate::history::{Value, order};

pub(super) const WORKLOADS: &[Workload] = &[Workload {
    id: "patterns/workload/pubsub",
    title: "A connected subscriber gets every message, in its publisher's order",
    prose: "Cache invalidation, chat and live dashboards publish and hope. A message that is lost \
            while the connection stands, or overtaken, is a page that shows the wrong thing for good.",
    eventual: false,
    occasions: &[Occasion::OVERLAP],
    run: |context| Box::pin(messages(context)),
    check: |history| order::check(history).map(|()| Vec::new()),
}];

/// How many subscribers there are.
const SUBSCRIBERS: usize = 2;
/// After how long a silence nothing comes twice, when all came once; and how long is waited for what
/// is missing.
const SILENCE: Duration = Duration::from_millis(100);
const MISSING: Duration = Duration::from_secs(3);

/// What publishers and subscribers know of one another.
struct News {
    /// How many subscribers hear.
    ready: AtomicUsize,
    /// How many publishers are not done.
    busy: AtomicUsize,
    /// How many messages the server has confirmed.
    published: AtomicUsize,
    /// Whether there are others, which may come or not.
    uncertain: AtomicBool,
}

async fn messages(context: &Context) -> Result<(), Stop> {
    let publishers = context.settings.clients.saturating_sub(SUBSCRIBERS).max(1);
    let news = &News {
        ready: AtomicUsize::new(0),
        busy: AtomicUsize::new(publishers),
        published: AtomicUsize::new(0),
        uncertain: AtomicBool::new(false),
    };
    let clients = publishers + SUBSCRIBERS;
    context
        .all(clients, |mut worker| async move {
            if worker.index < SUBSCRIBERS {
                let subscribed = subscribe(&mut worker).await;
                news.ready.fetch_add(1, Ordering::SeqCst);
                return listen(&mut worker, subscribed?, news).await;
            }
            while news.ready.load(Ordering::SeqCst) < SUBSCRIBERS && !context.is_stopped() {
                worker.pause(POLL_PAUSE).await;
            }
            let done = publish(&mut worker, news).await;
            news.busy.fetch_sub(1, Ordering::SeqCst);
            done
        })
        .await
}

async fn subscribe(worker: &mut Worker<'_>) -> Result<Box<dyn Subscription>, Stop> {
    let channel = worker.context.key("news");
    let subscribed = worker.client.subscribe(&[channel], false).await;
    subscribed.map_err(|error| match error {
        ClientError::Unsupported(reason) => Stop::Unsupported(reason),
        other => Stop::NotEvaluable(other.to_string()),
    })
}

async fn publish(worker: &mut Worker<'_>, news: &News) -> Result<(), Stop> {
    let (context, channel) = (worker.context, worker.context.key("news"));
    let mut number = 0_i64;
    while context.next() {
        number += 1;
        let name = format!("p{}", worker.index);
        let text = format!("{name} {number}");
        let call = worker.invoke("publish", "news", [name.into(), number.into()]);
        let publish = command([b"PUBLISH", &channel, text.as_bytes()]);
        match worker.perform(call, &publish, |_| Value::Nil).await? {
            Some(_) => {
                news.published.fetch_add(1, Ordering::SeqCst);
            }
            None => news.uncertain.store(true, Ordering::SeqCst),
        }
        worker.dawdle(POLL_PAUSE).await;
    }
    Ok(())
}

async fn listen(
    worker: &mut Worker<'_>,
    mut subscription: Box<dyn Subscription>,
    news: &News,
) -> Result<(), Stop> {
    let mut heard = 0;
    let mut silent_since = Instant::now();
    loop {
        let over = news.busy.load(Ordering::SeqCst) == 0;
        match subscription.next(SILENCE).await {
            Ok(Some(message)) => {
                (heard, silent_since) = (heard + 1, Instant::now());
                let call = worker.invoke("receive", "news", Value::Nil);
                let text = String::from_utf8_lossy(&message.payload).into_owned();
                let parts = text.split_once(' ');
                let number = parts.and_then(|(_, number)| number.parse::<i64>().ok());
                match (parts, number) {
                    (Some((name, _)), Some(number)) => call.returned([name.into(), number.into()]),
                    _ => call.returned(text),
                }
            }
            Ok(None) => {
                let all = heard >= news.published.load(Ordering::SeqCst)
                    && !news.uncertain.load(Ordering::SeqCst);
                if !over {
                    silent_since = Instant::now();
                } else if all || silent_since.elapsed() > MISSING {
                    let call = worker.invoke("quiet", "news", Value::Nil);
                    call.returned(Value::Nil);
                    return Ok(());
                }
                if worker.context.is_over(Duration::from_secs(10)) {
                    return Ok(());
                }
            }
            // What it missed while it was not connected is not promised.
            Err(error) => return Err(Stop::NotEvaluable(error.to_string())),
        }
    }
}
