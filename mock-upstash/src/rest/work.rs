//! What a request asks for, carried out: on the engine, or on the Redis behind it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Either;
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use redis_engine::commands::stream::asks_to_block;
use redis_engine::{Clock, Engine, Reply, ReplyError};

use super::argument::Row;
use super::encode::{self, Encoding, Nested};
use super::mangle::{How, Mangled};
use super::response::{self, Body, Refusal};
use crate::assumption::Assumption;
use crate::fault::Effect;
use crate::journal::RequestKind;
use crate::limit;
use crate::pace::SLOWED_US;
use crate::replica::{self, SYNC_TOKEN};
use crate::resp;
use crate::shared::{Caller, Shared};
use crate::upstream::{Away, Upstream};

/// How a reply is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json(Encoding),
    Resp2,
}

/// What a request's headers ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How a reply is to be written.
    pub(super) format: Format,
    /// Up to where whoever answers must have seen changes.
    pub(super) position: u64,
}

/// What a request asks for.
pub(super) enum Work {
    /// `/` and the path form: one command.
    One(Vec<Bytes>),
    /// `/pipeline`: each command for itself.
    Pipeline(Vec<Row>),
    /// `/multi-exec`: all or nothing, with nothing in between.
    Transaction(Vec<Vec<Bytes>>),
}

impl Work {
    pub(super) fn kind(&self) -> RequestKind {
        match self {
            Work::One(_) => RequestKind::Command,
            Work::Pipeline(_) => RequestKind::Pipeline,
            Work::Transaction(_) => RequestKind::Transaction,
        }
    }

    /// The commands that could be read.
    pub(super) fn commands(&self) -> impl Iterator<Item = &[Bytes]> {
        let (rows, whole): (&[Row], &[Vec<Bytes>]) = match self {
            Work::One(command) => (&[], std::slice::from_ref(command)),
            Work::Pipeline(rows) => (rows, &[]),
            Work::Transaction(commands) => (&[], commands),
        };
        rows.iter()
            .flatten()
            .chain(whole)
            .map(|command| &command[..])
    }

    /// What strikes it: a request is struck as a whole, whichever of its commands a fault describes.
    pub(super) fn strike(&self, shared: &Shared, user: &[u8]) -> Option<Effect> {
        match self {
            Work::One(command) => shared.strike(user, std::slice::from_ref(command)),
            Work::Pipeline(rows) => rows
                .iter()
                .flatten()
                .find_map(|command| shared.strike(user, std::slice::from_ref(command))),
            Work::Transaction(commands) => shared.strike(user, commands),
        }
    }

    /// Carries it out.
    pub(super) async fn carry_out(
        &self,
        shared: &Shared,
        token: &Bytes,
        terms: Terms,
    ) -> Result<(Caller, Response<Body>), Refusal> {
        match &shared.upstream {
            None => {
                let commands = self.commands();
                shared.wait_for_replica(terms.position, commands).await;
                self.on_engine(shared, token, terms)
            }
            Some(upstream) => self.on_upstream(shared, upstream, token, terms).await,
        }
    }

    fn on_engine(
        &self,
        shared: &Shared,
        token: &Bytes,
        terms: Terms,
    ) -> Result<(Caller, Response<Body>), Refusal> {
        /// Commands run without letting others in between; more would make them wait too long.
        const TURN: usize = 64;
        let mut engine = shared.engine.lock();
        let caller = caller(shared, &mut engine, token)?;
        if !engine.dialect.is_upstash() {
            // Requests share a client of the engine; what one has selected is not the next one's.
            engine.session_mut(caller.client).db = 0;
        }
        // Requests share the client; where each begins is its token's to say.
        engine.session_mut(caller.client).seen = terms.position;
        let apart = shared.assumptions.has(Assumption::PipelineReadsApart);
        let answer = match self {
            Work::One(command) => {
                let reply = engine.execute(caller.client, command);
                let status = limit::status(&engine.limits, command, &reply);
                Answer::One(reply, status)
            }
            Work::Pipeline(rows) => {
                let mut replies = Vec::with_capacity(rows.len());
                for (turn, rows) in rows.chunks(TURN).enumerate() {
                    if turn > 0 {
                        let seen = engine.session_mut(caller.client).seen;
                        parking_lot::MutexGuard::bump(&mut engine);
                        engine.session_mut(caller.client).seen = seen;
                    }
                    replies.extend(rows.iter().map(|row| match row {
                        Ok(command) if command.is_empty() => Reply::Error(EMPTY_COMMAND),
                        Ok(command) => {
                            let session = engine.session_mut(caller.client);
                            let seen = session.seen;
                            if apart {
                                session.seen = terms.position;
                            }
                            let reply = engine.execute(caller.client, command);
                            let session = engine.session_mut(caller.client);
                            session.seen = session.seen.max(seen);
                            reply
                        }
                        Err(error) => Reply::Error(error.clone()),
                    }));
                }
                Answer::Many(replies)
            }
            Work::Transaction(commands) => Answer::All(engine.transaction(caller.client, commands)),
        };
        let seen = engine.session_mut(caller.client).seen;
        let position = if engine.replica_lag().is_zero() {
            engine.position()
        } else {
            seen.min(engine.position())
        };
        drop(engine);
        let sync = replica::sync_token(position);
        Ok((caller, answer.write(shared, terms.format, sync)))
    }

