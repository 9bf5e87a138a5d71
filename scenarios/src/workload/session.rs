//! Sessions: what was written is read, by whoever asks next.

use std::sync::atomic::{AtomicI64, Ordering};

use super::context::{Context, POLL_PAUSE, Stop, Worker, command, value};
use super::{Occasion, Workload};
use crate::client::Client;
use crate::history::freshness::{self, Audience};
use crate::history::{Value, counting};

pub(super) const WORKLOADS: &[Workload] = &[
    Workload {
        id: "sessions/workload/own-writes",
        title: "A client reads its own writes, and never goes back in time",
        prose: "A user saves the profile and the next page shows it, or shows the old one. Upstash \
                promises this to one client, by its sync token.",
        eventual: false,
        occasions: &[Occasion::READ_AFTER_WRITE],
        run: |context| Box::pin(own_writes(context, Continuity::OneClient)),
        check: |history| freshness::check(Audience::Oneself, history).map(|()| Vec::new()),
    },
    Workload {
        id: "sessions/workload/handed-on",
        title: "A session that moves on with its sync token reads its own writes",
        prose: "One process writes the session, the next one goes on with it and with the sync token \
                of the last answer. That is how read-your-writes is kept across processes on Upstash; \
                without it a user who changes servers loses what was just saved.",
        eventual: false,
        occasions: &[Occasion::READ_AFTER_WRITE],
        run: |context| Box::pin(own_writes(context, Continuity::HandedOn)),
        check: |history| freshness::check(Audience::Oneself, history).map(|()| Vec::new()),
    },
    Workload {
        id: "sessions/workload/fresh-clients",
        title: "A session whose every request has a new client reads its own writes",
        prose: "Serverless functions make a client for each request, without a sync token from the one \
                before. The cart that was just filled is empty on the next page if reads are stale.",
        eventual: true,
        occasions: &[Occasion::READ_AFTER_WRITE],
        run: |context| Box::pin(own_writes(context, Continuity::Fresh)),
        check: |history| freshness::check(Audience::Oneself, history).map(|()| Vec::new()),
    },
    Workload {
        id: "sessions/workload/others-writes",
        title: "A client reads what another has written before",
        prose: "The login request writes the session, the next request reads it from another process, \
                with no sync token in common. A stale answer is a user who is logged out again.",
        eventual: true,
        occasions: &[Occasion::READ_AFTER_WRITE],
        run: |context| Box::pin(others_writes(context)),
        check: |history| freshness::check(Audience::Everybody, history).map(|()| Vec::new()),
    },
    Workload {
        id: "sessions/workload/fields",
        title: "Fields of one session that are changed at once all stay changed",
        prose: "Tabs and workers change different fields of one hash, and count in a shared one. An \
                update that overwrites the others' is a cart that loses an item.",
        eventual: false,
        occasions: &[Occasion::OVERLAP, Occasion::READ_AFTER_WRITE],
        run: |context| Box::pin(fields(context)),
        check: |history| {
            counting::counter(history)?;
            freshness::check(Audience::Oneself, history).map(|()| Vec::new())
        },
    },
];

/// Who reads what a session's requests wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Continuity {
    /// The client that wrote.
    OneClient,
    /// Another client, to which the writer's sync token was handed on.
    HandedOn,
    /// A new client for each request, with nothing from the one before.
    Fresh,
}

async fn own_writes(context: &Context, continuity: Continuity) -> Result<(), Stop> {
    let kept = &context.kept_ms();
    context
        .all(context.settings.clients, |mut worker| async move {
            let name = format!("session-{}", worker.index);
            let key = context.key(&name);
            let mut other = match continuity {
                Continuity::HandedOn => Some(beside(&mut worker, &key).await?),
                Continuity::OneClient | Continuity::Fresh => None,
            };
            let mut version = first_version(&worker);
            while context.next() {
                if worker.chance(50) {
                    version += 1;
                    let call = worker.invoke("write", name.as_str(), version);
                    let text = version.to_string();
                    let set = command([b"SET", &key, text.as_bytes(), b"PX", kept.as_bytes()]);
                    worker.perform(call, &set, |_| Value::Nil).await?;
                }
                match &mut other {
                    Some(other) => hand_on(&mut worker, other),
                    None if continuity == Continuity::Fresh => {
                        worker.client = context.connect().await?;
                    }
                    None => {}
                }
                let call = worker.invoke("read", name.as_str(), Value::Nil);
                worker
                    .perform(call, &command([b"GET", &key]), value)
                    .await?;
            }
            Ok(())
        })
        .await
}