    async fn on_upstream(
        &self,
        shared: &Shared,
        upstream: &Upstream,
        token: &Bytes,
        terms: Terms,
    ) -> Result<(Caller, Response<Body>), Refusal> {
        // Admission is the engine's: one lock, held while nothing is waited for.
        let (caller, admitted) = {
            let mut engine = shared.engine.lock();
            let caller = caller(shared, &mut engine, token)?;
            let mut admit = |command: &Vec<Bytes>| admit(&mut engine, &caller, command);
            let admitted: Vec<Result<(), ReplyError>> = match self {
                Work::One(command) => vec![admit(command)],
                Work::Transaction(commands) => commands.iter().map(admit).collect(),
                Work::Pipeline(rows) => rows
                    .iter()
                    .map(|row| row.as_ref().map_err(Clone::clone).and_then(&mut admit))
                    .collect(),
            };
            (caller, admitted)
        };
        let answer = match self {
            Work::One(command) => {
                let reply = match &admitted[0] {
                    Err(error) => Reply::Error(error.clone()),
                    Ok(()) => {
                        let reply = upstream.pipeline(&[command]).await?.pop();
                        meter(shared, reply.unwrap_or(Reply::None))
                    }
                };
                let status = limit::status(&shared.engine.lock().limits, command, &reply);
                Answer::One(reply, status)
            }
            Work::Pipeline(rows) => {
                let admissible: Vec<&[Bytes]> = rows
                    .iter()
                    .zip(&admitted)
                    .filter_map(|(row, admitted)| admitted.as_ref().ok().and(row.as_deref().ok()))
                    .collect();
                let mut replies = if admissible.is_empty() {
                    Vec::new()
                } else {
                    upstream.pipeline(&admissible).await?
                }
                .into_iter();
                let all = admitted.into_iter().map(|admitted| match admitted {
                    Err(error) => Reply::Error(error),
                    Ok(()) => meter(shared, replies.next().unwrap_or(Reply::None)),
                });
                Answer::Many(all.collect())
            }
            Work::Transaction(commands) => {
                Answer::All(match admitted.into_iter().find_map(Result::err) {
                    Some(error) => Err(error),
                    None => {
                        let commands: Vec<&[Bytes]> =
                            commands.iter().map(|args| &args[..]).collect();
                        let replies = upstream.transaction(&commands).await?;
                        replies.map(|replies| {
                            replies
                                .into_iter()
                                .map(|reply| meter(shared, reply))
                                .collect()
                        })
                    }
                })
            }
        };
        let sync = replica::sync_token(upstream.position());
        Ok((caller, answer.write(shared, terms.format, sync)))
    }

    /// Carries out a request that a fault strikes.
    pub(super) async fn carry_out_struck(
        &self,
        shared: &Shared,
        token: &Bytes,
        terms: Terms,
        effect: Effect,
    ) -> Result<(Caller, Response<Body>), Refusal> {
        let mangle = |(caller, response): (Caller, Response<Body>), how: How| {
            let (parts, body) = response.into_parts();
            let Either::Left(whole) = body else {
                return Err(Refusal::HangUp);
            };
            let mangled = Either::Right(Either::Right(Mangled::new(whole, how)));
            Ok((caller, Response::from_parts(parts, mangled)))
        };
        let unharmed = self.carry_out(shared, token, terms);
        match effect {
            Effect::Delay { ms, .. } => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                unharmed.await
            }
            Effect::Error(message) => Err(Refusal::bad_request(message)),
            Effect::Limit(limit) => {
                let error = limit.error(&shared.engine.lock().limits);
                if let Some(error) = error {
                    let (caller, position) = {
                        let mut engine = shared.engine.lock();
                        (caller(shared, &mut engine, token)?, engine.position())
                    };
                    let reply = Reply::Error(error.clone());
                    // As the limit itself: for each command of a pipeline, for a transaction as a whole.
                    let answer = match self {
                        Work::One(_) => Answer::One(reply, Some(limit.status())),
                        Work::Pipeline(rows) => Answer::Many(vec![reply; rows.len()]),
                        Work::Transaction(_) => Answer::All(Err(error)),
                    };
                    let sync = replica::sync_token(position);
                    return Ok((caller, answer.write(shared, terms.format, sync)));
                }
                shared.sleep_until(shared.clock.now_us() + SLOWED_US).await;
                unharmed.await
            }
            Effect::Status { status, body } => {
                let caller = caller(shared, &mut shared.engine.lock(), token)?;
                let status =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Ok((caller, response::html(status, body)))
            }
            Effect::ResetBefore => Err(Refusal::HangUp),
            Effect::ResetAfter => {
                unharmed.await?;
                Err(Refusal::HangUp)
            }
            Effect::HalfAnswer => mangle(unharmed.await?, How::Half),
            Effect::Drip { bytes, interval_ms } => {
                let interval = Duration::from_millis(interval_ms);
                mangle(unharmed.await?, How::Drip { bytes, interval })
            }
            Effect::BlackHole => std::future::pending().await,
        }
    }
}

pub(super) const EMPTY_COMMAND: ReplyError = ReplyError::fixed("ERR empty pipeline command");

fn caller(shared: &Shared, engine: &mut Engine, token: &Bytes) -> Result<Caller, Refusal> {
    shared
        .caller(engine, token)
        .ok_or_else(|| Refusal::unauthorized_by(shared, engine, token))
}

/// Whether a command may be sent on to the Redis behind. With stock Redis's dialect, what the engine
/// does not know may be newer than it, and is sent on for the standard token.
fn admit(engine: &mut Engine, caller: &Caller, command: &[Bytes]) -> Result<(), ReplyError> {
    if command.is_empty() {
        return Err(EMPTY_COMMAND);
    }
    if command[0].eq_ignore_ascii_case(b"SELECT") {
        return Err(ReplyError::fixed(
            "ERR SELECT would move a connection that others share; name the database in the upstream's URL",
        ));
    }
    let unknown = !engine.dialect.is_upstash() && engine.find(command).is_err();
    if unknown && caller.user == crate::shared::DEFAULT_USER {
        return Ok(());
    }
    let now_ms = engine.now_ms();
    let row = engine.admit(caller.client, command, now_ms)?;
    if row.name.starts_with("XREAD") && asks_to_block(command) {
        return Err(ReplyError::fixed(
            "ERR BLOCK would hold a connection that others share",
        ));
    }
    Ok(())
}

/// Counts a reply of the Redis behind, and holds it against the limits.
fn meter(shared: &Shared, reply: Reply) -> Reply {
    shared.engine.lock().meter_foreign(reply)
}

impl From<Away> for Refusal {
    fn from(away: Away) -> Self {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, away.to_string())
    }
}

/// What was answered to a request.
enum Answer {
    /// A reply, and the status where it is not the reply's own.
    One(Reply, Option<StatusCode>),
    Many(Vec<Reply>),
    All(Result<Vec<Reply>, ReplyError>),
}

impl Answer {
    fn write(self, shared: &Shared, format: Format, sync: HeaderValue) -> Response<Body> {
        let mut response = match (self, format) {
            (Answer::One(reply, status), format) => one(shared, &reply, status, format),
            (Answer::Many(replies), Format::Resp2)
                if !shared.assumptions.has(Assumption::Resp2PipelineAsJson) =>
            {
                let mut body = Vec::with_capacity(32 * replies.len());
                for reply in &replies {
                    resp::encode(&mut body, reply, redis_engine::Protocol::Resp2);
                }
                response::resp2(StatusCode::OK, body)
            }
            (Answer::Many(replies) | Answer::All(Ok(replies)), format) => {
                response::json(StatusCode::OK, many(shared, &replies, encoding(format)))
            }
            (Answer::All(Err(error)), _) => {
                response::refused(error_status(shared, &error), error.as_bytes())
            }
        };
        response.headers_mut().insert(SYNC_TOKEN, sync);
        response
    }
}

fn one(
    shared: &Shared,
    reply: &Reply,
    status: Option<StatusCode>,
    format: Format,
) -> Response<Body> {
    let error = match reply {
        Reply::Error(error) => Some(error),
        _ => None,
    };
    let own = || error.map_or(StatusCode::OK, |error| error_status(shared, error));
    let status = status.unwrap_or_else(own);
    let mut body = Vec::with_capacity(64);
    if format == Format::Resp2
        && !(error.is_some() && shared.assumptions.has(Assumption::Resp2ErrorsAsJson))
    {
        resp::encode(&mut body, reply, redis_engine::Protocol::Resp2);
        return response::resp2(status, body);
    }
    encode::envelope(&mut body, reply, encoding(format), nested(shared));
    response::json(status, body)
}

fn many(shared: &Shared, replies: &[Reply], encoding: Encoding) -> Vec<u8> {
    let mut body = Vec::with_capacity(32 * replies.len() + 2);
    body.push(b'[');
    for (i, reply) in replies.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        encode::envelope(&mut body, reply, encoding, nested(shared));
    }
    body.push(b']');
    body
}

fn encoding(format: Format) -> Encoding {
    match format {
        Format::Json(encoding) => encoding,
        Format::Resp2 => Encoding::Text,
    }
}

fn nested(shared: &Shared) -> Nested {
    Nested {
        bare_ok: shared.assumptions.has(Assumption::NestedStatusBare),
        error_objects: shared.assumptions.has(Assumption::NestedErrorObjects),
    }
}

fn error_status(shared: &Shared, error: &ReplyError) -> StatusCode {
    if shared.assumptions.has(Assumption::ForbiddenStatus) && error.code() == b"NOPERM" {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::BAD_REQUEST
    }
}