/// Versions of different sessions differ, so that an answer that was meant for another client shows.
fn first_version(worker: &Worker<'_>) -> i64 {
    i64::try_from(worker.index).unwrap_or(0) * 1_000_000
}

/// A second client for a session, where there is something that the first can hand on to it.
async fn beside(worker: &mut Worker<'_>, key: &[u8]) -> Result<Box<dyn Client>, Stop> {
    worker.look(&command([b"GET", key])).await?;
    match worker.client.sync_token() {
        Some(_) => worker.context.connect().await,
        None => Err(Stop::Unsupported(
            "answers carry no sync token here that one client could hand on to another".to_owned(),
        )),
    }
}

/// The session's next request is the other client's, which is given what this one has seen.
fn hand_on(worker: &mut Worker<'_>, other: &mut Box<dyn Client>) {
    std::mem::swap(&mut worker.client, other);
    if let Some(token) = other.sync_token() {
        worker.client.adopt_sync_token(&token);
    }
}

async fn others_writes(context: &Context) -> Result<(), Stop> {
    // A session for each writer; everybody reads all of them.
    let writers = (context.settings.clients / 2).max(1);
    let kept = &context.kept_ms();
    context
        .all(context.settings.clients, |mut worker| async move {
            let mut version = first_version(&worker);
            while context.next() {
                if worker.index < writers {
                    version += 1;
                    let name = format!("session-{}", worker.index);
                    let call = worker.invoke("write", name.as_str(), version);
                    let (key, text) = (context.key(&name), version.to_string());
                    let set = command([b"SET", &key, text.as_bytes(), b"PX", kept.as_bytes()]);
                    worker.perform(call, &set, |_| Value::Nil).await?;
                    worker.dawdle(POLL_PAUSE).await;
                } else {
                    let name = format!("session-{}", worker.below(writers as u64));
                    let get = command([b"GET", &context.key(&name)]);
                    let call = worker.invoke("read", name, Value::Nil);
                    worker.perform(call, &get, value).await?;
                }
            }
            Ok(())
        })
        .await
}

async fn fields(context: &Context) -> Result<(), Stop> {
    let key = &context.key("session");
    let added = &AtomicI64::new(0);
    context
        .all(context.settings.clients, |mut worker| async move {
            let field = format!("field-{}", worker.index);
            let object = format!("session {field}");
            let mut version = first_version(&worker);
            while context.next() {
                if worker.chance(30) {
                    let call = worker.invoke("add", "session visits", Value::Nil);
                    let add = command([b"HINCRBY", key, b"visits", b"1"]);
                    worker.perform(call, &add, value).await?;
                    added.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                version += 1;
                let call = worker.invoke("write", object.as_str(), version);
                let set = command([
                    b"HSET",
                    key,
                    field.as_bytes(),
                    version.to_string().as_bytes(),
                ]);
                worker.perform(call, &set, |_| Value::Nil).await?;
                let call = worker.invoke("read", object.as_str(), Value::Nil);
                let get = command([b"HGET", key, field.as_bytes()]);
                worker.perform(call, &get, value).await?;
            }
            Ok(())
        })
        .await?;
    if added.load(Ordering::Relaxed) == 0 {
        return Ok(());
    }
    let mut last = context.caught_up(context.settings.clients).await?;
    let call = last.invoke("read", "session visits", Value::Nil);
    let get = command([b"HGET", key, b"visits"]);
    last.perform(call, &get, value).await.map(|_| ())
}
